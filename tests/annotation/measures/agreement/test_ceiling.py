"""The ceiling: known values, designs with a known form, and simulated votes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.measures import agreement
from annotation.measures.agreement.ceiling import Form, vote_ceiling, vote_form


def simulated(rng, voters, *, photo=1.0, annotator=0.7, rest=1.2):
    """Return (photo parts, image ids, annotator ids, scores); `voters` lists the annotators of each photo."""
    ids = np.repeat(np.arange(len(voters)), [len(one) for one in voters])
    people = np.concatenate([np.asarray(one) for one in voters])
    quality = rng.normal(0, photo, len(voters))
    biases = rng.normal(0, annotator, people.max() + 1)
    return quality, ids, people, quality[ids] + biases[people] + rng.normal(0, rest, len(ids))


def same_people(rng, photos):
    return [[0, 1, 2]] * photos


def other_people(rng, photos):
    return [[3 * photo, 3 * photo + 1, 3 * photo + 2] for photo in range(photos)]


def some_of_five(rng, photos):
    return [rng.choice(5, 2, replace=False) for _ in range(photos)]


DESIGNS = {Form.CONSISTENCY: same_people, Form.ONE_WAY: other_people, Form.MIXED: some_of_five}


@pytest.mark.parametrize(("votes", "ceiling"), [(1, 0.46), (3, 0.67), (5, 0.76), (10, 0.85), (20, 0.92), (30, 0.94)])
def test_known_ceilings_for_an_icc_of_0_21(votes, ceiling):
    assert agreement.correlation_ceiling(0.21, votes) == pytest.approx(ceiling, abs=0.006)


def test_the_ceiling_is_the_correlation_of_a_perfect_model(rng):
    quality = rng.normal(0, 1, 20_000)
    votes = rng.integers(1, 9, 20_000)
    observed = quality + rng.normal(0, 2 / np.sqrt(votes))  # the mean of the votes, each with noise 2
    reached = np.corrcoef(quality, observed)[0, 1]
    assert agreement.correlation_ceiling(0.2, votes) == pytest.approx(reached, abs=0.02)


@given(st.floats(0.01, 1), st.integers(1, 200))
def test_more_votes_never_lower_the_ceiling(icc, votes):
    lower, higher = agreement.correlation_ceiling(icc, votes), agreement.correlation_ceiling(icc, votes + 1)
    assert 0 < lower <= higher + 1e-12 <= 1 + 1e-9


def test_reliability_without_agreement_is_zero_and_without_votes_nan():
    assert agreement.reliability(-0.1, 5) == 0
    assert math.isnan(agreement.reliability(0.3, [0, 0]))
    assert math.isnan(agreement.reliability(float("nan"), 5))


@pytest.mark.parametrize("form", DESIGNS, ids=lambda form: form.name)
def test_the_form_follows_from_who_voted_on_which_photos(form, rng):
    _, ids, people, scores = simulated(rng, DESIGNS[form](rng, 60))
    assert vote_form(ids, people) is form
    assert vote_ceiling(ids, people, scores).form is form


@pytest.mark.parametrize("form", DESIGNS, ids=lambda form: form.name)
def test_the_ceiling_is_the_correlation_of_true_quality_and_mos_in_each_design(form):
    """ICC(1) alone is too low by .05 and more where people rate many photos."""
    reached, found, one_way = [], [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        quality, ids, people, scores = simulated(rng, DESIGNS[form](rng, 400))
        mos = np.bincount(ids, scores) / np.bincount(ids)
        reached.append(np.corrcoef(quality, mos)[0, 1])
        found.append(vote_ceiling(ids, people, scores).value.value)
        one_way.append(agreement.correlation_ceiling(agreement.icc1(ids, scores), np.bincount(ids)))
    assert np.mean(found) == pytest.approx(np.mean(reached), abs=0.02)
    if form is Form.CONSISTENCY:
        assert np.mean(one_way) < np.mean(reached) - 0.05


def test_the_interval_contains_the_ceiling_of_the_simulation():
    """The true value is √(1/(1 + .7²·0 + 1.2²/3)) for the same three people."""
    truth = np.sqrt(1 / (1 + 1.2**2 / 3))
    hits = 0
    for seed in range(60):
        _, ids, people, scores = simulated(np.random.default_rng(seed), [[0, 1, 2]] * 100)
        value = vote_ceiling(ids, people, scores).value
        hits += value.low <= truth <= value.high
    assert hits >= 53  # 95 % of 60 is 57


def test_one_vote_of_each_annotator_falls_back_to_one_way(rng):
    _, ids, people, scores = simulated(rng, other_people(rng, 30))
    found = vote_ceiling(ids, people, scores)
    icc = agreement.icc1(ids, scores)
    assert found.icc.value == pytest.approx(icc)
    assert found.icc.low < icc < found.icc.high
    assert found.value.value == pytest.approx(agreement.correlation_ceiling(icc, 3))


def test_few_photos_have_a_ceiling_without_a_useful_interval(rng):
    _, ids, people, scores = simulated(rng, same_people(rng, 19))
    value = vote_ceiling(ids, people, scores).value
    assert (value.low, value.high, value.n) == (0, 1, 19)


@pytest.mark.parametrize(
    ("ids", "people", "scores"),
    [([], [], []), ([1, 1], [1, 2], [3, 4]), ([1, 2, 3], [1, 1, 1], [3, 4, 5]), ([1, 1, 2, 2], [1, 2, 1, 2], [5] * 4)],
    ids=["no votes", "one photo", "one annotator", "constant votes"],
)
def test_without_a_ceiling_it_is_unknown(ids, people, scores):
    assert not vote_ceiling(ids, people, scores).is_known


def test_order_and_names_do_not_matter(rng):
    _, ids, people, scores = simulated(rng, some_of_five(rng, 50))
    before = vote_ceiling(ids, people, scores)
    order = rng.permutation(len(ids))
    renamed = vote_ceiling(ids[order] * 7 + 3, 100 - people[order], scores[order])
    assert renamed.form is before.form
    assert renamed.value.value == pytest.approx(before.value.value, abs=1e-9)
    assert renamed.value.low == pytest.approx(before.value.low, abs=1e-9)
