"""Which statements PostgreSQL plans for their values, and which keep one plan for all values."""

import random
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from annotation.models import Campaign
from annotation.services.annotations import annotation_record
from annotation.services.queue import leases_claim
from tests.opinions_and_predictions import images_make

_OFTEN = 12  # a statement is prepared after 5, and 5 more are planned for their values in any case


def plans(part: str) -> list[tuple[int, int]]:
    """Return how often each prepared statement with this text ran with a kept plan, and with one for its values."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE position(%s IN statement) > 0", [part]
        )
        return list(cursor.fetchall())


@pytest.fixture(autouse=True)
def _nothing_is_prepared(db: None) -> None:
    """Open a new connection: another test may have prepared the same statements."""
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_statements_of_pages_are_planned_for_their_values(campaign: Campaign, people: dict[str, Any]) -> None:
    images_make(campaign, 3)
    client = Client()
    client.force_login(people["ada"])
    for _ in range(_OFTEN):
        for page in ("/", f"/campaigns/{campaign.slug}/photos/"):
            assert client.get(page).status_code == 200
    found = plans("annotation_image")
    assert len(found) > 3
    assert max(custom for _, custom in found) >= 6
    assert {generic for generic, _ in found} == {0}


@pytest.mark.django_db(transaction=True)
def test_claims_and_saves_keep_their_plans(campaign: Campaign, people: dict[str, Any]) -> None:
    images_make(campaign, 2 * _OFTEN)
    for number in range(_OFTEN):
        (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1, rng=random.Random(number))
        annotation_record(
            campaign=campaign,
            annotator=people["alice"],
            image_id=lease.image_id,
            client_id=uuid4(),
            lease_id=lease.pk,
            watch="yes",
            score=5,
        )
    for part in ("FOR NO KEY UPDATE OF image SKIP LOCKED", "WITH counted AS", "FOR KEY SHARE OF campaign"):
        assert any(generic > 0 for generic, _ in plans(part)), part
    with connection.cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_custom_plan",)
