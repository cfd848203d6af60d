"""Annotator quality figures: examples computed by hand, a second implementation, and property tests."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotation.measures.intervals import wilson_interval
from annotation.raters.anchoring import FEWEST_PHOTOS, anchoring_shift
from annotation.raters.attention import gold_hits, score_spread
from annotation.raters.self_agreement import self_agreement

scores = st.integers(1, 10)
pairs = st.lists(st.tuples(scores, scores), min_size=1, max_size=30)


def shift_of(anchored, blind, seed=0):
    """Return the shift of anchored (image, score, prediction) and blind (image, score) rows."""
    anchored_rows = np.array(anchored, dtype=float).reshape(-1, 3)
    blind_rows = np.array(blind, dtype=float).reshape(-1, 2)
    return anchoring_shift(*anchored_rows.T, *blind_rows.T, seed=seed)


class TestWilsonInterval:
    def test_example_computed_by_hand(self):
        # 8 of 10, z² = 3.8415: centre (.8 + .19207)/1.38415 = .71674, half
        # 1.95996·√(.016 + .0096036)/1.38415 = .22658, so .4902 to .9433.
        estimate = wilson_interval(8, 10)
        assert (estimate.value, estimate.n) == (0.8, 10)
        assert (estimate.low, estimate.high) == (pytest.approx(0.4902, abs=5e-5), pytest.approx(0.9433, abs=5e-5))

    @given(st.integers(1, 400), st.data())
    def test_the_interval_equals_scipys_and_contains_the_share(self, n, data):
        hits = data.draw(st.integers(0, n))
        estimate = wilson_interval(hits, n)
        reference = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert (estimate.low, estimate.high) == (
            pytest.approx(reference.low, abs=1e-9),
            pytest.approx(reference.high, abs=1e-9),
        )
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1

    @pytest.mark.parametrize(("hits", "n"), [(1, 0), (3, 2), (-1, 2)])
    def test_invalid_counts_are_refused(self, hits, n):
        with pytest.raises(ValueError, match="not a share"):
            wilson_interval(hits, n)


class TestSelfAgreement:
    def test_example_computed_by_hand(self):
        # d = 0, 1, −1, 2: Σd² = 6; RMSE √(6/4) = 1.2247; repeatability √(6/8) = .8660; drift .5;
        # chi-square of 4 degrees of freedom: .4844 and 11.143, so √(3/11.143) = .5189 to √(3/.4844) = 2.4886.
        figures = self_agreement([5, 5, 5, 5], [5, 6, 4, 7], ["yes", "no", "no", "yes"], ["yes", "no", "yes", "yes"])
        assert figures is not None
        assert (figures.n, figures.exact.value, figures.within_one.value) == (4, 0.25, 0.75)
        assert figures.watch.value == 0.75
        assert figures.rmse.value == pytest.approx(1.2247, abs=5e-5)
        assert figures.repeatability.value == pytest.approx(0.8660, abs=5e-5)
        assert figures.repeatability.low == pytest.approx(0.5189, abs=5e-5)
        assert figures.repeatability.high == pytest.approx(2.4886, abs=5e-4)
        # s = √((.25 + .25 + 2.25 + 2.25)/3) = 1.2910; t(3) = 3.1824; half 3.1824·1.2910/2 = 2.0543.
        assert (figures.drift.value, figures.drift.high) == (0.5, pytest.approx(2.5543, abs=5e-4))

    def test_without_pairs_the_result_is_none(self):
        assert self_agreement([], [], [], []) is None

    def test_the_drift_of_one_pair_has_an_unbounded_interval(self):
        figures = self_agreement([5], [6], ["no"], ["no"])
        assert figures is not None
        assert (figures.drift.low, figures.drift.high) == (-math.inf, math.inf)

    def test_columns_of_different_lengths_are_refused(self):
        with pytest.raises(ValueError, match="not pairs"):
            self_agreement([1], [1, 2], ["no"], ["no"])

    @given(pairs)
    def test_repeatability_is_the_pooled_deviation_within_photos(self, table):
        first, second = zip(*table, strict=True)
        figures = self_agreement(first, second, ["no"] * len(table), ["no"] * len(table))
        pooled = sum(Fraction(int(2 * np.var([a, b], ddof=1)), 2) for a, b in table) / len(table)
        assert figures is not None
        assert figures.repeatability.value == pytest.approx(math.sqrt(pooled))
        assert figures.rmse.value == pytest.approx(math.sqrt(2) * figures.repeatability.value)
        for interval in (figures.rmse, figures.repeatability, figures.drift, figures.exact):
            assert interval.low <= interval.value + 1e-12
            assert interval.value <= interval.high + 1e-12
        assert figures.exact.value <= figures.within_one.value

    @given(pairs)
    def test_swapping_the_answers_only_changes_the_sign_of_the_drift(self, table):
        first, second = zip(*table, strict=True)
        labels = ["no"] * len(table)
        original = self_agreement(first, second, labels, labels)
        swapped = self_agreement(second, first, labels, labels)
        assert original is not None
        assert swapped is not None
        assert (original.exact, original.within_one) == (swapped.exact, swapped.within_one)
        assert original.rmse == swapped.rmse
        assert original.drift.value == pytest.approx(-swapped.drift.value)


class TestGold:
    def test_a_hit_is_within_tolerance_and_has_the_expected_watch_label(self):
        nan = float("nan")
        hits = gold_hits(
            [5, 6, 7, 5, 9], [5, 5, 5, 5, nan], ["no", "no", "no", "yes", "no"], ["no", "", "no", "no", "no"]
        )
        assert hits == wilson_interval(3, 5)  # exact; within one; two off; wrong label; no score expected

    def test_the_tolerance_can_be_wider(self):
        assert gold_hits([7], [5], ["no"], [""], tolerance=2) == wilson_interval(1, 1)

    def test_without_gold_answers_the_result_is_none(self):
        assert gold_hits([], [], [], []) is None

    def test_columns_of_different_lengths_are_refused(self):
        with pytest.raises(ValueError, match="Each gold answer needs"):
            gold_hits([1], [1, 2], ["no"], ["no"])

    @given(st.lists(st.tuples(scores, scores), min_size=1, max_size=30), st.integers(0, 9))
    def test_a_wider_tolerance_never_gives_fewer_hits(self, table, tolerance):
        given_scores, expected = zip(*table, strict=True)
        no_labels = [""] * len(table)
        narrow, wide = (
            gold_hits(given_scores, expected, no_labels, no_labels, tolerance=points)
            for points in (tolerance, tolerance + 1)
        )
        assert narrow is not None
        assert wide is not None
        assert narrow.value <= wide.value


class TestScoreSpread:
    def test_example_computed_by_hand(self):
        # 10 fives and 10 sevens: mean 6, Σ = 20, variance 20/19. Ten points: limit .15·(9/4)² = .759.
        spread = score_spread([5, 7] * 10, lowest=1, highest=10)
        assert spread is not None
        assert (spread.variance, spread.n) == (pytest.approx(20 / 19), 20)
        assert spread.limit == pytest.approx(0.759375)
        assert not spread.is_straight

    def test_the_limit_for_five_points_is_the_published_one(self):
        spread = score_spread([3] * 20, lowest=1, highest=5)
        assert spread is not None
        assert (spread.limit, spread.is_straight) == (0.15, True)

    def test_only_the_last_fifty_scores_count(self):
        spread = score_spread([1, 10] * 30 + [5] * 50, lowest=1, highest=10)
        assert spread is not None
        assert (spread.variance, spread.n) == (0, 50)

    def test_with_too_few_answers_the_result_is_none(self):
        assert score_spread([5] * 19, lowest=1, highest=10) is None

    def test_a_scale_of_one_score_is_refused(self):
        with pytest.raises(ValueError, match="two scores"):
            score_spread([1] * 20, lowest=1, highest=1)

    @given(st.lists(scores, min_size=20, max_size=60))
    def test_the_result_does_not_depend_on_the_numbers_of_the_scale(self, given_scores):
        original = score_spread(given_scores, lowest=1, highest=10)
        scaled = score_spread([10 * score for score in given_scores], lowest=10, highest=100)
        assert original is not None
        assert scaled is not None
        assert original.variance / original.limit == pytest.approx(scaled.variance / scaled.limit)


class TestAnchoringShift:
    def test_example_computed_by_hand(self):
        # Every photo: prediction 8, blind 4 and 6 (distances 4 and 2, mean 3), anchored 7 (distance 1). The shift is
        # 2 points, two thirds of the distance.
        photos = range(FEWEST_PHOTOS)
        found = shift_of([(i, 7, 8) for i in photos], [(i, score) for i in photos for score in (4, 6)])
        assert found is not None
        assert (found.shift.value, found.shift.low, found.shift.high) == (2, 2, 2)
        assert found.share_of_distance == pytest.approx(2 / 3)
        assert (found.photos, found.anchored_answers, found.blind_answers) == (10, 10, 20)

    def test_photos_have_equal_weights_and_need_both_kinds_of_answers(self):
        # Photo 0 has three anchored answers, all equal to the prediction. The other photos show no effect.
        anchored = [(0, 5, 5)] * 3 + [(i, 3, 5) for i in range(1, 10)] + [(77, 9, 9)]
        blind = [(i, 3) for i in range(10)] + [(88, 1)]
        found = shift_of(anchored, blind)
        assert found is not None
        assert found.shift.value == pytest.approx(0.2)
        assert (found.photos, found.anchored_answers, found.blind_answers) == (10, 12, 10)

    def test_with_too_few_photos_the_result_is_none(self):
        photos = range(FEWEST_PHOTOS - 1)
        assert shift_of([(i, 7, 8) for i in photos], [(i, 4) for i in photos]) is None
        assert shift_of([], []) is None

    def test_without_a_distance_the_share_of_it_is_nan(self):
        photos = range(FEWEST_PHOTOS)
        found = shift_of([(i, 8, 8) for i in photos], [(i, 8) for i in photos])
        assert found is not None
        assert math.isnan(found.share_of_distance)

    def test_columns_of_different_lengths_are_refused(self):
        with pytest.raises(ValueError, match="All columns need the same length"):
            anchoring_shift([1], [1, 2], [1], [1], [1], seed=0)

    def test_the_same_seed_gives_the_same_interval(self):
        rng = np.random.default_rng(3)
        anchored = [(i, rng.integers(1, 11), 6) for i in range(30)]
        blind = [(i, rng.integers(1, 11)) for i in range(30)]
        assert shift_of(anchored, blind, seed=1) == shift_of(anchored, blind, seed=1)

    @pytest.mark.parametrize(("weight", "expected"), [(0.0, 0.0), (0.5, 1.0)])
    def test_it_estimates_the_simulated_effect(self, weight, expected):
        """Scores are quality plus noise. Anchored scores also move by `weight` times the distance to the prediction.

        The prediction is 2 points too low or too high.
        """
        rng = np.random.default_rng(5)
        n = 4000
        quality = rng.uniform(3, 8, n)
        shown = quality + rng.choice([-2, 2], n)
        blind = quality + rng.normal(0, 0.3, n)
        anchored = quality + weight * (shown - quality) + rng.normal(0, 0.3, n)
        found = anchoring_shift(range(n), anchored, shown, range(n), blind, seed=1)
        assert found is not None
        assert found.shift.value == pytest.approx(expected, abs=0.02)
        assert found.shift.low <= expected <= found.shift.high

    @settings(deadline=None, max_examples=25)
    @given(st.lists(st.tuples(scores, scores, scores), min_size=FEWEST_PHOTOS, max_size=20))
    def test_swapping_anchored_and_blind_answers_changes_the_sign(self, table):
        photos = range(len(table))
        original = shift_of(
            [(i, a, p) for i, (a, b, p) in zip(photos, table, strict=True)],
            [(i, b) for i, (a, b, p) in zip(photos, table, strict=True)],
        )
        swapped = shift_of(
            [(i, b, p) for i, (a, b, p) in zip(photos, table, strict=True)],
            [(i, a) for i, (a, b, p) in zip(photos, table, strict=True)],
        )
        assert original is not None
        assert swapped is not None
        assert original.shift.value == pytest.approx(-swapped.shift.value)
        assert original.shift.low <= original.shift.value <= original.shift.high
        assert abs(original.shift.value) <= 9
