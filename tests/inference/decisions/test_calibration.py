"""Tests of the limits that audit votes support."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks._plug_in_limit import plug_in_limit
from inference.decisions.calibration import (
    AuditPhotos,
    Calibration,
    Statement,
    Tolerances,
    achieved,
    calibrate,
    exact_interval,
    fewest_photos,
    upper_bound,
)
from inference.decisions.limits import Limits

EVERYTHING = Tolerances(
    accepted=0.05, rejected=0.05, watch=0.05, missed=0.05, score_points=1.5, score_share=0.9, confidence=0.95
)
NOTHING = Tolerances(None, None, None, None, None)
CLASS_LIMITS = (4.0, 6.0)


def photos_draw(rng: np.random.Generator, n: int, *, noise: float = 0.5, worse: float = 0.0) -> AuditPhotos:
    """Return photos with predictions and what a panel says; `worse`: points that people give less than predicted."""
    truth = rng.uniform(1, 10, n)
    watch = rng.random(n) < 0.4
    return AuditPhotos(
        quality_mean=truth,
        watch_probability=np.clip(np.where(watch, 0.85, 0.15) + rng.normal(0, 0.15, n), 0, 1),
        people_mean=truth - worse + rng.normal(0, noise, n),
        people_watch=watch,
        has_watch=np.ones(n, dtype=bool),
    )


def found(photos: AuditPhotos, tolerances: Tolerances = EVERYTHING) -> Calibration:
    return calibrate(
        tolerances,
        photos,
        class_limits=CLASS_LIMITS,
        pool_quality=photos.quality_mean,
        pool_watch=photos.watch_probability,
    )


def test_many_votes_give_each_statement_a_limit_on_its_own_side() -> None:
    limits = found(photos_draw(np.random.default_rng(1), 2000)).limits
    assert limits.accept_from is not None
    assert 6 <= limits.accept_from < 7.5
    assert limits.reject_below is not None
    assert 2.5 < limits.reject_below <= 4.01
    assert limits.watch_from is not None
    assert 0.5 <= limits.watch_from < 0.9
    assert limits.no_watch_below is not None
    assert 0.1 < limits.no_watch_below <= 0.5
    # The 90 % quantile of a normal error with deviation 0.5 is 0.82.
    assert limits.half_width == pytest.approx(0.85, abs=0.1)
    assert limits.calibrated_on == 2000


def test_too_few_votes_decide_nothing_and_say_how_many_are_needed() -> None:
    result = found(photos_draw(np.random.default_rng(1), 20))
    assert result.limits == Limits(None, None, None, None, None, 0.95, 20)
    assert [one.statement for one in result.findings] == list(Statement)
    assert all(one.needed is not None and one.needed > 20 and one.decided == 0 for one in result.findings)


def test_nothing_is_decided_that_the_rule_does_not_state() -> None:
    result = found(photos_draw(np.random.default_rng(1), 2000), replace(NOTHING, missed=0.05))
    assert [one.statement for one in result.findings] == [Statement.MISSED]
    assert result.limits.accept_from is None
    assert result.limits.half_width is None


def test_no_photos_and_no_predictions_decide_nothing() -> None:
    empty = photos_draw(np.random.default_rng(1), 0)
    result = found(empty)
    assert result.limits.accept_from is None
    assert result.limits.calibrated_on == 0
    assert result.finding(Statement.ACCEPTED) is not None


def test_photos_that_nobody_was_asked_about_do_not_count() -> None:
    photos = photos_draw(np.random.default_rng(1), 2000)
    silent = replace(photos, has_watch=np.zeros(2000, dtype=bool), people_mean=np.full(2000, np.nan))
    limits = found(silent).limits
    assert (limits.accept_from, limits.watch_from, limits.no_watch_below, limits.half_width) == (None,) * 4


def test_the_model_never_decides_against_what_it_says_itself() -> None:
    """A tolerance above the share of all photos that are wrong would otherwise accept or reject every photo."""
    photos = photos_draw(np.random.default_rng(1), 2000)
    generous = Tolerances(accepted=0.5, rejected=0.5, watch=0.5, missed=0.5, score_points=None)
    limits = calibrate(
        generous,
        photos,
        class_limits=(6.0, 6.0),
        pool_quality=photos.quality_mean,
        pool_watch=photos.watch_probability,
        predicted_limits=(5.5, 6.5),
        watch_threshold=0.4,
    ).limits
    assert limits.accept_from == pytest.approx(6.5, abs=0.1)
    assert limits.reject_below == pytest.approx(5.5, abs=0.1)
    assert limits.watch_from == pytest.approx(0.4, abs=0.05)
    assert limits.no_watch_below is not None
    assert limits.no_watch_below <= 0.4


def test_ties_at_the_limit_are_decided_as_they_were_tested() -> None:
    steps = np.repeat([1.0, 9.0], 200)
    photos = AuditPhotos(steps, np.zeros(400), steps, np.zeros(400, dtype=bool), np.ones(400, dtype=bool))
    limits = found(photos).limits
    assert limits.accept_from == 9.0
    assert limits.reject_below is not None
    assert 1.0 < limits.reject_below < 1.001


@pytest.mark.parametrize(("wrong", "photos"), [(0, 30), (3, 80), (12, 40)])
def test_the_upper_bound_is_the_share_at_which_so_few_errors_are_unlikely(wrong: int, photos: int) -> None:
    assert binom.cdf(wrong, photos, upper_bound(wrong, photos, 0.95)) == pytest.approx(0.05)


def test_the_bounds_at_the_ends() -> None:
    assert upper_bound(5, 5, 0.95) == 1.0
    assert np.isnan(upper_bound(0, 0, 0.95))
    assert exact_interval(0, 10, 0.95)[0] == 0.0
    assert exact_interval(10, 10, 0.95)[1] == 1.0


def test_fewest_photos_is_the_first_number_that_passes() -> None:
    assert fewest_photos(0.05, 0.95) == 59
    for errors in (0, 2):
        n = fewest_photos(0.1, 0.95, errors)
        assert upper_bound(errors, n, 0.95) <= 0.1 < upper_bound(errors, n - 1, 0.95)


def test_the_tolerance_is_kept_as_often_as_stated_and_the_naive_limit_breaks_it() -> None:
    """400 campaigns of 250 audit photos: with 95 % stated, at most 33 break the tolerance but for 1 in 1,000 tests."""
    rng = np.random.default_rng(7)
    pool = photos_draw(rng, 20_000, noise=1.5)
    tolerance = replace(NOTHING, accepted=0.15)
    wrong = pool.people_mean <= CLASS_LIMITS[1]
    broken = naive_broken = decided = 0
    for _ in range(400):
        audit = photos_draw(rng, 250, noise=1.5)
        limit = calibrate(
            tolerance,
            audit,
            class_limits=CLASS_LIMITS,
            pool_quality=pool.quality_mean[:2000],
            pool_watch=pool.watch_probability[:2000],
        ).limits.accept_from
        naive = plug_in_limit(0.15, audit.quality_mean, audit.people_mean <= CLASS_LIMITS[1], pool.quality_mean[:2000])
        if limit is not None:
            decided += 1
            broken += wrong[pool.quality_mean >= limit].mean() > 0.15
        naive_broken += naive is not None and wrong[pool.quality_mean >= naive].mean() > 0.15
    assert decided > 350
    assert broken <= 33
    assert naive_broken > 100


def test_fresh_votes_that_agree_do_not_break_the_tolerance_and_others_do() -> None:
    rng = np.random.default_rng(3)
    limits = found(photos_draw(rng, 2000)).limits
    fine = achieved(EVERYTHING, limits, photos_draw(rng, 200), class_limits=CLASS_LIMITS)
    assert [one.statement for one in fine] == list(Statement)
    assert not any(one.is_broken for one in fine)
    worse = achieved(EVERYTHING, limits, photos_draw(rng, 200, worse=2.0), class_limits=CLASS_LIMITS)
    assert {one.statement for one in worse if one.is_broken} == {Statement.ACCEPTED, Statement.SCORE}


def test_without_fresh_votes_nothing_is_broken() -> None:
    limits = found(photos_draw(np.random.default_rng(3), 2000)).limits
    none = achieved(EVERYTHING, limits, photos_draw(np.random.default_rng(3), 0), class_limits=CLASS_LIMITS)
    assert all(one.photos == 0 and not one.is_broken for one in none)
