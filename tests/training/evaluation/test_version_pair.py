"""What a comparison of two versions says in words."""

from typing import Any

import numpy as np
import pytest

from annotation.measures.intervals import Interval
from training.evaluation.registry import ScaleAndThresholds
from training.evaluation.version_pair import PAIR_METRICS, PairFigure, pair_figures, pair_verdicts

RPS, SRCC, MAE, F1 = PAIR_METRICS
SCALE = ScaleAndThresholds(
    lowest=1, reject_at=3, pending_at=6, watch_threshold=0.05, predicted_reject_at=3, predicted_pending_at=6
)


def entry(value: float, low: float, high: float, n: int = 100, groups: int = 80) -> dict[str, Any]:
    return dict(Interval(value, low, high, n, groups, abs(high - low) / 3.92).as_json())


def figures(**differences: dict[str, Any]) -> dict[str, PairFigure]:
    stored = {
        name: {"first": entry(1, 0.9, 1.1), "second": entry(1, 0.9, 1.1), "difference": difference}
        for name, difference in differences.items()
    }
    return {figure.metric.name: figure for figure in pair_figures(stored)}


def test_the_better_version_is_named_whichever_way_the_metric_goes() -> None:
    found = figures(quality_rps=entry(0.1, 0.05, 0.15), watch_f1=entry(0.2, 0.1, 0.3))
    quality, watch = pair_verdicts(found, 7, 3)
    assert (quality.better, watch.better) == ("second", "first")
    assert quality.text.startswith(
        "Quality: version 3 is better than version 7. Its Quality RPS is lower by 0.100 points"
    )
    assert watch.text.startswith("Watch: version 7 is better than version 3. Its Watch F1 is higher by 0.200 (")
    assert "95 % interval 0.050–0.150 points, 100 photos in 80 groups" in quality.text


def test_cannot_tell_says_what_the_photos_would_show() -> None:
    found = figures(quality_rps=entry(0.01, -0.04, 0.06), watch_f1=entry(0.0, -0.1, 0.1))
    quality, _watch = pair_verdicts(found, 2, 1)
    assert quality.better == ""
    assert "Quality: cannot tell." in quality.text
    # 2.8 standard errors of 0.1 / 3.92
    assert "would show a difference of 0.071 points in four of five cases" in quality.text


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (entry(float("nan"), float("nan"), float("nan"), n=0, groups=0), "no photo with such votes can be compared"),
        # One group has no interval, so any difference would look certain.
        (entry(0.5, 0.5, 0.5, n=3, groups=1), "only 3 photos in 1 group can be compared, and 20 groups"),
        (entry(0.5, 0.4, 0.6, n=19, groups=19), "only 19 photos can be compared"),
        (entry(0.0, 0.0, 0.0), "both versions are equal on these photos"),
    ],
)
def test_few_photos_decide_nothing(difference: dict[str, Any], words: str) -> None:
    quality, _watch = pair_verdicts(figures(quality_rps=difference, watch_f1=entry(0.0, -0.1, 0.1)), 2, 1)
    assert quality.better == ""
    assert words in quality.text


def test_the_mean_absolute_error_is_that_of_the_means() -> None:
    class Predicted:
        quality_mean = np.array([4.0, 8.0])

    histograms = np.zeros((2, 10))
    histograms[0, [1, 3]] = 1  # scores 2 and 4: a MOS of 3
    histograms[1, 5] = 2  # 6
    found = MAE.interval(Predicted(), histograms, SCALE, groups=np.array(["a", "b"]), seed=1)  # type: ignore[arg-type]
    assert found.value == pytest.approx((1 + 2) / 2)
