"""Figures of annotator quality: by hand, against a second implementation, and as properties."""

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
    """Take anchored (image, score, prediction) and blind (image, score) rows."""
    rows = np.array(anchored, dtype=float).reshape(-1, 3)
    others = np.array(blind, dtype=float).reshape(-1, 2)
    return anchoring_shift(*rows.T, *others.T, seed=seed)


class TestShare:
    def test_golden_value(self):
        # 8 of 10, z² = 3.8415: centre (.8 + .19207)/1.38415 = .71674, half
        # 1.95996·√(.016 + .0096036)/1.38415 = .22658, so .4902 to .9433 (Wilson's own example of the form).
        estimate = wilson_interval(8, 10)
        assert (estimate.value, estimate.n) == (0.8, 10)
        assert (estimate.low, estimate.high) == (pytest.approx(0.4902, abs=5e-5), pytest.approx(0.9433, abs=5e-5))

    @given(st.integers(1, 400), st.data())
    def test_it_is_scipys_interval_and_holds_the_share(self, n, data):
        hits = data.draw(st.integers(0, n))
        estimate = wilson_interval(hits, n)
        reference = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert (estimate.low, estimate.high) == (
            pytest.approx(reference.low, abs=1e-9),
            pytest.approx(reference.high, abs=1e-9),
        )
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1

    @pytest.mark.parametrize(("hits", "n"), [(1, 0), (3, 2), (-1, 2)])
    def test_what_is_no_share_is_refused(self, hits, n):
        with pytest.raises(ValueError, match="not a share"):
            wilson_interval(hits, n)


class TestSelfAgreement:
    def test_golden_values(self):
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

    def test_without_pairs_there_is_nothing_to_say(self):
        assert self_agreement([], [], [], []) is None

    def test_one_pair_leaves_the_drift_open(self):
        figures = self_agreement([5], [6], ["no"], ["no"])
        assert figures is not None
        assert (figures.drift.low, figures.drift.high) == (-math.inf, math.inf)

    def test_columns_that_do_not_belong_together_are_refused(self):
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
        for one in (figures.rmse, figures.repeatability, figures.drift, figures.exact):
            assert one.low <= one.value + 1e-12
            assert one.value <= one.high + 1e-12
        assert figures.exact.value <= figures.within_one.value

    @given(pairs)
    def test_which_answer_came_first_only_turns_the_drift_round(self, table):
        first, second = zip(*table, strict=True)
        labels = ["no"] * len(table)
        one, other = self_agreement(first, second, labels, labels), self_agreement(second, first, labels, labels)
        assert one is not None
        assert other is not None
        assert (one.exact, one.within_one, one.rmse) == (other.exact, other.within_one, other.rmse)
        assert one.drift.value == pytest.approx(-other.drift.value)


class TestGold:
    def test_a_hit_is_near_enough_and_names_the_watch_rightly(self):
        nan = float("nan")
        hits = gold_hits(
            [5, 6, 7, 5, 9], [5, 5, 5, 5, nan], ["no", "no", "no", "yes", "no"], ["no", "", "no", "no", "no"]
        )
        assert hits == wilson_interval(3, 5)  # exact; within one; two off; wrong label; no score expected

    def test_the_tolerance_can_be_wider(self):
        assert gold_hits([7], [5], ["no"], [""], tolerance=2) == wilson_interval(1, 1)

    def test_without_gold_there_is_nothing_to_say(self):
        assert gold_hits([], [], [], []) is None

    def test_columns_that_do_not_belong_together_are_refused(self):
        with pytest.raises(ValueError, match="Each gold answer needs"):
            gold_hits([1], [1, 2], ["no"], ["no"])

    @given(st.lists(st.tuples(scores, scores), min_size=1, max_size=30), st.integers(0, 9))
    def test_a_wider_tolerance_never_hits_less(self, table, tolerance):
        given_scores, expected = zip(*table, strict=True)
        none = [""] * len(table)
        near, wide = (
            gold_hits(given_scores, expected, none, none, tolerance=points) for points in (tolerance, tolerance + 1)
        )
        assert near is not None
        assert wide is not None
        assert near.value <= wide.value


