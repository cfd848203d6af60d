"""The mean of a pool from votes on a sample and predictions of all photos."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.measures.intervals import mean_interval, wilson_interval
from annotation.measures.pool_mean import PoolMean, class_parts, classical_mean, has_evidence, powered_mean

POOL = 2000


def sample(rng: np.random.Generator, n: int = 100, *, noise: float = 1.0, copies: int = 1) -> tuple[Any, Any, Any]:
    """Return opinions and predictions of a pool, and the photos of a random sample."""
    opinion = np.repeat(rng.normal(5, 1.5, POOL // copies), copies)
    return opinion, opinion - 1 + rng.normal(0, noise, POOL), rng.permutation(POOL)[:n]


def estimate(votes: Any, predictions: Any, photos: Any, **more: Any) -> PoolMean:
    found = {"groups": photos, "predicted": POOL, "predicted_mean": predictions.mean()}
    return powered_mean(votes[photos], predictions[photos], **(found | more))


def test_the_classical_mean_is_that_of_student_without_near_duplicates(rng: np.random.Generator) -> None:
    values = rng.normal(5, 1, 40)
    found, expected = classical_mean(values, groups=np.arange(40)), mean_interval(values)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_a_share_is_nearly_that_of_wilson(rng: np.random.Generator) -> None:
    values = np.arange(400) < 40
    found, expected = classical_mean(values, groups=np.arange(400), is_share=True), wilson_interval(40, 400)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.002)
    assert found.high - found.low >= expected.high - expected.low


def test_copies_of_photos_add_nothing(rng: np.random.Generator) -> None:
    values = rng.normal(5, 1, 40)
    once = classical_mean(values, groups=np.arange(40))
    twice = classical_mean(np.repeat(values, 2), groups=np.repeat(np.arange(40), 2))
    assert (twice.low, twice.high, twice.n, twice.groups) == (
        pytest.approx(once.low),
        pytest.approx(once.high),
        80,
        40,
    )


def test_predictions_make_the_interval_narrower_and_the_same_without_knowledge(rng: np.random.Generator) -> None:
    opinion, predictions, photos = sample(rng)
    good = estimate(opinion, predictions, photos)
    assert 0.4 < good.width_ratio < 0.75
    assert good.correlation > 0.7
    useless = estimate(opinion, rng.normal(0, 1, POOL), photos)
    assert useless.width_ratio == pytest.approx(1.0, abs=0.05)
    assert abs(useless.weight) < 0.5
    constant = estimate(opinion, np.full(POOL, 3.0), photos)
    assert (constant.weight, constant.powered.value) == (0.0, constant.classical.value)
    assert np.isnan(constant.correlation)


@settings(max_examples=30, deadline=None)
@given(shift=st.floats(-50, 50), stretch=st.floats(0.1, 20), seed=st.integers(0, 1000))
def test_shifted_and_stretched_predictions_give_the_same_estimate(shift: float, stretch: float, seed: int) -> None:
    opinion, predictions, photos = sample(np.random.default_rng(seed))
    plain, moved = (estimate(opinion, one, photos) for one in (predictions, shift + stretch * predictions))
    assert moved.powered.value == pytest.approx(plain.powered.value)
    assert moved.powered.high == pytest.approx(plain.powered.high)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(3, 200))
def test_the_estimate_of_votes_that_move_by_a_constant_moves_by_it(seed: int, n: int) -> None:
    opinion, predictions, photos = sample(np.random.default_rng(seed), n)
    plain, moved = (estimate(one, predictions, photos).powered for one in (opinion, opinion + 7))
    assert (moved.value - plain.value, moved.low - plain.low) == pytest.approx((7, 7))


@settings(max_examples=50, deadline=None)
@given(hits=st.integers(0, 60), seed=st.integers(0, 1000), is_perfect=st.booleans())
def test_a_share_stays_between_0_and_1_and_in_its_interval(hits: int, seed: int, is_perfect: bool) -> None:
    rng = np.random.default_rng(seed)
    votes = (np.arange(60) < hits).astype(float)
    said = votes if is_perfect else rng.random(60)
    found = powered_mean(
        votes,
        said,
        predicted_mean=float(rng.random()),
        predicted=500,
        groups=np.arange(60),
        is_share=True,
    ).powered
    assert 0 <= found.low <= found.high <= 1
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    assert found.high - found.low > 0.01


def test_all_photos_with_exact_votes_leave_no_doubt(rng: np.random.Generator) -> None:
    opinion, predictions, photos = sample(rng, POOL)
    exact = estimate(opinion, predictions, photos, pool=POOL, noise=0.0)
    assert exact.powered.value == pytest.approx(opinion.mean())
    assert exact.powered.high - exact.powered.low == pytest.approx(0, abs=1e-6)
    noisy = estimate(opinion, predictions, photos, pool=POOL, noise=0.5)
    assert noisy.powered.error == pytest.approx(np.sqrt(0.5 * opinion.var(ddof=1) / POOL))


@pytest.mark.parametrize(("copies", "n"), [(1, 30), (1, 150), (4, 100)])
def test_intervals_are_right_in_95_of_100_cases(rng: np.random.Generator, copies: int, n: int) -> None:
    hits = []
    for _ in range(400):
        opinion, predictions, _ = sample(rng, copies=copies)
        groups = np.arange(POOL) // copies
        held = np.flatnonzero(np.isin(groups, rng.permutation(POOL // copies)[: 800 // copies]))
        photos = rng.permutation(held)[:n]
        votes = opinion[photos] + rng.normal(0, 1, n)
        found = powered_mean(
            votes,
            predictions[photos],
            predicted_mean=predictions[held].mean(),
            predicted=len(held),
            groups=groups[photos],
            pool=POOL,
            noise=1 / votes.var(ddof=1),
        )
        hits.append(found.powered.low <= opinion.mean() <= found.powered.high)
    assert 0.92 <= np.mean(hits) <= 0.99


def test_class_shares_of_few_votes_are_those_of_the_opinion_of_everybody(rng: np.random.Generator) -> None:
    opinion = rng.normal(5.5, 1.5, 20_000)
    truth = [(opinion <= 5).mean(), ((opinion > 5) & (opinion <= 6)).mean(), (opinion > 6).mean()]
    means = np.rint(opinion[:, None] + rng.normal(0, 1.4, (20_000, 2))).mean(axis=1)
    parts, shares = class_parts(means, np.full(20_000, 2), variance=1.4**2 + 1 / 12, limits=(5, 6))
    assert shares == pytest.approx(truth, abs=0.01)
    assert abs((means <= 5).mean() - truth[0]) > 0.04  # of the plain MOS
    assert parts.mean(axis=0) == pytest.approx(shares)
    assert parts.sum(axis=1) == pytest.approx(np.ones(20_000))


def test_class_parts_without_known_noise_are_those_of_the_mos() -> None:
    parts, shares = class_parts([2, 5.4, 9], [4, 4, 4], variance=float("nan"), limits=(5, 6))
    assert parts.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert shares == pytest.approx([1 / 3] * 3)
    assert np.isnan(class_parts([], [], variance=1.0, limits=(5, 6))[1]).all()


def test_too_few_groups_or_hits_are_no_evidence() -> None:
    assert not has_evidence(np.ones(29), groups=np.arange(29), is_share=False)
    assert not has_evidence(np.ones(60), groups=np.arange(60) // 3, is_share=False)
    assert has_evidence(np.ones(30), groups=np.arange(30), is_share=False)
    assert not has_evidence(np.arange(60) < 4, groups=np.arange(60), is_share=True)
    assert not has_evidence(np.arange(60) < 56, groups=np.arange(60), is_share=True)
    assert has_evidence(np.arange(60) < 5, groups=np.arange(60), is_share=True)


def test_one_photo_or_none_says_nothing() -> None:
    assert np.isnan(classical_mean([], groups=[]).value)
    one = classical_mean([4.0], groups=[1])
    assert (one.value, one.high) == (4.0, float("inf"))
    assert classical_mean([1.0], groups=[1], is_share=True).low == 0.0
    two = powered_mean([1, 2], [1, 2], predicted_mean=1, predicted=9, groups=[1, 2])
    assert two.powered.high == float("inf")


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="Each of the 3 photos needs a group"):
        classical_mean([1, 2, 3], groups=[1, 2])
    with pytest.raises(ValueError, match="3 photos with votes do not match 3 predictions of 2 photos"):
        powered_mean([1, 2, 3], [1, 2, 3], predicted_mean=1, predicted=2, groups=[1, 2, 3])
