"""Tasks of Label Studio are written and read again."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.reading import WATCH_LABELS, Vote, Wrong
from annotation.exchange.records import TaskPrediction, TaskRecord, VoteRecord
from annotation.exchange.registry import FORMATS
from tests.annotation.exchange.vote_files import names, read, read_bytes, why

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATING = {"from_name": "score", "to_name": "image", "type": "rating", "value": {"rating": 7}}


def task(image: str = "1.jpg", *annotations: dict[str, Any], **data: str) -> str:
    return json.dumps([{"data": {"image": image, **data}, "annotations": list(annotations)}])


def written(*rows: TaskRecord) -> bytes:
    return b"".join(FORMATS["label-studio"].write(rows))


@given(
    rows=st.lists(
        st.tuples(names, st.lists(st.tuples(names, st.integers(0, 10), st.sampled_from(WATCH_LABELS)), max_size=3)),
        max_size=3,
    )
)
def test_written_votes_are_read_again(rows: list[tuple[str, list[tuple[str, int, str]]]]) -> None:
    tasks = [
        TaskRecord(file, "", "", tuple(VoteRecord(who, file, score, watch, WHEN) for who, score, watch in votes), ())
        for file, votes in rows
    ]
    assert read_bytes("label-studio", written(*tasks), (0, 10)) == [
        Vote(line, file, who, score, watch, WHEN)
        for line, (file, votes) in enumerate(rows, start=1)
        for who, score, watch in votes
    ]


def number(value: float) -> dict[str, Any]:
    return {"from_name": "score", "to_name": "image", "type": "number", "value": {"number": value}}


def test_a_task_has_the_results_that_a_project_reads() -> None:
    vote = VoteRecord("ann", "1.jpg", 7, "yes", WHEN)
    row = TaskRecord("1.jpg", "/photos/1.jpg", "ab", (vote,), (TaskPrediction(3, 6.51, 0.9, True),))
    (found,) = json.loads(written(row))
    assert found["data"] == {"image": "/photos/1.jpg", "file": "1.jpg", "sha256": "ab"}
    watch = {"from_name": "watch", "to_name": "image", "type": "choices", "value": {"choices": ["yes"]}}
    assert found["annotations"][0]["result"] == [number(7), watch]
    assert "completed_by" not in found["annotations"][0]
    assert found["predictions"] == [{"model_version": "3", "score": 0.9, "result": [number(6.51), watch]}]


def test_all_scores_have_the_type_of_one_control() -> None:
    # Label Studio refuses a result whose type is not that of its control; 0 and 6.51 can be no rating.
    votes = tuple(VoteRecord("ann", "1.jpg", score, "", WHEN) for score in (0, 1, 7))
    predictions = tuple(TaskPrediction(1, mean, 0.9, True) for mean in (0.0, 6.51, 7.0))
    (found,) = json.loads(written(TaskRecord("1.jpg", "1.jpg", "", votes, predictions)))
    results = [one["result"][0] for one in found["annotations"] + found["predictions"]]
    assert results == [number(score) for score in (0, 1, 7, 0, 6.51, 7)]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("/data/upload/12/1a2b3c4d-my%20photo.jpg", "my photo.jpg"),
        ("/data/local-files/?d=folder/a.jpg", "a.jpg"),
        ("https://example.org/p/a.jpg?token=1", "a.jpg"),
        ("s3://bucket/x/a.jpg", "a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_the_name_of_the_photo_is_the_end_of_its_address(image: str, name: str) -> None:
    (row,) = read("label-studio", task(image, {"completed_by": 1, "result": [RATING]}))
    assert row.photo == name


@pytest.mark.parametrize(
    ("by", "name"),
    [(3, "3"), ("ann", "ann"), ({"id": 3, "email": "a@b.c"}, "a@b.c"), ({"id": 3, "email": ""}, "3")],
)
def test_the_annotator_is_who_completed_the_annotation(by: object, name: str) -> None:
    (row,) = read("label-studio", task("1.jpg", {"completed_by": by, "result": [RATING]}))
    assert row.annotator == name


def test_cancelled_annotations_are_left_out() -> None:
    cancelled = {"completed_by": 1, "was_cancelled": True, "result": []}
    rows = read("label-studio", task("1.jpg", cancelled, {"completed_by": 2, "result": [RATING]}))
    assert [row.annotator for row in rows] == ["2"]


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        ({"completed_by": 1, "result": []}, "An annotation has no ratings. A vote needs one."),
        ({"completed_by": 1, "result": [RATING, RATING]}, "An annotation has 2 ratings. A vote needs one."),
        ({"result": [RATING]}, "The name of the annotator is missing."),
        ({"completed_by": 1, "result": [{"type": ["rating"]}]}, "An annotation has no ratings. A vote needs one."),
        ({"completed_by": 1, "result": "x"}, "An annotation is not a JSON object with a list of results."),
        ({"completed_by": 1, "result": [{"type": "rating", "value": 7}]}, "The score is missing."),
    ],
)
def test_an_annotation_that_is_no_vote_is_explained(annotation: dict[str, Any], sentence: str) -> None:
    assert why("label-studio", task("1.jpg", annotation)) == sentence


def test_no_vote_of_a_wrong_task_is_read() -> None:
    wrong = {"completed_by": 2, "result": []}
    rows = read("label-studio", task("1.jpg", {"completed_by": 1, "result": [RATING]}, wrong))
    assert isinstance(rows[-1], Wrong)  # so that nothing of the file is stored
