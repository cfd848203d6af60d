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
    assert str(uses["finding the watches"].found).startswith(
        "at the threshold 0.5, 0 of 60 watches missed: 100 % (94–100)"
    )
    assert uses["believing a watch label"].level is Level.NO
    assert "photos that it calls a watch: 30 of 90" in str(uses["believing a watch label"].found)
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


@pytest.mark.parametrize("top", [0.3, 0.6, 0.8, 1.0])
def test_a_model_that_knows_nothing_picks_no_better_where_many_photos_have_the_best_score(top: float) -> None:
    """All photos with the best MOS were 'the best quarter': a model without a clue was good for picking them."""
    rng, levels = np.random.default_rng(5), []
    for _ in range(30):
        scores = np.where(rng.random((60, 1)) < top, 10, 5) * np.ones((1, 2))
        uses = verdict_of(comparison(scores, bell(rng.uniform(4, 8, 60), 1.0), labels=0)).uses
        picking = next(use for use in uses if use.name.startswith("picking"))
        discarding = next(use for use in uses if use.name.startswith("throwing"))
        assert str(picking.rival) == "random picks: 25 %"
        assert str(discarding.rival) == "random picks: 50 %"
        levels += [picking.level, discarding.level]
    assert levels.count(Level.YES) <= 2


def test_equal_predictions_pick_no_photo_before_another() -> None:
    scores = np.tile(np.linspace(9, 2, 60).round()[:, np.newaxis], (1, 2))  # the best are the first
    picking = next(
        use
        for use in verdict_of(comparison(scores, bell(np.full(60, 5.0), 1.0), labels=0)).uses
        if use.name.startswith("picking")
    )
    assert picking.figure.value == pytest.approx(0.25)


@pytest.mark.parametrize("same_people", [False, True])
def test_the_typical_error_leaves_out_chance_and_nothing_else(same_people: bool) -> None:
    """Taking off severity that all MOS share made the error of .8 points look like .6, and covered it in 63 %."""
    rng, values, covered = np.random.default_rng(6), [], []
    for _ in range(30):
        truth, severity = rng.normal(5.5, 1, 80), rng.normal(0, 0.7, 40)
        who = np.array([np.arange(3) if same_people else rng.permutation(40)[:3] for _ in range(80)])
        scores = np.full((80, 40), np.nan)
        given = truth[:, None] + severity[who] + rng.normal(0, 1.2, (80, 3))
        np.put_along_axis(scores, who, np.clip(np.rint(given), 1, 10), axis=1)
        learned = severity[:3].mean() if same_people else 0.0
        found = verdict_of(comparison(scores, bell(truth + learned + rng.normal(0, 0.8, 80), 0.3), labels=0)).uses
        figure = next(use.figure for use in found if use.name == "the score of a single photo")
        values.append(figure.value**2)
        covered.append(figure.low <= 0.8 <= figure.high)
    assert np.mean(values) == pytest.approx(0.64, abs=0.09)
    assert np.mean(covered) >= 0.85


def test_one_missed_watch_is_never_all_of_them() -> None:
    labels = np.array([1] * 400 + [0] * 60)
    probabilities = np.where(labels == 1, 0.9, 0.05)
    probabilities[0] = 0.1
    compared = comparison(np.full((460, 2), 5), bell(np.full(460, 5.0), 1.0), watch=probabilities, labels=labels)
    finding = next(use for use in verdict_of(compared).uses if use.name.startswith("finding"))
    assert "1 of 400 watches missed: 99.75 % (98.60–99.96) found" in str(finding.found)
