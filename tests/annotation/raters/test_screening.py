"""Screening: random clickers are flagged, honest annotators are not, and few answers give no verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis, linregress, spearmanr

from annotation.measures.intervals import Interval, wilson_interval
from annotation.raters import screening
from annotation.raters.panel_agreement import (
    Panel,
    WatchAgreement,
    bt500_counts,
    rank_correlations,
    rank_interval,
    slope_interval,
    watch_agreements,
)
from annotation.raters.screening import Finding, Verdict

CLICKER = 0


def simulated_panel(rng: np.random.Generator, *, photos: int = 60, raters: int = 8) -> Panel:
    """Everybody rates every photo; annotator 0 clicks at random."""
    quality, is_watch = rng.normal(5.5, 1.5, photos), rng.random(photos) < 0.5
    scores = np.rint(quality + rng.normal(0, 1.2, (raters, photos))).clip(1, 10)
    watch = np.where(rng.random((raters, photos)) < 0.95, is_watch, ~is_watch).astype(int)
    scores[CLICKER] = rng.integers(1, 11, photos)
    watch[CLICKER] = rng.integers(0, 2, photos)
    return Panel.of(
        np.tile(np.arange(photos), raters),
        np.repeat(np.arange(raters), photos),
        scores.ravel(),
        watch.ravel(),
        raters=raters,
    )


def test_a_random_clicker_is_flagged_by_scores_and_by_watch_labels_and_nobody_else(rng: np.random.Generator) -> None:
    panel = simulated_panel(rng)
    ranks, labels = rank_correlations(panel), watch_agreements(panel)
    rank_median = screening.group_median([one.value for one in ranks], [one.n for one in ranks])
    watch_median = screening.group_median([one.hits / one.n for one in labels], [one.n for one in labels])
    by_scores = [screening.scores_finding(one, rank_median, 0.1).verdict for one in ranks]
    by_labels = [screening.watch_finding(one, watch_median).verdict for one in labels]
    assert by_scores == by_labels == [Verdict.FLAGGED] + [Verdict.FINE] * 7


def test_a_low_correlation_is_flagged_only_if_the_votes_say_little_too() -> None:
    """In a small panel, the others' means are noisy: a correlation near 0 alone is no reason to flag."""
    near_zero = rank_interval(0.05, 100)
    low = screening.scores_finding(near_zero, 0.6, 0.24)
    assert low.verdict == Verdict.FLAGGED
    assert "a vote says 24 % of what a typical vote says" in low.evidence
    assert screening.scores_finding(near_zero, 0.6, 0.25).verdict == Verdict.UNKNOWN
    assert screening.verdict_of([screening.scores_finding(near_zero, 0.6, 0.9)]) == Verdict.UNKNOWN
    # Opposite scores say much about the photos, and are flagged.
    assert screening.scores_finding(rank_interval(-0.5, 100), 0.6, 0.9).verdict == Verdict.FLAGGED
    assert screening.scores_finding(rank_interval(0.5, 100), 0.6, 0.01).verdict == Verdict.FINE


def test_the_random_rater_of_the_demo_is_flagged() -> None:
    """Rank correlation −.35, watch agreement 48 %, .2 s a photo, in a group with .6, 92 % and 3 s."""
    scores = screening.scores_finding(rank_interval(-0.35, 40), 0.6, 0.9)
    watch = screening.watch_finding(WatchAgreement(hits=19, n=40, chance=0.5), 0.92)
    speed = screening.speed_finding(0.2, fast=40, n=40, group_seconds=3.0)
    for finding in (scores, watch, speed):
        assert finding.verdict == Verdict.FLAGGED
        assert "n = 40" in finding.evidence
    assert "opposite to the others' scores: rank correlation −0.35" in scores.evidence
    assert screening.verdict_of([speed]) == Verdict.FLAGGED


