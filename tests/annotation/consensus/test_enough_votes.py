"""When photos stop, who gets the freed votes, and how many votes a drawn panel saves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.consensus.enough_votes import StopRule, votes_forecast, votes_plan
from benchmarks._early_stopping import Panel, early_stopping

RULE = StopRule(half_width=1.0, watch=0.0, fewest=2, most=6)
NARROW, WIDE = 0.5, 0.8  # standard errors: 1.96 · .5 < 1 < 1.96 · .8


def plan(votes, reached, errors, *, leases=None, usual=3, rule=RULE):
    leases = np.zeros(len(votes)) if leases is None else leases
    return votes_plan(
        rule, votes=votes, leases=leases, usual=np.full(len(votes), usual), reached=reached, errors=errors
    ).tolist()


def test_a_photo_stops_when_its_interval_is_narrow_and_it_has_the_fewest_votes():
    reached = RULE.reached([1, 2, 2, 0], [NARROW, NARROW, WIDE, np.nan], np.full(4, np.nan))
    assert reached.tolist() == [False, True, False, False]


def test_with_both_targets_a_photo_needs_both():
    both = StopRule(half_width=1.0, watch=0.95, fewest=1, most=6)
    reached = both.reached([3] * 5, [NARROW, NARROW, WIDE, NARROW, NARROW], [0.99, 0.01, 0.99, 0.6, np.nan])
    assert reached.tolist() == [True, True, False, False, False]
    only_watch = StopRule(half_width=0.0, watch=0.95, fewest=1, most=6)
    assert only_watch.reached([3, 3], [WIDE, np.nan], [0.02, 0.9]).tolist() == [True, False]


def test_without_a_target_nothing_stops():
    off = StopRule(half_width=0.0, watch=0.0, fewest=1, most=6)
    assert not off.is_on
    assert not off.reached([9], [0.0], [1.0]).any()


def test_freed_votes_go_to_the_photos_with_the_widest_intervals():
    votes, reached = [2, 2, 3, 3, 3, 1], [True, True, False, False, False, False]
    errors = [0.4, 0.4, 0.7, 0.9, 0.8, np.nan]
    # Two votes are free. The last photo still has usual votes to come, so it needs no freed one.
    assert plan(votes, reached, errors) == [2, 2, 3, 4, 4, 3]


def test_a_live_lease_on_a_photo_that_stops_is_kept():
    assert plan([2, 3], [True, False], [0.4, 0.9], leases=[1, 0]) == [3, 3]


def test_no_photo_gets_more_than_the_most_votes_by_the_rule():
    votes, reached = [2, 2, 2, 2, 6, 7], [True] * 4 + [False, False]
    assert plan(votes, reached, [0.4] * 4 + [2.0, 2.0]) == [2, 2, 2, 2, 6, 6]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans(), st.floats(0.1, 3)), min_size=1, max_size=30)
)
def test_the_plan_never_asks_for_more_votes_in_all_than_the_fixed_number(photos):
    votes, leases, reached, errors = map(np.array, zip(*photos, strict=True))
    needed = np.array(plan(votes, reached, errors, leases=leases))
    extra = np.maximum(votes + leases - 3, 0).sum()  # answers that are there or on their way already
    short = np.maximum(2 - votes[reached], 0).sum()
    assert needed.sum() <= 3 * len(photos) + extra + short
    assert (needed >= np.where(reached, 2, 3)).all()


def test_the_plan_of_a_plan_that_was_followed_ends():
    panel = Panel.draw(1, photos=60)
    numbers = panel.stopped(StopRule(1.4, 0.0, 2, 10), usual=5)
    assert numbers.min() >= 2
    assert numbers.max() <= 10
    assert numbers.sum() <= 5 * 60


def test_the_forecast_counts_the_votes_until_the_interval_is_narrow():
    # Before any vote the precision is 1/(1.2·2²) = .21. One vote gave 1/1.0² = 1.0, so each adds .79. Wanted are
    # 1.96² = 3.84, which takes (3.84 − 1)/.79 = 3.6 votes.
    further = votes_forecast(
        RULE,
        votes=[1, 0, 2, 6],
        usual=[3] * 4,
        reached=[False, False, True, False],
        errors=[1.0, np.nan, 0.4, 0.9],
        spread=2.0,
    )
    assert further[0] == 4
    assert further[1] >= RULE.fewest
    assert further[2:].tolist() == [0, 0]


@pytest.mark.parametrize("given_votes", [2, 3, 4])
def test_the_forecast_is_nearer_to_the_votes_that_come_than_the_usual_number(given_votes):
    rule, panel = StopRule(1.5, 0.0, 2, 12), Panel.draw(3)
    photos = len(panel.truth)
    votes, usual, unknown = np.full(photos, given_votes), np.full(photos, 6), np.full(photos, np.nan)
    fit = panel.fit(votes)
    reached = rule.reached(votes, fit.quality_deviation, unknown)
    further = votes_forecast(
        rule, votes=votes, usual=usual, reached=reached, errors=fit.quality_deviation, spread=fit.quality_spread
    )
    taken = np.maximum(panel.stopped(rule, usual=6), votes).sum() - votes.sum()
    assert 0.8 * taken <= further.sum() <= 2.2 * taken < (usual - votes).sum()


def test_early_stopping_takes_at_most_three_quarters_of_the_votes_of_a_fixed_number_with_the_plain_mos():
    found = [early_stopping(seed, StopRule(1.3, 0.0, 2, 10), usual=5) for seed in range(10)]
    ratios = [one.votes / one.fixed_plain for one in found]
    assert max(ratios) <= 0.75
    # Most of this comes from the correction. Stopping alone saves little where annotators differ more than photos do.
    assert np.mean([one.votes / one.fixed_corrected for one in found]) <= 1.0
