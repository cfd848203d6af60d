"""Hidden photos of the calibration page: in a large campaign only those that the page names are looked for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.measures.figures_text import figures_text
from annotation.models import Campaign, PhotoConsensus, User
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes
from training.evaluation.calibration.filters import Filters
from training.services.stored_calibrations import calibration_request
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
    monkeypatch.setattr(module, "AT_ONCE", 2 if is_large else 3)  # a few photos are then a large campaign
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
    monkeypatch.setattr(module, "AT_ONCE", 1)  # two photos are then a large campaign
    assert hidden_photos(campaign, rows, figures=None)


def test_every_photo_of_real_figures_is_looked_for(
    campaign: Campaign, make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = images_make(campaign, 30, holdout=True)
    for number in range(3):
        person = make_user(f"person-{number}")
        for place, image in enumerate(images):
            vote(image, person, 1 + (place + number) % 10, "yes" if place % 3 else "no")
    version = version_make(campaign)
    predictions_make(version, images, [1.0 + place % 7 for place in range(30)], watch=0.99)
    figures = calibration_request(campaign=campaign, version=version, filters=Filters()).value
    asked: list[set[int]] = []
    monkeypatch.setattr(module, "AT_ONCE", 1)  # two photos are then a large campaign
    # What is asked for is the question here, and the query itself is tested above.
    monkeypatch.setattr(module, "HiddenPhotos", lambda rows, named: asked.append(named))
    hidden_photos(campaign, PhotoConsensus.objects.none().values("image_id"), figures=figures)
    text = figures_text(figures)
    assert asked == [{int(pk) for pk in re.findall(r'"image_id": (\d+)', text)}]
    assert len(asked[0]) == 30
    assert figures.quality.sample
    assert figures.quality.apart
    assert any(cell.photos for cell in figures.watch.cells)
    assert figures.disagreement.watches
