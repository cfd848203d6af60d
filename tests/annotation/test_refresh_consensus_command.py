"""`manage.py refresh_consensus`: computes the consensus again and says for how many photos."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Campaign, PhotoConsensus
from tests.opinions_and_predictions import images_make, votes


def refresh(*slugs: str) -> str:
    out = io.StringIO()
    call_command("refresh_consensus", *slugs, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_deleted_rows_come_back(campaign: Campaign, people: dict[str, Any]) -> None:
    votes(images_make(campaign, 5), [people["alice"], people["bob"]], 6, "no")
    assert refresh("watches") == "watches: 5 photos, 0 with another number of votes needed.\n"
    PhotoConsensus.objects.all().delete()
    assert "watches: 5 photos" in refresh()
    assert PhotoConsensus.objects.count() == 5


def test_a_campaign_without_votes_has_no_photos(campaign: Campaign) -> None:
    assert "watches: 0 photos" in refresh("watches")


def test_an_unknown_campaign_is_an_error(campaign: Campaign) -> None:
    with pytest.raises(CommandError, match="no campaign 'other'"):
        refresh("other")
