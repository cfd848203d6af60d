"""The section of the calibration page about the whole campaign."""

import html
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotation.models import Assignment, Campaign, Image, User
from annotation.services.queue import counters_rebuild
from inference.models import ModelVersion, Prediction
from tests.opinions_and_predictions import images_make, predictions_make, version_make, votes
from training.evaluation.pool_estimates import PoolFacts
from training.selectors.pool_facts import pool_facts
from training.selectors.snapshots import holdout_opinions

PAGE = "/campaigns/watches/calibration/"
AUDITED, HOLDOUT, TRAIN = 60, 240, 400


def part_of(response: Any) -> str:
    """Return the text of the section."""
    found = re.search(r'<section class="part" id="campaign".*?</section>', response.content.decode(), flags=re.S)
    assert found is not None
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", found[0])))


def leases(images: Sequence[Image], annotators: Sequence[User], lane: str) -> None:
    """Store that the queue gave these photos to the annotators, from one lane."""
    Assignment.objects.bulk_create(
        Assignment(
            campaign=image.campaign,
            image=image,
            annotator=annotator,
            lane=lane,
            state=Assignment.State.DONE,
            expires_at=timezone.now(),
        )
        for image in images
        for annotator in annotators
    )


@pytest.fixture
def raters(people: dict[str, Any]) -> list[User]:
    return [people["alice"], people["bob"]]


