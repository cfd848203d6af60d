"""Our models beside published implementations, on the same small tables of votes."""

import numpy as np
from scipy.stats import spearmanr

from annotation.consensus.dawid_skene import labels_fit
from annotation.consensus.panel_model import panel_fit
from tests.annotation.consensus.published_results import (
    BIAS,
    CROWD_KIT_POSTERIOR,
    LABELS,
    QUALITY,
    SCORES,
    SUREAL_BIAS,
    SUREAL_INCONSISTENCY,
    SUREAL_QUALITY,
)


def rmse(estimate, truth):
    return float(np.sqrt(np.mean((estimate - truth) ** 2)))


def test_the_panel_model_agrees_with_sureal_about_photos_and_annotators():
    photo, rater = np.nonzero(SCORES)
    fit = panel_fit(photo, rater, SCORES[photo, rater])
    assert spearmanr(fit.quality, SUREAL_QUALITY)[0] > 0.95
    assert rmse(fit.quality, SUREAL_QUALITY) < 0.4
    assert fit.bias.argsort().tolist() == SUREAL_BIAS.argsort().tolist()
    assert spearmanr(fit.noise, SUREAL_INCONSISTENCY)[0] > 0.9


def test_the_panel_model_is_nearer_to_the_truth_than_sureal():
    # Maximum likelihood gives annotator 0 an inconsistency of 0, and this annotator's scores become the result.
    photo, rater = np.nonzero(SCORES)
    fit = panel_fit(photo, rater, SCORES[photo, rater])
    assert SUREAL_INCONSISTENCY.min() == 0
    assert fit.noise.min() > 0.5
    assert rmse(fit.quality, QUALITY) < rmse(SUREAL_QUALITY, QUALITY)
    assert rmse(fit.bias - fit.bias.mean(), BIAS - BIAS.mean()) < 0.4


def test_dawid_and_skenes_labels_are_those_of_crowd_kit():
    photo, rater = np.nonzero(LABELS >= 0)
    posterior = labels_fit(photo, rater, LABELS[photo, rater]).posterior[:, 1]
    assert ((posterior > 0.5) == (CROWD_KIT_POSTERIOR > 0.5)).all()
    np.testing.assert_allclose(posterior, CROWD_KIT_POSTERIOR, atol=0.02)
