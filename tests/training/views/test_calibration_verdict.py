"""The verdict at the top of the calibration page."""

import html
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.models import Campaign
from tests.opinions_and_predictions import images_make, predictions_make, version_make, votes
from training.models import Evaluation

PAGE = "/campaigns/watches/calibration/"


def verdict_of(response: Any) -> str:
    """Return the text of the section."""
    markup = re.search(r'<section class="part" id="verdict".*?</section>', response.content.decode(), flags=re.S)
    assert markup is not None
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup[0])))


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> Callable[[int], None]:
    """Return a function that adds holdout photos with two votes each (half show a watch), and a good version."""

    def add(count: int) -> None:
        images = images_make(campaign, count, holdout=True)
        quality = rng.uniform(2, 9, count)
        watch = np.where(np.arange(count) % 2 == 0, "yes", "no")
        scores = np.rint(quality[:, None] + rng.normal(0, 0.5, (count, 2))).clip(1, 10)
        votes(images, [people["alice"], people["bob"]], scores, np.stack([watch] * 2, 1))
        predictions_make(version_make(campaign), images, quality, watch=np.where(watch == "yes", 0.9, 0.02))

    return add


def test_a_good_model_is_good_for_sorting(client_of: Callable[[str], Any], rated: Callable[[int], None]) -> None:
    rated(80)
    text = verdict_of(client_of("rita").get(PAGE))
    assert "Good for: sorting photos by quality" in text
    assert "Evidence: 80 random photos, 160 votes of 2 annotators." in text
    assert "0 of 40 watches missed" in text
    assert "At least 0.50" in text


def test_each_reader_has_the_verdict_in_their_language(
    client_of: Callable[[str], Any], rated: Callable[[int], None]
) -> None:
    rated(80)
    german = verdict_of(client_of("rita").get(PAGE, headers={"accept-language": "de"}))  # computes the figures
    assert "Fotos nach Qualität sortieren" in german
    assert "Mindestens 0.50" in german
    english = verdict_of(client_of("rita").get(PAGE, headers={"accept-language": "en"}))
    assert "Good for: sorting photos by quality" in english
    assert "At least 0.50" in english
    assert "Mindestens" not in english


def test_with_few_photos_it_says_what_is_missing_and_shows_no_figures(
    client_of: Callable[[str], Any], rated: Callable[[int], None]
) -> None:
    rated(12)
    text = verdict_of(client_of("rita").get(PAGE))
    missing = "12 of 20 rated holdout photos with two votes, 6 of 10 watches, 6 of 10 photos without a watch"
    assert f"Not enough evidence for a verdict yet: {missing}." in text
    assert "SRCC" not in text
    assert "Good for" not in text


def test_simulated_votes_are_called_simulated(
    client_of: Callable[[str], Any], people: dict[str, Any], rated: Callable[[int], None]
) -> None:
    people["alice"].is_simulated = people["bob"].is_simulated = True
    for name in ("alice", "bob"):
        people[name].save()
    rated(30)
    assert "60 votes of 2 annotators, all simulated." in verdict_of(client_of("rita").get(PAGE))


def test_photos_that_are_no_holdout_give_no_verdict_on_new_photos(
    client_of: Callable[[str], Any], rated: Callable[[int], None]
) -> None:
    rated(30)
    client = client_of("rita")
    assert "not a random holdout" not in verdict_of(client.get(PAGE))
    assert "not a random holdout" in verdict_of(client.get(f"{PAGE}?split=all"))


def test_a_version_with_a_fault_has_no_verdict(
    client_of: Callable[[str], Any], campaign: Campaign, rated: Callable[[int], None]
) -> None:
    rated(80)
    Evaluation.objects.create(
        model_version=campaign.model_versions.get(),
        image_count=80,
        vote_count=160,
        fingerprint="f",
        metrics={},
        findings=[{"kind": "leak", "decision": "refuse", "text": "It has learned from 3 holdout photos."}],
    )
    text = verdict_of(client_of("rita").get(PAGE))
    assert "It has learned from 3 holdout photos." in text
    assert "No verdict, because the figures may be wrong." in text
    assert "Good for" not in text