@pytest.fixture
def holdout(campaign: Campaign, raters: list[User], rng: np.random.Generator) -> list[Image]:
    """240 holdout photos; the lane `random` gave 60 of them, a third with a watch, to two annotators."""
    images = images_make(campaign, HOLDOUT, holdout=True)
    quality = np.linspace(3, 8, HOLDOUT)[:: HOLDOUT // AUDITED]
    scores = np.rint(quality[:, None] + rng.normal(0, 0.8, (AUDITED, 2))).clip(1, 10)
    watch = np.where(np.arange(AUDITED) % 3 == 0, "yes", "no")
    votes(images[:: HOLDOUT // AUDITED], raters, scores, np.stack([watch] * 2, 1))
    return images


@pytest.fixture
def audited(holdout: list[Image]) -> list[Image]:
    return holdout[:: HOLDOUT // AUDITED]


@pytest.fixture
def train(campaign: Campaign) -> list[Image]:
    return images_make(campaign, TRAIN, prefix="train")


@pytest.fixture
def version(campaign: Campaign, holdout: list[Image], train: list[Image], rng: np.random.Generator) -> ModelVersion:
    """The model scores one point too high, and is sure about the watches."""
    made = version_make(campaign)
    means = np.linspace(4, 9, HOLDOUT) + rng.normal(0, 0.5, HOLDOUT)
    predictions_make(made, holdout, means, watch=np.where(np.arange(HOLDOUT) % 12 == 0, 0.9, 0.01))
    predictions_make(made, train, np.linspace(4, 9, TRAIN) + rng.normal(0, 0.5, TRAIN), watch=0.08)
    counters_rebuild(campaign=campaign)
    return made


def facts_of(campaign: Campaign, version: ModelVersion) -> PoolFacts:
    return pool_facts(campaign, version, holdout_opinions(campaign))


def test_the_section_shows_both_intervals_and_the_accuracy(
    client_of: Callable[[str], Any], version: ModelVersion, audited: list[Image], raters: list[User]
) -> None:
    leases(audited, raters, "random")
    text = part_of(client_of("rita").get(PAGE))
    assert re.search(r"Photos would get \d\.\d\d \(\d\.\d\d–\d\.\d\d\) on average; \d+ % \(\d+–\d+ %\) would be", text)
    both = r"Votes and predictions \d\.\d\d \(\d\.\d\d–\d\.\d\d\) \d+ % narrower Votes alone \d\.\d\d \("
    assert re.search(rf"Mean score \d \d {both}", text)
    assert re.search(r"With a watch 0 % \d+ % Votes and predictions \d+\.\d % \(", text)
    assert re.search(r"Mean absolute error, in points \d\.\d\d \(\d\.\d\d–\d\.\d\d\) n = 60", text)
    assert re.search(r"Right watch decisions \d+ % \(\d+–\d+ %\) n = 60", text)
    assert "120 votes on 60 audit photos" in text


def test_photos_that_no_lane_drew_are_no_audit_photos(client_of: Callable[[str], Any], version: ModelVersion) -> None:
    text = part_of(client_of("rita").get(PAGE))
    assert "Too few audit photos" in text
    assert "0 of 30 audit photos" in text


@pytest.mark.parametrize(
    ("lane", "count"), [("random", 60), ("fewest_votes", 60), ("holdout", 60), ("watch_margin", 0)]
)
def test_only_lanes_that_do_not_look_at_photos_make_audit_photos(
    campaign: Campaign, version: ModelVersion, audited: list[Image], raters: list[User], lane: str, count: int
) -> None:
    leases(audited, raters, lane)
    assert len(facts_of(campaign, version).audited) == count


def test_one_chosen_training_photo_leaves_only_the_holdout(
    campaign: Campaign, version: ModelVersion, train: list[Image], raters: list[User]
) -> None:
    Prediction.objects.filter(image__in=train).update(quality_mean=2.0)
    votes(train[:2], raters[:1], 2, "no")
    leases(train[:1], raters[:1], "random")
    counters_rebuild(campaign=campaign)
    leases(train[1:2], raters[:1], "random")
    blind = facts_of(campaign, version)
    assert (blind.is_holdout_only, blind.predicted) == (False, HOLDOUT + TRAIN - 2)
    assert blind.score < 5
    Assignment.objects.filter(image=train[1]).update(lane="watch_margin")
    chosen = facts_of(campaign, version)
    assert (chosen.is_holdout_only, chosen.predicted, chosen.photos) == (True, HOLDOUT, HOLDOUT + TRAIN)
    assert chosen.score == pytest.approx(6.5, abs=0.2)
    assert sum(chosen.classes) == pytest.approx(1.0)


def test_imported_votes_leave_only_the_holdout(
    campaign: Campaign, version: ModelVersion, train: list[Image], raters: list[User]
) -> None:
    votes(train[:1], raters[:1], 2, "no")
    assert facts_of(campaign, version).is_holdout_only


def test_answers_to_gold_photos_are_no_choice_of_training_photos(
    campaign: Campaign, version: ModelVersion, train: list[Image], raters: list[User]
) -> None:
    Image.objects.filter(pk=train[0].pk).update(role=Image.Role.GOLD)
    votes(train[:1], raters[:1], 2, "no")
    found = facts_of(campaign, version)
    assert (found.is_holdout_only, found.photos) == (False, HOLDOUT + TRAIN - 1)


def test_withdrawn_photos_are_not_in_the_campaign(
    campaign: Campaign, version: ModelVersion, holdout: list[Image]
) -> None:
    Image.objects.filter(pk=holdout[1].pk).update(withdrawn_at=timezone.now())
    found = facts_of(campaign, version)
    assert (found.photos, found.predicted) == (HOLDOUT + TRAIN - 1, HOLDOUT + TRAIN - 1)


def test_filters_have_no_figures_of_the_campaign(
    client_of: Callable[[str], Any], version: ModelVersion, audited: list[Image], raters: list[User]
) -> None:
    leases(audited, raters, "random")
    text = part_of(client_of("rita").get(f"{PAGE}?split=all"))
    assert "The whole campaign is estimated without filters" in text
    assert "on average" not in text


def test_all_answers_are_shown_beside_the_audit_photos(
    client_of: Callable[[str], Any],
    version: ModelVersion,
    audited: list[Image],
    train: list[Image],
    raters: list[User],
    campaign: Campaign,
) -> None:
    votes(train[:60], raters, 9, "yes")
    votes(train[60:100], raters, 5, "no")
    counters_rebuild(campaign=campaign)
    leases(train[:60], raters, "watch_margin")
    leases(audited, raters, "random")
    leases(train[60:100], raters, "random")
    text = part_of(client_of("rita").get(PAGE))
    # 60 of 400 have 9 points, the others 5; the holdout has 5.5: (400·5.6 + 240·5.5) / 640.
    assert re.search(r"All answers, weighted: Mean score 5\.5\d \(5\.4\d–5\.\d\d\); With a watch 2\d\.\d % \(", text)
    assert re.search(
        r"Mean score: narrowest by all answers, weighted \(votes \w+ \w+( \w+)? \d\.\d times as wide", text
    )
    assert re.search(r"The 160 photos with answers are worth \d+ of equal weight", text)
    assert "each of the 100 drawn at random" in text
    assert "How accurate version 1 is cannot be told from all answers" in text


def test_all_answers_cannot_tell_without_photos_drawn_at_random_outside_the_holdout(
    client_of: Callable[[str], Any], version: ModelVersion, audited: list[Image], raters: list[User]
) -> None:
    leases(audited, raters, "random")
    text = part_of(client_of("rita").get(PAGE))
    assert "All answers, weighted: cannot tell yet" in text
    assert "Cannot tell yet: 0 of 10 photos drawn at random" in text