class TestRankCorrelation:
    def test_each_annotator_is_compared_with_the_mean_of_the_others(self, rng: np.random.Generator) -> None:
        panel = simulated_panel(rng, photos=30, raters=4)
        scores = panel.scores.reshape(4, 30)
        for rater, found in enumerate(rank_correlations(panel)):
            others = np.delete(scores, rater, axis=0).mean(axis=0)
            assert found.value == pytest.approx(spearmanr(scores[rater], others).statistic)
            assert found.n == 30

    def test_the_interval_is_that_of_fieller(self) -> None:
        """By hand: tanh(atanh(.5) ± 1.96·√(1.06/22)), n = 25."""
        found = rank_interval(0.5, 25)
        assert (found.low, found.high) == (pytest.approx(0.1185, abs=1e-4), pytest.approx(0.7529, abs=1e-4))

    def test_the_interval_covers_the_true_correlation(self, rng: np.random.Generator) -> None:
        """Normal data with Pearson .5 have Spearman 6/π·arcsin(.25) = .483."""
        hits = 0
        for _ in range(300):
            x = rng.normal(size=30)
            y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=30)
            found = rank_interval(float(spearmanr(x, y).statistic), 30)
            hits += found.low <= 0.4826 <= found.high
        assert 0.91 <= hits / 300 <= 0.99

    def test_photos_that_nobody_else_rated_are_left_out(self) -> None:
        panel = Panel.of([1, 1, 2, 3, 4, 5], [0, 1, 0, 0, 0, 0], [5, 6, 1, 2, 3, 4], raters=2)
        assert [one.n for one in rank_correlations(panel)] == [1, 1]

    def test_annotators_who_are_not_counted_are_compared_but_not_among_the_others(
        self, rng: np.random.Generator
    ) -> None:
        panel = simulated_panel(rng, photos=40, raters=3)
        counted = np.array([False, True, True])
        ranks = rank_correlations(panel, counted=counted)
        scores = panel.scores.reshape(3, 40)
        assert ranks[0].value == pytest.approx(spearmanr(scores[0], scores[1:].mean(axis=0)).statistic)
        assert ranks[1].value == pytest.approx(spearmanr(scores[1], scores[2]).statistic)

    @given(st.permutations(range(20)))
    def test_the_order_of_the_votes_changes_nothing(self, order: list[int]) -> None:
        photo, rater = np.tile(np.arange(5), 4), np.repeat(np.arange(4), 5)
        score = (photo * 3 + rater * 7) % 11
        first = rank_correlations(Panel.of(photo, rater, score, raters=4))
        again = rank_correlations(Panel.of(photo[order], rater[order], score[order], raters=4))
        for one, other in zip(first, again, strict=True):
            assert one.value == pytest.approx(other.value, nan_ok=True)

    @pytest.mark.parametrize(
        ("value", "n", "verdict"),
        [
            (0.6, 30, Verdict.FINE),
            (0.0, 30, Verdict.FLAGGED),
            (0.2, 30, Verdict.FLAGGED),
            (0.3, 12, Verdict.UNKNOWN),
            (0.0, 6, Verdict.UNKNOWN),
            (float("nan"), 30, Verdict.UNKNOWN),
            (0.9, 2, Verdict.UNKNOWN),
        ],
    )
    def test_verdicts_in_a_group_with_the_median_of_point_six(self, value: float, n: int, verdict: Verdict) -> None:
        finding = screening.scores_finding(rank_interval(value, n), 0.6, 0.1)
        assert finding.verdict == verdict
        if verdict == Verdict.UNKNOWN:
            assert finding.needed is not None
            assert finding.needed > min(n, 9)

    def test_the_number_of_answers_needed_gives_a_verdict(self) -> None:
        undecided = screening.scores_finding(rank_interval(0.3, 12), 0.6, 0.1)
        assert undecided.needed is not None
        later = screening.scores_finding(rank_interval(0.3, undecided.needed), 0.6, 0.1)
        assert later.verdict != Verdict.UNKNOWN

    def test_without_a_group_nobody_is_flagged(self) -> None:
        finding = screening.scores_finding(rank_interval(-0.9, 50), screening.group_median([0.5, 0.6], [50, 50]), 0.1)
        assert finding.verdict == Verdict.UNKNOWN


class TestWatchLabels:
    def test_agreement_is_with_the_majority_of_the_others(self) -> None:
        """Photo 1: yes, yes, no. Photo 2: unsure, no, no. The others of the third on photo 1 agree on yes."""
        panel = Panel.of([1, 1, 1, 2, 2, 2], [0, 1, 2, 0, 1, 2], [5] * 6, [1, 1, 0, -1, 0, 0], raters=3)
        found = watch_agreements(panel)
        assert [(one.hits, one.n) for one in found] == [(0, 0), (1, 1), (1, 2)]

    def test_few_watches_need_many_answers(self) -> None:
        """97 % equal labels say little where 95 % of the photos show no watch."""
        finding = screening.watch_finding(WatchAgreement(hits=29, n=30, chance=0.93), 0.97)
        assert finding.verdict == Verdict.UNKNOWN
        assert finding.needed is not None
        assert finding.needed > 30

    def test_one_different_label_is_no_evidence(self) -> None:
        finding = screening.watch_finding(WatchAgreement(hits=0, n=1, chance=0.0), 0.95)
        assert (finding.verdict, finding.needed) == (Verdict.UNKNOWN, 10)

    def test_labels_far_below_the_group_are_flagged_even_above_chance(self) -> None:
        assert screening.watch_finding(WatchAgreement(hits=70, n=100, chance=0.5), 0.95).verdict == Verdict.FLAGGED
        assert screening.watch_finding(WatchAgreement(hits=93, n=100, chance=0.5), 0.95).verdict == Verdict.FINE