class TestScoreSpread:
    def test_golden_value(self):
        # 10 fives and 10 sevens: mean 6, Σ = 20, variance 20/19. Ten points: limit .15·(9/4)² = .759.
        spread = score_spread([5, 7] * 10, lowest=1, highest=10)
        assert spread is not None
        assert (spread.variance, spread.n) == (pytest.approx(20 / 19), 20)
        assert spread.limit == pytest.approx(0.759375)
        assert not spread.is_straight

    def test_the_limit_on_five_points_is_the_published_one(self):
        spread = score_spread([3] * 20, lowest=1, highest=5)
        assert spread is not None
        assert (spread.limit, spread.is_straight) == (0.15, True)

    def test_only_the_last_fifty_count(self):
        spread = score_spread([1, 10] * 30 + [5] * 50, lowest=1, highest=10)
        assert spread is not None
        assert (spread.variance, spread.n) == (0, 50)

    def test_few_answers_say_nothing(self):
        assert score_spread([5] * 19, lowest=1, highest=10) is None

    def test_a_scale_of_one_score_is_refused(self):
        with pytest.raises(ValueError, match="two scores"):
            score_spread([1] * 20, lowest=1, highest=1)

    @given(st.lists(scores, min_size=20, max_size=60))
    def test_the_verdict_does_not_depend_on_how_the_scale_is_numbered(self, given_scores):
        one = score_spread(given_scores, lowest=1, highest=10)
        other = score_spread([10 * score for score in given_scores], lowest=10, highest=100)
        assert one is not None
        assert other is not None
        assert one.variance / one.limit == pytest.approx(other.variance / other.limit)


class TestAnchoringShift:
    def test_golden_value(self):
        # Every photo: prediction 8, blind 4 and 6 (distances 4 and 2, mean 3), anchored 7 (distance 1): 2 points,
        # two thirds of the distance.
        photos = range(FEWEST_PHOTOS)
        found = shift_of([(i, 7, 8) for i in photos], [(i, score) for i in photos for score in (4, 6)])
        assert found is not None
        assert (found.shift.value, found.shift.low, found.shift.high) == (2, 2, 2)
        assert found.share_of_distance == pytest.approx(2 / 3)
        assert (found.photos, found.anchored_answers, found.blind_answers) == (10, 10, 20)

    def test_each_photo_weighs_the_same_and_photos_of_one_kind_are_left_out(self):
        # Photo 0 has three anchored answers, all on the prediction; the others have none of the effect.
        anchored = [(0, 5, 5)] * 3 + [(i, 3, 5) for i in range(1, 10)] + [(77, 9, 9)]
        blind = [(i, 3) for i in range(10)] + [(88, 1)]
        found = shift_of(anchored, blind)
        assert found is not None
        assert found.shift.value == pytest.approx(0.2)
        assert (found.photos, found.anchored_answers, found.blind_answers) == (10, 12, 10)

    def test_too_few_photos_say_nothing(self):
        photos = range(FEWEST_PHOTOS - 1)
        assert shift_of([(i, 7, 8) for i in photos], [(i, 4) for i in photos]) is None
        assert shift_of([], []) is None

    def test_without_distance_there_is_no_share_of_it(self):
        photos = range(FEWEST_PHOTOS)
        found = shift_of([(i, 8, 8) for i in photos], [(i, 8) for i in photos])
        assert found is not None
        assert math.isnan(found.share_of_distance)

    def test_columns_that_do_not_belong_together_are_refused(self):
        with pytest.raises(ValueError, match="All columns need the same length"):
            anchoring_shift([1], [1, 2], [1], [1], [1], seed=0)

    def test_the_same_seed_gives_the_same_interval(self):
        rng = np.random.default_rng(3)
        anchored = [(i, rng.integers(1, 11), 6) for i in range(30)]
        blind = [(i, rng.integers(1, 11)) for i in range(30)]
        assert shift_of(anchored, blind, seed=1) == shift_of(anchored, blind, seed=1)

    @pytest.mark.parametrize(("weight", "expected"), [(0.0, 0.0), (0.5, 1.0)])
    def test_it_finds_the_effect_that_is_there_and_none_where_is_none(self, weight, expected):
        """People see quality with noise; anchored ones go `weight` of the way to a prediction 2 points off."""
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
    def test_swapping_the_two_kinds_turns_the_sign(self, table):
        photos = range(len(table))
        one = shift_of(
            [(i, a, p) for i, (a, b, p) in zip(photos, table, strict=True)],
            [(i, b) for i, (a, b, p) in zip(photos, table, strict=True)],
        )
        other = shift_of(
            [(i, b, p) for i, (a, b, p) in zip(photos, table, strict=True)],
            [(i, a) for i, (a, b, p) in zip(photos, table, strict=True)],
        )
        assert one is not None
        assert other is not None
        assert one.shift.value == pytest.approx(-other.shift.value)
        assert one.shift.low <= one.shift.value <= one.shift.high
        assert abs(one.shift.value) <= 9
