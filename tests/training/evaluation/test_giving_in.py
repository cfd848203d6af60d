"""Annotators who give in to the model after the reveal do not make the model look better."""

from collections.abc import Callable
from typing import Any

import numpy as np

from annotation.models import Annotation, Campaign
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote
from training.selectors.comparison import compare


def test_corrections_after_the_reveal_do_not_change_the_model_srcc(
    campaign: Campaign, make_user: Callable[..., Any], rng: np.random.Generator
) -> None:
    """Four simulated people give in to half of the predictions that are more than 1.5 points away."""
    annotators = [make_user(f"simulated-{number}", is_simulated=True) for number in range(4)]
    images = images_make(campaign, 40, holdout=True)
    quality = rng.normal(5.5, 1.2, len(images))
    shown = (quality + rng.normal(0, 1.5, len(images))).clip(1, 10)
    version = version_make(campaign)
    predictions_make(version, images, shown)
    scores = np.rint(quality[:, None] + rng.normal(0, 1.6, (len(images), 4))).clip(1, 10).astype(int)
    first = [
        vote(image, annotator, int(scores[row, column]))
        for row, image in enumerate(images)
        for column, annotator in enumerate(annotators)
    ]
    before = compare(campaign, version)
    for answer, prediction in zip(first, np.repeat(shown, 4), strict=True):
        if abs((answer.score or 0) - prediction) > 1.5 and rng.random() < 0.5:
            corrected = int(np.rint((answer.score or 0) * 0.3 + prediction * 0.7))
            vote(answer.image, answer.annotator, corrected, supersedes=answer, saw_prediction=True)
    after = compare(campaign, version)
    assert Annotation.objects.exclude(supersedes=None).count() > 20
    assert after.histograms.tolist() == before.histograms.tolist()
    corrected_only = Annotation.objects.filter(superseded_by=None)
    means = [np.mean(corrected_only.filter(image=image).values_list("score", flat=True)) for image in images]
    srcc_blind = spearman(before.quality_mean, before.mos)
    assert spearman(after.quality_mean, after.mos) == srcc_blind
    assert spearman(shown, np.array(means)) > srcc_blind + 0.05, "with the corrected answers it would look better"


def spearman(one: Any, other: Any) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)
