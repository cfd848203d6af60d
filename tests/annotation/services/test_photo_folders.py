"""Photos in folders, for programs that learn from them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import AggregatedVotes, Campaign, Image
from annotation.services.consensus import consensus_refresh
from annotation.services.photo_folders import photos_export
from tests.annotation.photos.metadata.marked_files import MARKER, marked_files
from tests.conftest import photo_path
from tests.opinions_and_predictions import vote


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Image]:
    """Three photos with votes, the last of them in the holdout, and one without."""
    images = [
        make_image(1, name="a b/é.jpg"),
        make_image(2, name="../x.jpg"),
        make_image(3, split="holdout"),
        make_image(4),
    ]
    for image, score, watch in zip(images, (2, 9, 8), ("no", "yes", "yes"), strict=False):
        vote(image, people["alice"], score, watch)
        vote(image, people["bob"], score, watch)
    consensus_refresh(campaign=campaign)
    return images


def export(*arguments: object) -> str:
    out = io.StringIO()
    call_command("export_photos", "watches", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_image_folder_has_the_photos_and_what_people_say(rated: list[Image], tmp_path: Path) -> None:
    assert export(tmp_path / "out") == "Wrote 3 photos.\nLeft out 1 photo without votes.\n"
    rows = rows_of(tmp_path / "out" / "train" / "metadata.jsonl")
    assert [row["file"] for row in rows] == ["a b/é.jpg", "../x.jpg"]
    first = rows[0]
    assert (first["mos"], first["votes"], first["watch"], first["quality_class"]) == (2, 2, "no-watch", "rejected")
    assert first["histogram"] == [0, 2, 0, 0, 0, 0, 0, 0, 0, 0]
    for row, image in zip(rows, rated[:2], strict=True):
        path = tmp_path / "out" / "train" / row["file_name"]
        assert path.parent == tmp_path / "out" / "train"
        assert path.read_bytes() == photo_path(image).read_bytes()
    assert [row["file"] for row in rows_of(tmp_path / "out" / "test" / "metadata.jsonl")] == ["photo-3.jpg"]


def test_the_table_of_an_image_folder_can_be_imported_again(rated: list[Image], tmp_path: Path) -> None:
    export(tmp_path / "out")
    table = tmp_path / "out" / "train" / "metadata.jsonl"
    call_command("import_votes", "watches", "image-folder", str(table), stdout=io.StringIO())
    found = AggregatedVotes.objects.order_by("pk").values_list("image", "mos", "sos", "votes")
    assert list(found) == [(rated[0].pk, 2, 0, 2), (rated[1].pk, 9, 0, 2)]


@pytest.mark.parametrize("is_plain", [True, False])
def test_originals_lose_their_metadata_if_the_campaign_says_so(
    rated: list[Image], tmp_path: Path, is_plain: bool
) -> None:
    photo_path(rated[0]).write_bytes(marked_files()["exif.jpg"])
    Campaign.objects.update(remove_metadata=is_plain)
    export(tmp_path / "out", "--layout", "classes")
    (path,) = (tmp_path / "out" / "train" / "rejected").iterdir()
    assert (MARKER in path.read_bytes()) is not is_plain


def types_of(rows: list[dict[str, Any]]) -> dict[str, set[type]]:
    """Return the types of the values of each column, as programs find them that are not told."""
    return {column: {type(row[column]) for row in rows} - {type(None)} for column in rows[0]}


@pytest.mark.parametrize("second_voter", [True, False])
def test_both_splits_have_columns_of_the_same_types(
    rated: list[Image], people: dict[str, Any], tmp_path: Path, second_voter: bool
) -> None:
    # The only photo of the holdout has one vote or two, and no label that people agree on.
    rated[2].annotations.all().delete()
    vote(rated[2], people["alice"], 8, "yes" if second_voter else "unsure")
    if second_voter:
        vote(rated[2], people["bob"], 8, "no")
    consensus_refresh(campaign=rated[2].campaign)
    export(tmp_path / "out")
    train, test = (types_of(rows_of(tmp_path / "out" / split / "metadata.jsonl")) for split in ("train", "test"))
    assert train == test
    assert all(train.values())
    assert ("sos" in train) is second_voter


def test_the_progress_reaches_the_end_although_photos_are_left_out(rated: list[Image], tmp_path: Path) -> None:
    photo_path(rated[1]).unlink()
    seen: list[tuple[int, int]] = []
    photos_export(
        campaign=rated[0].campaign,
        folder=tmp_path / "out",
        layout="classes",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("arguments", "folders"),
    [
        (["--labels", "quality"], ["test/accepted", "train/accepted", "train/rejected"]),
        (["--labels", "quality", "--limits", 1, 9.5], ["test/pending", "train/pending", "train/pending"]),
        (["--labels", "watch"], ["test/watch", "train/no-watch", "train/watch"]),
    ],
)
def test_classes_have_a_folder_each(
    rated: list[Image], tmp_path: Path, arguments: list[object], folders: list[str]
) -> None:
    out = export(tmp_path / "out", "--layout", "classes", *arguments)
    assert out == "Wrote 3 photos.\nLeft out 1 photo without a class.\n"
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(str(path.parent.relative_to(tmp_path / "out")) for path in files) == folders


def test_a_photo_without_its_file_is_named_and_the_others_are_written(rated: list[Image], tmp_path: Path) -> None:
    photo_path(rated[1]).unlink()
    with pytest.raises(CommandError, match=r"1 photo could not be written\."):
        export(tmp_path / "out")
    assert [row["file"] for row in rows_of(tmp_path / "out" / "train" / "metadata.jsonl")] == ["a b/é.jpg"]
    assert len(list((tmp_path / "out" / "train").glob("*.jpg"))) == 1


@pytest.mark.parametrize("limits", [("nan", "nan"), ("6", "5"), ("5", "nan")])
def test_limits_that_make_no_classes_are_refused(rated: list[Image], tmp_path: Path, limits: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="The limits must be two numbers"):
        export(tmp_path / "out", "--layout", "classes", "--limits", *limits)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_files_is_left_alone(rated: list[Image], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="is not an empty folder"):
        export(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.txt"]
