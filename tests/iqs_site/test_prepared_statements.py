"""Which statements the database prepares, and whether PostgreSQL plans them for their values."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import resolve

from annotation.models import Campaign, Image
from tests.annotation.test_api import BASE, answer_to, post
from tests.opinions_and_predictions import images_make

_OFTEN = 12  # a statement is prepared after 5, and 5 more are planned for their values in any case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_is_prepared(transactional_db: None) -> None:
    """Open a new connection: another test may have prepared the same statements."""
    connection.close()


def prepared(part: str = "annotation_") -> list[tuple[str, int]]:
    """Return the prepared statements with this text, and how often each ran with a plan for all values."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement, generic_plans FROM pg_prepared_statements WHERE position(%s IN statement) > 0", [part]
        )
        return list(cursor.fetchall())


def rate(client: Client, campaign: Campaign, times: int) -> None:
    """Claim and rate photos as the annotate page does."""
    for _ in range(times):
        (lease,) = post(client, "leases", {"count": 1}).json()["leases"]
        image = Image.objects.get(pk=lease["image_id"])
        assert post(client, "annotations", answer_to(image)).status_code == 200


def test_claims_and_saves_keep_their_plans(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 2 * _OFTEN)
    rate(client_of("alice"), campaign, _OFTEN)
    for part in ("SKIP LOCKED", "WITH counted AS", "FOR KEY SHARE OF campaign", "annotation_membership"):
        assert any(generic > 0 for _, generic in prepared(part)), part


def test_statements_of_pages_are_never_prepared(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 3 * _OFTEN)
    client = client_of("alice")
    for _ in range(_OFTEN):
        assert client.get(f"/campaigns/{campaign.slug}/").status_code == 200
    assert prepared() == []
    rate(client, campaign, _OFTEN)
    before = prepared()
    assert before
    for _ in range(_OFTEN):
        assert client.get(f"/campaigns/{campaign.slug}/").status_code == 200
    assert prepared() == before


def test_a_failed_request_prepares_no_more_than_others(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    assert client_of("alice").post(f"{BASE}/leases", "{", content_type="application/json").status_code == 422
    assert connection.connection.prepare_threshold is None


@pytest.mark.parametrize("name", ["leases", "annotations"])
def test_the_frequent_addresses_exist(name: str) -> None:
    from iqs_site.prepared_statements import _FREQUENT

    assert resolve(f"{BASE}/{name}")
    assert _FREQUENT.fullmatch(f"{BASE}/{name}")
    assert not _FREQUENT.fullmatch(f"{BASE}/progress")
