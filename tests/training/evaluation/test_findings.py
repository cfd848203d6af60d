from dataclasses import replace

import pytest

from annotation.measures.agreement import Ceiling, Form, Worth
from annotation.measures.calibration import ReliabilityBin
from annotation.measures.classification import threshold_table
from annotation.measures.intervals import Interval
from training.evaluation import findings
from training.evaluation.comparison import ScoreFigures

NAN = float("nan")
FIGURES = ScoreFigures(
    srcc=Interval(0.71, 0.62, 0.79, 180),
    rmse=Interval(1.1, 1.0, 1.2, 180),
    bias=Interval(0.4, 0.3, 0.5, 180),
    ceiling=Ceiling(Form.CONSISTENCY, Interval(0.4, 0.3, 0.5, 180), Interval(0.85, 0.8, 0.89, 180)),
    worth=Worth(Form.CONSISTENCY, Interval(3.2, 2.1, 5.4, 180)),
    split_half=0.6,
    votes=900,
)


def test_a_clear_bias_is_stated_with_its_direction() -> None:
    assert findings.score_finding(FIGURES, "holdout photos") == (
        "Model scores 0.4 too high on average; rank correlation 0.71 (0.62–0.79), n = 180 holdout photos; "
        "ceiling √rₖ 0.85 (0.80–0.89)"
    )
    low = replace(FIGURES, bias=Interval(-0.4, -0.5, -0.3, 180))
    assert findings.score_finding(low, "photos").startswith("Model scores 0.4 too low on average;")


def test_an_unclear_bias_is_not_stated() -> None:
    nothing = Interval(NAN, NAN, NAN, 0)
    unknown = Ceiling(Form.ONE_WAY, nothing, nothing)
    unclear = replace(FIGURES, bias=Interval(-0.1, -0.3, 0.1, 180), ceiling=unknown)
    text = findings.score_finding(unclear, "photos")
    assert text.startswith("Model scores about right on average (−0.1, −0.3 to +0.1);")
    assert "ceiling" not in text


def test_an_unknown_figure_is_a_dash() -> None:
    assert findings.figure_text(Interval(NAN, NAN, NAN, 2)) == "–"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.4, 0.6, "agree with people's labels"), (0.0, 0.2, "too high for 100 %"), (0.7, 0.9, "too low for 100 %")],
)
def test_probabilities_are_compared_with_the_intervals_of_their_bins(low: float, high: float, verdict: str) -> None:
    bins = [ReliabilityBin(predicted=0.5, observed=Interval((low + high) / 2, low, high, 40))]
    assert verdict in findings.reliability_finding(bins, brier=0.1, error=0.05)


def test_the_best_threshold_is_compared_with_that_of_the_campaign() -> None:
    probabilities, labels = [0.9, 0.4, 0.2, 0.04], [1, 1, 0, 0]
    rows = threshold_table(probabilities, labels)
    not_best = threshold_table(probabilities, labels, [0.03])[0]
    best = max(rows, key=lambda row: row.f1)
    text = findings.threshold_finding(rows, 0.03, not_best)
    assert text == f"F1 is best at the threshold {best.threshold:g}: 1.00; at the threshold in use, 0.03, it is 0.67"
    at_best = threshold_table(probabilities, labels, [0.3])[0]
    assert findings.threshold_finding(rows, 0.3, at_best) == "The threshold in use, 0.3, has the best F1: 1.00"


def test_f1_is_not_stated_when_no_photo_shows_a_watch() -> None:
    rows = threshold_table([0.001, 0.002], [0, 0])
    text = findings.threshold_finding(rows, 0.05, threshold_table([0.001, 0.002], [0, 0], [0.05])[0])
    assert text == "At the threshold 0.05, accuracy is 1.00; no photo shows a watch"
