"""Votes and histograms of a campaign, exported by the command and read again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.exchange.reading import Histogram
from annotation.exchange.registry import READERS
from annotation.models import AggregatedVotes, Annotation, Campaign, Image, VoteImport
from tests.opinions_and_predictions import vote


@pytest.fixture
def votes_given(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Annotation]:
    """Return three votes on two photos of a campaign with the scale 0 to 4."""
    campaign.scale_min, campaign.scale_max = 0, 4
    campaign.save()
    first, second = make_image(1, name="=1.jpg"), make_image(2, name="é, 2.jpg")
    alice, bob = people["alice"], people["bob"]
    return [vote(first, alice, 0), vote(first, bob, 4), vote(second, alice, 3)]


def exported(path: Path, *options: str) -> Path:
    call_command("export_votes", "watches", "--out", str(path), *options)
    return path


@pytest.mark.parametrize("name", ["votes-csv", "votes-jsonl"])
def test_exported_votes_are_read_again(votes_given: list[Annotation], tmp_path: Path, name: str) -> None:
    rows = list(READERS[name].read(exported(tmp_path / "votes", "--format", name), (0, 4)))
    assert [(row.annotator, row.photo, row.score, row.watch, row.given_at) for row in rows] == [  # type: ignore[union-attr]
        (row.annotator.username, row.image.name, row.score, row.watch, row.created_at) for row in votes_given
    ]


def test_the_header_of_exported_histograms_has_the_scores_of_the_campaign(
    votes_given: list[Annotation], tmp_path: Path
) -> None:
    path = exported(tmp_path / "histograms.csv", "--format", "histogram-csv", "--excel")
    assert path.read_text("utf-8-sig").splitlines()[0] == "file,0,1,2,3,4"
    assert list(READERS["histogram-csv"].read(path, (0, 4))) == [
        Histogram(2, "=1.jpg", (1, 0, 0, 0, 1)),
        Histogram(3, "é, 2.jpg", (0, 0, 0, 1, 0)),
    ]


def test_histograms_of_an_import_are_written_with_the_scale_of_their_file(
    votes_given: list[Annotation], campaign: Campaign, tmp_path: Path
) -> None:
    begun = VoteImport.objects.create(campaign=campaign, format="ava", source="AVA.txt", scale_min=1, scale_max=10)
    counts = [0, 0, 1, 2, 3, 4, 3, 2, 1, 0]
    AggregatedVotes.objects.create(vote_import=begun, name="95", counts=counts, votes=16, mos=5.5)
    number = str(begun.pk)
    path = exported(tmp_path / "AVA.txt", "--of-import", number, "--format", "ava")
    assert path.read_text() == "1 95 0 0 1 2 3 4 3 2 1 0 0 0 0\n"
    path = exported(tmp_path / "histograms.csv", "--of-import", number, "--format", "histogram-csv")
    assert path.read_text().splitlines()[0] == "file,1,2,3,4,5,6,7,8,9,10"


def test_a_campaign_with_another_scale_is_not_written_as_ava(votes_given: list[Annotation], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="needs scores from 1 to 10; these are from 0 to 4"):
        exported(tmp_path / "AVA.txt", "--format", "ava")
    assert not (tmp_path / "AVA.txt").exists()