def test_speed_is_compared_with_the_group() -> None:
    assert screening.speed_finding(0.2, fast=19, n=19, group_seconds=3.0).verdict == Verdict.UNKNOWN
    assert screening.speed_finding(2.9, fast=0, n=50, group_seconds=3.0).verdict == Verdict.FINE
    assert screening.speed_finding(0.9, fast=40, n=50, group_seconds=3.0).verdict == Verdict.FLAGGED
    assert screening.speed_limit(0.6) == pytest.approx(0.2), "a fast group has a lower limit"
    assert screening.speed_limit(30.0) == 1.0


def test_drift_is_flagged_only_when_it_matters() -> None:
    def verdict(low: float, high: float, n: int = 100) -> Verdict:
        slope = Interval((low + high) / 2, low, high, n)
        return screening.drift_finding(screening.SESSION_DRIFT, slope, 1.5, 9, "100 answers").verdict

    assert verdict(-2.0, -1.0) == Verdict.FLAGGED
    assert verdict(0.1, 0.4) == Verdict.FINE, "above 0, but only .15 points in a session"
    assert verdict(-1.0, 2.0) == Verdict.UNKNOWN, "it may be 3 points in a session"
    assert verdict(-2.0, -1.0, n=39) == Verdict.UNKNOWN


def test_the_slope_is_that_of_least_squares(rng: np.random.Generator) -> None:
    x = rng.normal(size=50)
    y = 0.3 * x + rng.normal(size=50)
    found, expected = slope_interval(x, y), linregress(x, y)
    assert found.value == pytest.approx(expected.slope)
    assert (found.high - found.low) / 2 == pytest.approx(2.0106 * expected.stderr, rel=1e-4)
    assert np.isnan(slope_interval([1, 1, 1], [1, 2, 3]).value)


def test_bt500_counts_scores_outside_two_deviations_or_the_root_of_20(rng: np.random.Generator) -> None:
    photos, raters = 40, 15
    scores = np.rint(rng.normal(5.5, 1.0, (photos, 1)) + rng.normal(0, 0.8, (photos, raters)))
    scores[:, 0] = np.where(rng.random(photos) < 0.5, 1, 10)
    panel = Panel.of(
        np.repeat(np.arange(photos), raters), np.tile(np.arange(raters), photos), scores.ravel(), raters=raters
    )
    mean, deviation = scores.mean(axis=1, keepdims=True), scores.std(axis=1, ddof=1, keepdims=True)
    shape = kurtosis(scores, axis=1, fisher=False, keepdims=True)
    limit = deviation * np.where((shape >= 2) & (shape <= 4), 2, np.sqrt(20))
    found = bt500_counts(panel)
    assert [one.above for one in found] == (scores - mean >= limit).sum(axis=0).tolist()
    assert [one.below for one in found] == (mean - scores >= limit).sum(axis=0).tolist()
    assert screening.bt500_finding(found[1]).verdict == Verdict.FINE


def test_only_agreement_makes_an_annotator_fine() -> None:
    def finding(rule: str, verdict: Verdict) -> Finding:
        return Finding(rule, verdict, "")

    steady = [finding(screening.SPEED, Verdict.FINE), finding(screening.SAME, Verdict.FINE)]
    assert screening.verdict_of(steady) == Verdict.UNKNOWN
    assert screening.verdict_of([*steady, finding(screening.WATCH, Verdict.FINE)]) == Verdict.FINE
    agreed = [*steady, finding(screening.SCORES, Verdict.FINE)]
    assert screening.verdict_of(agreed) == Verdict.FINE
    assert screening.verdict_of([*agreed, finding(screening.SPEED, Verdict.FLAGGED)]) == Verdict.FLAGGED


@pytest.mark.parametrize(
    ("hits", "n", "verdict", "needed"),
    [
        (5, 5, Verdict.UNKNOWN, 16),
        (16, 16, Verdict.FINE, None),
        (4, 5, Verdict.UNKNOWN, None),
        (2, 10, Verdict.FLAGGED, None),
        (3, 5, Verdict.UNKNOWN, 16),
    ],
)
def test_few_gold_photos_are_no_proof_of_care(hits: int, n: int, verdict: Verdict, needed: int | None) -> None:
    found = screening.gold_finding(wilson_interval(hits, n))
    assert (found.verdict, found.needed) == (verdict, needed)
    assert found.evidence.endswith(f"{hits} of {n} gold photos correct")


@pytest.mark.parametrize(
    ("fast", "n", "verdict"), [(8, 20, Verdict.UNKNOWN), (2, 20, Verdict.FINE), (18, 20, Verdict.FLAGGED)]
)
def test_speed_is_fine_only_where_less_than_half_is_fast_for_sure(fast: int, n: int, verdict: Verdict) -> None:
    assert screening.speed_finding(1.0, fast, n, 4.0).verdict == verdict
