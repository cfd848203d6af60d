"""Hidden photos of the calibration page: in a large campaign only those that the page names are looked for."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, PhotoConsensus
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import images_make, votes
from training.views.calibration import hidden_photos as module
from training.views.calibration.hidden_photos import hidden_photos


@dataclass(frozen=True)
class Named:
    image_id: int


@dataclass(frozen=True)
class Tree:
    photos: tuple[Named, ...]
    number: float = 1.0


@pytest.mark.parametrize("is_large", [False, True])
def test_named_and_other_photos(
    campaign: Campaign, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    first, second, third = images_make(campaign, 3)
    votes([first, second, third], [people["alice"], people["bob"]], 5, "no")
    consensus_refresh(campaign=campaign, is_full=True)
    rows = PhotoConsensus.objects.exclude(image=third.pk).values("image_id")
    monkeypatch.setattr(module, "AT_ONCE", 2 if is_large else 3)
    with CaptureQueriesContext(connection) as captured:
        hidden = hidden_photos(campaign, rows, figures=Tree((Named(first.pk),)), named=[third.pk])
    assert len(captured) == 2
    assert hidden
    assert hidden.is_part == is_large
    assert len(hidden) == (1 if is_large else 2)
    assert (first.pk in hidden, second.pk in hidden, third.pk in hidden) == (True, True, False)


def test_a_large_campaign_always_counts_as_one_with_hidden_photos(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    images_make(campaign, 2)
    rows = PhotoConsensus.objects.none().values("image_id")
    assert not hidden_photos(campaign, rows, figures=None)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    assert hidden_photos(campaign, rows, figures=None)
