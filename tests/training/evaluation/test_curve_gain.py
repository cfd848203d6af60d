"""Gains and verdicts of a learning curve."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from annotation.measures.figures_text import figures_read, figures_text
from annotation.measures.intervals import Interval
from training.evaluation.curve_gain import (
    FORMS,
    CurveReport,
    curve_report,
    fold_interval,
    gain_intervals,
    gains,
    inverse_root,
    logarithm,
)
from training.evaluation.curve_words import CurveVerdict, curve_verdict, curve_words
from training.evaluation.learning_curve import CurveScores

ANSWERS = np.array([50.0, 100, 200, 300, 400, 500])


def scores(rps: np.ndarray, srcc: np.ndarray) -> CurveScores:
    """Return a curve of ten folds with these means and some noise between the folds, the same after all answers."""
    noise = np.linspace(-0.05, 0.05, 10)
    return CurveScores(
        answers=ANSWERS,
        photos=ANSWERS / 3,
        before=3,
        rps=rps[:, None] + noise,
        srcc=srcc[:, None] - noise,
        prior_rps=np.full(10, 1.2),
        prior_srcc=np.full(10, 0.1),
        total=560,
        rated=187,
        groups=180,
    )


def report(rps_next: Interval, srcc_next: Interval) -> CurveReport:
    found = curve_report(scores(np.full(6, 1.0), np.full(6, 0.5)), ceiling=Interval(0.8, 0.7, 0.9, 187))
    return dataclasses.replace(found, rps_next=rps_next, srcc_next=srcc_next)


def test_a_curve_of_the_fitted_form_gives_its_own_gains() -> None:
    figures = 0.2 + 0.05 * np.log(ANSWERS)[:, None] * np.linspace(0.5, 1.5, 10)
    last, following = gains(ANSWERS, figures, 560, logarithm)
    assert last == pytest.approx(0.05 * np.linspace(0.5, 1.5, 10) * np.log(560 / 360))
    assert following == pytest.approx(0.05 * np.linspace(0.5, 1.5, 10) * np.log(760 / 560))


def test_points_with_few_answers_have_no_say() -> None:
    figures = np.tile(0.7 - 2.0 * ANSWERS[:, None] ** -0.5, 10)
    changed = figures.copy()
    changed[ANSWERS < 0.24 * 500] -= 0.4
    expected = gains(ANSWERS, figures, 560, inverse_root)[1]
    assert gains(ANSWERS, changed, 560, inverse_root)[1] == pytest.approx(expected)
    assert expected == pytest.approx(2.0 * (560**-0.5 - 760**-0.5))


def test_the_interval_contains_those_of_all_forms() -> None:
    rising = scores(1.5 - 0.05 * np.log(ANSWERS), 0.1 + 0.05 * np.log(ANSWERS))
    found = gain_intervals(rising, rising.srcc)[1]
    inverse, log, root = (fold_interval(gains(ANSWERS, rising.srcc, 560, form)[1], 187, 180) for form in FORMS)
    assert inverse.value < log.value < root.value  # which flattens least
    assert found.value == inverse.value
    assert (found.low, found.high) == (min(inverse.low, log.low, root.low), max(inverse.high, log.high, root.high))


def test_a_curve_that_does_not_flatten_much_is_forecast_within_the_interval() -> None:
    steep = scores(1.5 - 0.02 * np.sqrt(ANSWERS), 0.1 + 0.02 * np.sqrt(ANSWERS))
    true = 0.02 * (760**0.5 - 560**0.5)
    assert gain_intervals(steep, steep.srcc)[1].high == pytest.approx(true)
    assert gain_intervals(steep, steep.srcc, forms=FORMS[:2])[1].high < 0.8 * true


def test_a_better_rps_is_a_gain_although_it_is_lower() -> None:
    found = curve_report(scores(1.0 + ANSWERS**-0.5, 0.6 - ANSWERS**-0.5), ceiling=None)
    assert found.rps_last.value == pytest.approx(360**-0.5 - 560**-0.5)
    assert found.rps_last.value == pytest.approx(found.srcc_last.value)
    assert found.rps_next.value < found.rps_last.value
    assert found.newest.rps.value == pytest.approx(1 + 500**-0.5)


def test_the_interval_is_that_of_the_corrected_resampled_t_test() -> None:
    values = np.array([0.1, 0.3, -0.2, 0.0, 0.4])
    found = fold_interval(values, 100, 80)
    half = stats.t.ppf(0.975, 4) * values.std(ddof=1) * np.sqrt(1 / 5 + 1 / 4)
    assert (found.value, found.low, found.high) == pytest.approx((0.12, 0.12 - half, 0.12 + half))
    assert (found.n, found.groups) == (100, 80)


@pytest.mark.parametrize(
    ("rps", "srcc", "verdict"),
    [
        ((0.012, 0.002, 0.022), (0.02, 0.01, 0.03), CurveVerdict.HELP),
        ((0.002, -0.004, 0.008), (0.004, -0.002, 0.009), CurveVerdict.LITTLE),
        ((0.004, 0.001, 0.008), (0.004, 0.001, 0.009), CurveVerdict.LITTLE),  # surely above zero, and surely small
        ((0.002, -0.004, 0.008), (0.02, 0.01, 0.03), CurveVerdict.UNKNOWN),  # the ranks may become better
        ((0.002, -0.02, 0.024), (0.0, -0.04, 0.04), CurveVerdict.UNKNOWN),
    ],
)
def test_the_verdict_follows_from_the_intervals(
    rps: tuple[float, float, float], srcc: tuple[float, float, float], verdict: CurveVerdict
) -> None:
    found = report(Interval(*rps, 187), Interval(*srcc, 187))
    assert curve_verdict(found, margin=0.01) == verdict
    words = curve_words(found, margin=0.01)
    assert words.verdict == verdict
    assert ("no difference" in " ".join(words.sentences)) is (verdict == CurveVerdict.LITTLE)


def test_the_words_have_all_figures() -> None:
    words = curve_words(report(Interval(0.012, 0.002, 0.022, 187), Interval(0.02, -0.01, 0.05, 187)), margin=0.01)
    assert words.title == "More answers still help"
    assert (
        "Forecast for the next 200, to further photos of the same kind: SRCC +0.020 (−0.010 to +0.050), RPS better by "
        "+1.2 % (+0.2 to +2.2 %)." in words.sentences
    )
    assert words.method.startswith("560 answers to 187 train photos in 180 groups of near-duplicates")


def test_a_report_is_stored_as_text_and_read_again() -> None:
    found = report(Interval(0.012, 0.002, 0.022, 187), Interval(0.02, 0.01, 0.03, 187))
    assert figures_read(CurveReport, figures_text(found)) == found
    assert figures_read(CurveReport, '{"rows": []}') is None
