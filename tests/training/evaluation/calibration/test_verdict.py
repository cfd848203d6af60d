"""The verdict for each use, the evidence it needs, and its words."""

import numpy as np
import pytest

from annotation.measures.intervals import Interval
from tests.training.evaluation.calibration.invented import bell, comparison, right_model
from training.evaluation.calibration.evidence import evidence_of
from training.evaluation.calibration.sentences import fit_statement, headline, needed_text, spread_statements
from training.evaluation.calibration.verdict import Level, level_of, photos_needed, verdict_figures
from training.evaluation.comparison import Comparison, ScoreFigures


def verdict_of(compared: Comparison, **more: object):
    scores = ScoreFigures.of(compared, seed=1)
    return verdict_figures(compared, compared, scores, **({"simulated": (), "is_random": True, "seed": 1} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "is_higher_better", "level"),
    [(0.5, 0.7, True, Level.YES), (0.4, 0.7, True, Level.UNKNOWN), (0.2, 0.49, True, Level.NO),
     (0.2, 0.5, False, Level.YES), (0.4, 0.7, False, Level.UNKNOWN), (0.51, 0.7, False, Level.NO)],
)  # fmt: skip
def test_the_whole_interval_decides(low: float, high: float, is_higher_better: bool, level: Level) -> None:
    figure = Interval((low + high) / 2, low, high, 50)
    assert level_of(figure, 0.5, is_higher_better=is_higher_better) is level


def test_the_photos_needed_follow_from_the_width() -> None:
    # .2 above the requirement with a reach of .4: four times as many photos.
    assert photos_needed(Interval(0.7, 0.3, 0.8, 50), 0.5, 50) == 200
    assert photos_needed(Interval(0.51, 0.1, 0.9, 50), 0.5, 50) is None


def test_below_the_evidence_there_is_no_verdict_but_what_is_missing() -> None:
    found = verdict_of(right_model(17, np.random.default_rng(1), labels=[1] + [0] * 16))
    assert found.uses == ()
    assert found.spread is None
    assert found.watch_fit is None
    assert found.evidence.missing == "17 of 20 rated holdout photos with two votes, 1 of 10 watches"
    assert headline(found.uses) == ""


def test_near_duplicates_count_once_as_evidence() -> None:
    compared = right_model(40, np.random.default_rng(1), labels=0, groups=np.arange(40) // 4)
    assert verdict_of(compared).uses == ()
    assert verdict_of(compared).evidence.missing.startswith("10 of 20 rated holdout photos")


@pytest.mark.parametrize(
    ("simulated", "words"),
    [([], "60 random photos, 180 votes of 3 annotators"), ([0, 1, 2], "3 annotators, all simulated"),
     ([0], "33 % of them simulated")],
)  # fmt: skip
def test_the_evidence_says_who_voted(simulated: list[int], words: str) -> None:
    compared = right_model(60, np.random.default_rng(1))
    assert evidence_of(compared, compared, simulated=simulated, is_random=True).text.endswith(words)


def test_a_right_model_sorts_and_a_random_one_does_not() -> None:
    rng = np.random.default_rng(4)
    right = right_model(300, rng, votes=5, unsure=0.5, labels=0)
    levels = {use.name: use.level for use in verdict_of(right).uses}
    assert levels["sorting photos by quality"] is Level.YES
    assert levels["the score of a single photo"] is Level.YES
    order = rng.permutation(300)
    scores = np.full((300, 5), np.nan)
    rows = np.searchsorted(right.image_ids, right.votes.image_ids)
    scores[rows, right.votes.annotator_ids] = right.votes.scores
    wrong = verdict_of(comparison(scores[order], right.distribution, labels=0))
    assert {use.name: use.level for use in wrong.uses}["sorting photos by quality"] is Level.NO
    text = headline(wrong.uses)
    assert "Not for: sorting photos by quality" in text
    assert "Good for: sorting" not in text


def test_missed_watches_and_false_alarms_have_verdicts_of_their_own() -> None:
    labels = np.array([1] * 60 + [0] * 140)
    probabilities = np.where(labels == 1, 0.9, 0.05)
    probabilities[60:90] = 0.8  # 30 false alarms among 90 calls
    compared = comparison(np.full((200, 2), 5), bell(np.full(200, 5.0), 1.0), watch=probabilities, labels=labels)
    uses = {use.name.split(" (")[0]: use for use in verdict_of(compared).uses}
    assert uses["finding the watches"].level is Level.YES
    assert uses["finding the watches"].found.startswith("at the threshold 0.5, 0 of 60 watches missed: 100 % (94–100)")
    assert uses["believing a watch label"].level is Level.NO
    assert "photos that it calls a watch: 30 of 90" in uses["believing a watch label"].found
    statement = fit_statement(verdict_of(compared).watch_fit)  # type: ignore[arg-type]
    assert statement.level is Level.NO


def test_no_missed_watch_in_a_few_is_not_yet_a_yes() -> None:
    labels = np.array([1] * 12 + [0] * 60)
    compared = comparison(np.full((72, 2), 5), bell(np.full(72, 5.0), 1.0), watch=labels * 0.8 + 0.1, labels=labels)
    finding = next(use for use in verdict_of(compared).uses if use.name.startswith("finding"))
    assert finding.level is Level.UNKNOWN
    assert needed_text(finding).startswith("About 35 such photos")


def test_squeezed_scores_are_stated_and_never_called_right() -> None:
    rng = np.random.default_rng(6)
    truth = rng.uniform(2, 9, 300)
    scores = np.clip(np.rint(truth[:, None] + rng.normal(0, 1, (300, 4))), 1, 10)
    squeezed = verdict_of(comparison(scores, bell(5.5 + 0.3 * (truth - 5.5), 1.5), labels=0))
    texts = " ".join(one.text for one in spread_statements(squeezed.spread))  # type: ignore[arg-type]
    assert "Scores are right on average" in texts
    assert "Scores use too little of the scale" in texts
    assert "It underrates the best fifth of the photos" in texts
    assert "It overrates the worst fifth" in texts
