"""A model is worth k annotators: means of k other people are models of known worth."""

import math

import numpy as np
import pytest

from annotation.measures.agreement import Form, annotators_worth
from annotation.measures.agreement.worth import worth_text


def votes_of(
    rng: np.random.Generator, photos: int, votes: int, people: int, others: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return votes as columns, and as the model the mean of `others` further people on each photo.

    With as many people as votes, the same people rate all photos.
    """
    truth = rng.normal(0, 1.3, photos)
    chosen = np.argsort(rng.random((photos, people)), axis=1)[:, :votes]
    bias = rng.normal(0, 0.7, people)
    scores = truth[:, None] + bias[chosen] + rng.normal(0, 1.65, (photos, votes))
    spread = 0.0 if people == votes else 0.7
    model = truth + rng.normal(0, math.sqrt((1.65**2 + spread**2) / others), photos)
    image = np.repeat(np.arange(photos), votes)
    return image, chosen.ravel(), scores.ravel(), np.repeat(model, votes)


@pytest.mark.parametrize(
    ("people", "form"), [(6, Form.CONSISTENCY), (300, Form.ONE_WAY)], ids=["same people", "other people"]
)
def test_the_mean_of_three_others_is_worth_three(people: int, form: Form) -> None:
    found = []
    for seed in range(40):
        image, rater, scores, model = votes_of(np.random.default_rng(seed), 200, 6, people, 3)
        worth = annotators_worth(image, rater, scores, model, image)
        assert worth.form is form
        found.append(worth.annotators)
    assert np.median([one.value for one in found]) == pytest.approx(3, abs=0.4)
    covered = sum(one.low <= 3 <= one.high for one in found)
    assert covered >= 35, "about 95 % of the intervals contain the true worth"
    assert np.median([one.high for one in found]) < 8


def test_near_duplicates_widen_the_interval(rng: np.random.Generator) -> None:
    image, rater, scores, model = votes_of(
        rng, 61, 5, 5, 3
    )  # 61, so that copies are in other parts than their originals
    copies = np.concatenate([image + 1000 * copy for copy in range(4)])
    again = [np.tile(one, 4) for one in (rater, scores, model)]
    as_photos = annotators_worth(copies, *again, copies).annotators
    as_groups = annotators_worth(copies, *again, np.tile(image, 4)).annotators
    assert as_groups.value == as_photos.value
    assert math.log(as_groups.high / as_groups.low) > 1.5 * math.log(as_photos.high / as_photos.low)


def test_a_model_against_the_votes_is_worth_nobody_and_a_perfect_one_everybody(rng: np.random.Generator) -> None:
    image, rater, scores, model = votes_of(rng, 100, 5, 5, 3)
    assert annotators_worth(image, rater, scores, -model, image).annotators.value == 0
    mos = np.repeat(scores.reshape(100, 5).mean(axis=1), 5)
    assert annotators_worth(image, rater, scores, mos, image).annotators.value == math.inf


def test_without_a_ceiling_or_with_few_groups_the_worth_is_unknown_or_open(rng: np.random.Generator) -> None:
    assert not annotators_worth([], [], [], [], []).is_known
    assert annotators_worth([1, 2, 3], [1, 1, 1], [3, 4, 5], [3, 4, 5], [1, 2, 3]).text == ""
    image, rater, scores, model = votes_of(rng, 100, 5, 5, 3)
    few = annotators_worth(image, rater, scores, model, image % 10).annotators
    assert (few.low, few.high) == (0, math.inf)
    with pytest.raises(ValueError, match="different lengths"):
        annotators_worth(image, rater, scores, model[1:], image)


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((3.21, 2.1, 5.4), "3.2 annotators (2.1–5.4)"),
        ((1.0, 0.5, 22.0), "1.0 annotator (0.5–22)"),
        ((40.0, 8.0, math.inf), "40 annotators (8.0 to everybody)"),
        ((math.inf, 8.0, math.inf), "as many annotators as there are (8.0 to everybody)"),
    ],
)
def test_the_worth_in_words(ends: tuple[float, float, float], text: str) -> None:
    assert worth_text(*ends) == text
