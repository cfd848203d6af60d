"""Evaluations count near-duplicates as one: their intervals draw groups of photos."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign, Image
from training.evaluation.comparison import ScoreFigures
from training.evaluation.measured import measured
from training.selectors.comparison import compare
from training.services.evaluations import evaluation_make


@pytest.fixture
def grouped(make_rated_images: Callable[..., Any]) -> list[Any]:
    """Return 30 holdout photos in ten groups of three."""
    images = make_rated_images(holdout=30, votes=3)
    groups = [uuid.uuid4() for _ in range(10)]
    for place, image in enumerate(images):
        Image.objects.filter(pk=image.pk).update(group=groups[place // 3])
    return list(images)


def test_figures_and_differences_have_the_number_of_groups(
    campaign: Campaign, grouped: list[Any], make_version: Callable[..., Any]
) -> None:
    champion = make_version(1, champion=True, predict={image: (5.0 + image.pk % 3, 0.5) for image in grouped})
    challenger = make_version(2, predict={image: (image.quality, 0.9 if image.is_watch else 0.1) for image in grouped})
    evaluation = evaluation_make(version=challenger, against=champion)
    for one in (*measured(evaluation.metrics), *measured(evaluation.differences)):
        assert (one.n, one.groups) == (30, 10), one.metric.name
        assert one.count_text == "30 photos in 10 groups"
    assert {one.error is not None for one in measured(evaluation.differences)} == {True}
    for image in grouped:
        Image.objects.filter(pk=image.pk).update(group=uuid.uuid4())
    alone = evaluation_make(version=challenger, against=champion)
    assert alone.metrics["quality_rps"]["groups"] == 30
    assert alone.metrics["quality_rps"]["low"] != evaluation.metrics["quality_rps"]["low"]


def test_the_calibration_page_draws_the_same_groups(
    campaign: Campaign, grouped: list[Any], make_version: Callable[..., Any], client_of: Callable[[str], Any]
) -> None:
    version = make_version(1, champion=True, predict={image: (image.quality, 0.5) for image in grouped})
    stored = evaluation_make(version=version).metrics["quality_srcc"]
    figures = ScoreFigures.of(compare(campaign, version), seed=campaign.seed)
    assert figures.srcc.as_json().items() <= stored.items()
    assert (figures.bias.n, figures.bias.groups) == (30, 10)
    html = client_of("rita").get("/campaigns/watches/calibration/").content.decode()
    assert "n = 30 photos in 10 groups" in " ".join(html.split())
