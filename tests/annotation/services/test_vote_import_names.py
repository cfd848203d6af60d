"""The name of an imported file can be the name of a person. It goes with the person, and with the campaign's data."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.exchange.registry import READERS
from annotation.models import AggregatedVotes, AuditRecord, Campaign, ImportedAnnotator, VoteImport
from annotation.services.anonymisation import user_anonymise
from annotation.services.retention import retention_apply
from annotation.services.vote_imports import vote_import_begin, vote_import_run
from tests.opinions_and_predictions import images_make


@pytest.fixture
def imported(campaign: Campaign, tmp_path: Path) -> Callable[[str, str], VoteImport]:
    images_make(campaign, 3)

    def run(name: str, lines: str) -> VoteImport:
        path = tmp_path / "votes.csv"
        path.write_text(f"annotator,file,score\n{lines}")
        begun = vote_import_begin(campaign=campaign, reader=READERS["votes-csv"], source=name)
        return vote_import_run(vote_import=begun, path=path)

    return run


def forget(name: str, by: Any) -> None:
    user_anonymise(user=ImportedAnnotator.objects.get(name=name).user, by=by)


def test_a_file_of_one_person_loses_its_name(imported: Callable[..., VoteImport], people: dict[str, Any]) -> None:
    alone = imported("Berger, A.csv", "anna,photo-1.jpg,7\n")
    several = imported("panel.csv", "anna,photo-2.jpg,7\nben,photo-2.jpg,3\n")
    forget("anna", people["ada"])
    alone.refresh_from_db()
    several.refresh_from_db()
    assert (alone.source, several.source) == (f"file {alone.pk}.csv", "panel.csv")
    assert alone.rows == 1


def test_a_file_that_is_named_after_the_person_loses_its_name(
    imported: Callable[..., VoteImport], people: dict[str, Any]
) -> None:
    named = imported("votes of ANNA and ben.csv", "anna,photo-1.jpg,7\nben,photo-1.jpg,3\n")
    other = imported("hannah.csv", "carl,photo-2.jpg,7\ndora,photo-2.jpg,3\n")
    failed = imported("anna (2).csv", "anna,photo-1.jpg,11\n")
    assert failed.state == "failed"
    forget("anna", people["ada"])
    sources = dict(VoteImport.objects.values_list("pk", "source"))
    assert sources == {
        named.pk: f"file {named.pk}.csv",
        other.pk: "hannah.csv",
        failed.pk: f"file {failed.pk}.csv",
    }


def test_wrong_lines_do_not_name_an_anonymised_person(
    imported: Callable[..., VoteImport], people: dict[str, Any]
) -> None:
    imported("first.csv", "anna,photo-1.jpg,7\nben,photo-1.jpg,3\n")
    wrong = imported("second.csv", "ben,photo-2.jpg,11\n")
    why = wrong.problems[0][1]
    VoteImport.objects.filter(pk=wrong.pk).update(problems=[[2, why], [3, "The vote of Anna is given twice."]])
    forget("anna", people["ada"])
    wrong.refresh_from_db()
    assert wrong.problems == [[2, why], [3, "This line was about a person who is anonymised."]]


def test_the_audit_and_later_problems_have_no_file_name(imported: Callable[..., VoteImport]) -> None:
    first = imported("Anna Berger.csv", "anna,photo-1.jpg,7\n")
    assert AuditRecord.objects.get(kind="vote_import").what == f"votes, import {first.pk}"
    again = imported("more.csv", "anna,photo-1.jpg,8\n")
    assert again.problems == [[2, f"This annotator's vote on photo-1.jpg came already with import {first.pk}."]]


def test_the_end_of_the_retention_time_removes_the_names(
    imported: Callable[..., VoteImport], campaign: Campaign
) -> None:
    found = imported("panel of Anna.csv", "anna,photo-1.jpg,7\nben,photo-1.jpg,3\n")
    Campaign.objects.update(state="closed", retention_days=1, closed_at=timezone.now() - timedelta(days=2))
    campaign.images.update(original_deleted_at=timezone.now())
    retention_apply()
    found.refresh_from_db()
    assert (found.source, found.problems) == (f"file {found.pk}.csv", [])


def test_only_admins_see_file_names_on_the_page_of_a_photo(
    campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    image = images_make(campaign, 1)[0]
    found = VoteImport.objects.create(
        campaign=campaign, format="mean-csv", source="Anna Berger.csv", scale_min=1, scale_max=10, state="done"
    )
    AggregatedVotes.objects.create(vote_import=found, image=image, name=image.name, mos=5.0)
    page = reverse("photo", args=["watches", image.pk])
    reviewer, admin = (client_of(name).get(page).content.decode() for name in ("rita", "ada"))
    assert "Anna Berger.csv" in admin
    assert "Anna Berger" not in reviewer
    assert f"from import {found.pk}" in reviewer
