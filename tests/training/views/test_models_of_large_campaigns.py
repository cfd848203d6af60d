"""No page of a large campaign counts its votes or photos: it shows what a worker has counted, with the time."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation import tasks
from annotation.models import Campaign
from annotation.services import counts
from annotation.services.kept_counts import CLAIMS
from iqs_site import home, overview

#: Statements that count rows of the tables with many rows.
_COUNTS = re.compile(r'COUNT\(.*FROM "annotation_(annotation|image|photoconsensus)"')
#: Those that read few of them: of one person, of photos with a comment, the newest of the site, or as many as they say.
_FEW = re.compile(
    r'"annotator_id" = \d|FROM "annotation_photocomment"|"annotation_annotation"."id" > \d|LIMIT \d{3}|OFFSET'
)
PAGES = ("models/", "", "export/", "disputed/")


@pytest.fixture
def large(campaign: Campaign, make_image: Any, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """Return a campaign that counts as a large one. One of 50,000 photos would take minutes."""
    make_image(1)
    for module in (counts, overview, home):
        monkeypatch.setattr(module, "LARGE", 0)
    counts.progress_ask()
    _work()
    return campaign


def _work() -> None:
    for pk in CLAIMS.claimable_ids():
        assert tasks.stored_count_make(pk)


def _counting(client: Client, address: str) -> tuple[str, int, list[str]]:
    """Return the page, its number of queries, and those of them that count a whole table."""
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address)
    assert page.status_code == 200
    statements = [query["sql"] for query in queries]
    return (
        page.content.decode(),
        len(statements),
        [sql for sql in statements if _COUNTS.search(sql) and not _FEW.search(sql)],
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_never_counts_a_whole_table(client_of: Callable[[str], Client], large: Campaign, page: str) -> None:
    client, address = client_of("ada"), f"/campaigns/{large.slug}/{page}"
    assert _counting(client, address)[2] == [], "the first request, before a worker has counted"
    _work()
    _, queries, counting = _counting(client, address)
    assert counting == []
    assert _counting(client, address)[1] == queries


def test_the_same_statements_are_found_in_a_small_campaign(
    client_of: Callable[[str], Client], campaign: Campaign
) -> None:
    _, _, counting = _counting(client_of("ada"), f"/campaigns/{campaign.slug}/models/")
    assert counting


def test_the_models_page_says_that_a_worker_counts_and_then_when_it_has_counted(
    client_of: Callable[[str], Client], large: Campaign
) -> None:
    client, address = client_of("ada"), f"/campaigns/{large.slug}/models/"
    first = _counting(client, address)[0]
    assert "A worker is counting the answers" in first
    assert "A run would learn from" not in first
    _work()
    later = _counting(client, address)[0]
    assert "A run would learn from" in later
    assert "a worker counts the answers" in later
    assert "A worker is counting the answers" not in later
