"""Photos that several annotators skip leave the queue until an admin has checked them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from annotation.models import Campaign, Image
from annotation.services.annotations import annotation_record
from annotation.services.queue import counters_rebuild, leases_claim
from annotation.services.skips import DAMAGED
from annotation.views.annotate import SKIP_REASONS

OTHER = "I cannot judge this photo"


@pytest.fixture
def photo(make_image: Callable[..., Image]) -> Image:
    return make_image(1)


@pytest.fixture
def skip(campaign: Campaign, people: Any, photo: Image) -> Callable[..., str]:
    """Return a function that records a user's skip (or answer) and returns the photo's problem."""

    def record(name: str, reason: str = "", **fields: Any) -> str:
        if not reason:
            fields = {"watch": "no", "score": 5, **fields}
        annotation_record(
            campaign=campaign,
            annotator=people[name],
            image_id=photo.pk,
            client_id=uuid4(),
            skip_reason=reason,
            **fields,
        )
        assert counters_rebuild(campaign=campaign) == 0
        photo.refresh_from_db()
        return photo.problem

    return record


def test_the_page_offers_the_reason_for_damaged_photos() -> None:
    assert DAMAGED in SKIP_REASONS


def test_two_reports_of_damage_remove_a_photo_from_the_queue(skip: Any, campaign: Campaign, people: Any) -> None:
    assert skip("alice", DAMAGED) == ""
    assert skip("bob", DAMAGED) == f"2 annotators report: “{DAMAGED}”."
    assert leases_claim(campaign=campaign, annotator=people["rita"], count=1) == []


def test_three_skips_for_any_reason_remove_a_photo_from_the_queue(skip: Any) -> None:
    assert skip("alice", OTHER) == ""
    assert skip("bob", DAMAGED) == ""
    assert skip("rita", OTHER) == f"3 annotators skipped it: “{OTHER}” (2), “{DAMAGED}”."


def test_each_annotator_counts_once(skip: Any) -> None:
    for _ in range(4):
        assert skip("alice", DAMAGED) == ""
    assert skip("bob", OTHER) == ""


def test_a_skip_that_was_corrected_does_not_count(skip: Any) -> None:
    skip("alice", DAMAGED)
    skip("alice")
    assert skip("bob", DAMAGED) == ""


def test_only_the_latest_reason_of_an_annotator_counts(skip: Any) -> None:
    skip("alice", DAMAGED)
    skip("bob", OTHER)
    assert skip("bob", DAMAGED).startswith("2 annotators report")


def test_old_skips_do_not_remove_a_photo_that_an_admin_has_put_back(skip: Any, photo: Image) -> None:
    for name in ("alice", "bob", "rita"):
        skip(name, OTHER)
    Image.objects.filter(pk=photo.pk).update(problem="")
    assert skip("ada", OTHER) == ""


def test_an_existing_problem_is_kept(skip: Any, photo: Image) -> None:
    Image.objects.filter(pk=photo.pk).update(problem="It does not open.")
    for name in ("alice", "bob", "rita"):
        assert skip(name, DAMAGED) == "It does not open."
