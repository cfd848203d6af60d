"""What a campaign exports, another campaign imports: the same rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import AggregatedVotes, Annotation, Campaign, VoteImport
from annotation.services.photo_folders import exported_name
from tests.opinions_and_predictions import vote

Rows = list[tuple[Any, ...]]


@pytest.fixture
def voted(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any]) -> Campaign:
    """Return a campaign with four votes on two photos, one of them corrected, and one after the reveal."""
    first, second = make_image(1, name="=1.jpg"), make_image(2, name="é, 2.jpg")
    slip = vote(first, people["alice"], 1)
    vote(first, people["alice"], 3, "yes", supersedes=slip)
    vote(first, people["bob"], 10, "yes")
    vote(second, people["bob"], 4)
    vote(second, people["alice"], 9, saw_prediction=True)
    call_command("refresh_consensus", "watches")
    return campaign


@pytest.fixture
def other(voted: Campaign) -> Campaign:
    """Return a campaign with the same photos and no votes."""
    made = Campaign.objects.create(name="Other", slug="other", scale_min=voted.scale_min, scale_max=voted.scale_max)
    for image in voted.images.order_by("pk"):
        image.pk, image.campaign = None, made
        image._state.adding = True
        image.save()
    return made


def votes_in(campaign: Campaign) -> Rows:
    """Return the independent votes, with the names that the annotators had at first."""
    rows = Annotation.objects.filter(campaign=campaign).independent_votes().order_by("pk")
    return sorted(
        (
            one.annotator.username.removeprefix("other."),
            one.image.name,
            one.score,
            one.watch,
            one.given_at or one.created_at,
        )
        for one in rows.select_related("annotator", "image")
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(("command", "table"), [("export_votes", "votes"), ("export_annotations", "annotations")])
def test_single_votes_are_the_same_in_the_other_campaign(
    voted: Campaign, other: Campaign, tmp_path: Path, command: str, table: str, kind: str
) -> None:
    path = tmp_path / f"a.{kind}"
    call_command(command, "watches", "--format", f"{table}-{kind}", "--out", str(path))
    call_command("import_votes", "other", f"{table}-{kind}", str(path))
    assert votes_in(other) == votes_in(voted)
    assert len(votes_in(other)) == 3


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_consensus_becomes_means(voted: Campaign, other: Campaign, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    call_command("export_consensus", "watches", "--format", f"consensus-{kind}", "--out", str(path))
    call_command("import_votes", "other", f"consensus-{kind}", str(path))
    found = AggregatedVotes.objects.order_by("name").values_list("name", "mos", "votes")
    assert [(name, mos, votes) for name, mos, votes in found] == [("=1.jpg", 6.5, 2), ("é, 2.jpg", 4.0, 1)]
    assert not AggregatedVotes.objects.filter(image=None).exists()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_histograms_are_the_same(voted: Campaign, other: Campaign, tmp_path: Path, kind: str) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    call_command("export_votes", "watches", "--format", f"histogram-{kind}", "--out", str(first))
    call_command("import_votes", "other", f"histogram-{kind}", str(first))
    number = VoteImport.objects.get().pk
    call_command(
        "export_votes", "other", "--format", f"histogram-{kind}", "--of-import", str(number), "--out", str(second)
    )
    assert second.read_bytes() == first.read_bytes()
    assert AggregatedVotes.objects.filter(counts__isnull=False).count() == 2


def test_a_wrong_row_of_parquet_stops_the_whole_file(
    voted: Campaign, other: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.parquet"
    call_command("export_votes", "watches", "--format", "votes-parquet", "--out", str(path))
    Campaign.objects.filter(pk=other.pk).update(scale_max=9)
    with pytest.raises(CommandError, match="1 line is wrong, so nothing was imported"):
        call_command("import_votes", "other", "votes-parquet", str(path))
    assert "line 2: The score is 10, but the scale is from 1 to 9." in capsys.readouterr().err
    assert votes_in(other) == []


def classes_folder(folder: Path, names: dict[str, str]) -> Path:
    for name, of_class in names.items():
        (folder / of_class).mkdir(exist_ok=True, parents=True)
        (folder / of_class / name).touch()
    return folder


def test_folders_by_class_become_means_by_the_limits_of_the_campaign(
    voted: Campaign, other: Campaign, tmp_path: Path
) -> None:
    Campaign.objects.filter(pk=other.pk).update(reject_at=3, pending_at=7)
    folder = classes_folder(tmp_path / "a", {"=1.jpg": "accepted", "é, 2.jpg": "rejected", "unknown.jpg": "pending"})
    call_command("import_votes", "other", "class-folders", str(folder))
    found = AggregatedVotes.objects.order_by("name").values_list("name", "mos", "votes", "image__name")
    assert list(found) == [
        ("=1.jpg", 8.5, None, "=1.jpg"),
        ("unknown.jpg", 5.0, None, None),
        ("é, 2.jpg", 2.0, None, "é, 2.jpg"),
    ]
    with pytest.raises(CommandError, match="has been imported into this campaign already"):
        call_command("import_votes", "other", "class-folders", str(folder))


def test_an_exported_photo_is_found_when_its_class_was_changed_by_hand(voted: Campaign, tmp_path: Path) -> None:
    names = {exported_name(image): "pending" for image in voted.images.all()}
    call_command("import_votes", "watches", "class-folders", str(classes_folder(tmp_path / "a", names)))
    assert set(AggregatedVotes.objects.values_list("image__name", flat=True)) == {"=1.jpg", "é, 2.jpg"}


def test_a_photo_in_two_classes_stops_the_import(
    voted: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = classes_folder(classes_folder(tmp_path / "a", {"1.jpg": "pending"}), {"1.jpg": "rejected"})
    with pytest.raises(CommandError, match="nothing was imported"):
        call_command("import_votes", "watches", "class-folders", str(folder))
    assert "What people said about 1.jpg is in line 1 already" in capsys.readouterr().err
    assert not AggregatedVotes.objects.exists()
