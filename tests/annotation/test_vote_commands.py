"""The commands that create a campaign, and import and export votes."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Annotation, Campaign, Image, Membership, Role, VoteImport


def run(command: str, *arguments: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_campaign_is_created_with_its_scale_and_admin(make_user: Callable[..., Any]) -> None:
    make_user("Ada")
    out, _ = run("create_campaign", "oasis", "--admin", "ada", "--scale", 1, 7, "--votes", 12, "--mode", "blind")
    campaign = Campaign.objects.get(slug="oasis")
    assert out == "Created oasis, with Ada as its admin.\n"
    assert (campaign.scale_min, campaign.scale_max, campaign.votes_per_image, campaign.mode) == (1, 7, 12, "blind")
    assert Membership.objects.get(campaign=campaign).role == Role.ADMIN
    assert campaign.reject_at < campaign.pending_at < 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["watches", "--admin", "ada"], "slug: "),
        (["new", "--admin", "nobody"], "There is no active user 'nobody'."),
        (["new", "--admin", "ada", "--scale", 7, 1], "scale"),
        (["No spaces", "--admin", "ada"], "slug: "),
    ],
)
def test_a_campaign_that_cannot_be_created_is_explained(
    people: dict[str, Any], arguments: list[object], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("create_campaign", *arguments)
    assert Campaign.objects.count() == 1


def test_votes_are_imported_and_exported_again(
    campaign: Campaign, make_image: Callable[..., Image], tmp_path: Path
) -> None:
    make_image(1)
    (tmp_path / "votes.csv").write_text("annotator,file,score\na,photo-1.jpg,7\nb,photo-1.jpg,8\nc,other.jpg,8\n")
    out, _ = run("import_votes", "watches", "votes-csv", tmp_path / "votes.csv", "--leave-out-unknown")
    assert "Imported 2 votes on 1 photo by 2 annotators.\n" in out
    assert "Left out 1 vote on photos that the campaign does not have.\n" in out
    assert VoteImport.objects.get().created_by is None
    out, _ = run("export_votes", "watches", "--format", "histogram-csv")
    assert out.splitlines()[1] == "photo-1.jpg,0,0,0,0,0,0,1,1,0,0"


def test_wrong_lines_are_printed_and_nothing_is_imported(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text("annotator,file,score\na,photo-1.jpg,11\n")
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match=r"1 line is wrong, so nothing was imported\."):
        call_command("import_votes", "watches", "votes-csv", str(tmp_path / "votes.csv"), stdout=out, stderr=err)
    assert "  line 2: The score is 11" in err.getvalue()
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["watches", "votes-csv", "missing.csv"], "The file cannot be read: No such file or directory"),
        (["watches", "ava", "missing.csv", "--scale", 1, 7], "has the scale 1 to 10"),
        (["clocks", "votes-csv", "missing.csv"], "no campaign 'clocks'"),
    ],
)
def test_an_import_that_cannot_begin_is_explained(campaign: Campaign, arguments: list[object], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("import_votes", *arguments)


def test_histograms_of_an_import_are_exported_as_they_came(campaign: Campaign, tmp_path: Path) -> None:
    text = "file,1,2,3,4,5\r\na.jpg,0,0,2,1,1\r\nb.jpg,4,0,0,0,0\r\n"
    (tmp_path / "h.csv").write_bytes(text.encode())
    run("import_votes", "watches", "histogram-csv", tmp_path / "h.csv", "--scale", 1, 5)
    number = VoteImport.objects.get().pk
    run("export_votes", "watches", "--format", "histogram-csv", "--of-import", number, "--out", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == text.encode()
    with pytest.raises(CommandError, match=r"needs scores from 1 to 10; these are from 1 to 5\."):
        run("export_votes", "watches", "--format", "ava", "--of-import", number)
    with pytest.raises(CommandError, match="no import of votes with the number 99999"):
        run("export_votes", "watches", "--format", "ava", "--of-import", 99999)
    with pytest.raises(CommandError, match="has single votes"):
        run("export_votes", "watches", "--format", "votes-csv", "--of-import", number)
