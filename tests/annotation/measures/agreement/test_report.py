"""The report of a campaign's agreement, and the weeks."""

import numpy as np
import pytest

from annotation.measures.agreement.ceiling import Form
from annotation.measures.agreement.report import agreement_by_week, agreement_report
from annotation.measures.votes import VoteTable

SCALE = {"lowest": 1, "highest": 10, "seed": 1}


def table(rng, photos=40, people=3, noise=1.0, first=0):
    ids, raters = np.repeat(np.arange(first, first + photos), people), np.tile(np.arange(people), photos)
    quality = rng.normal(5.5, 2, photos)
    scores = np.rint(quality[ids - first] + rng.normal(0, noise, len(ids))).clip(1, 10)
    watch = np.where(rng.random(len(ids)) < 0.1, -1, ids % 2)
    return VoteTable(np.arange(len(ids)), ids, raters, scores.astype(np.int16), watch.astype(np.int8))


def joined(first, second):
    parts = zip(vars(first).values(), vars(second).values(), strict=True)
    return VoteTable(*(np.concatenate(pair) for pair in parts))


def test_all_figures_of_a_panel_that_agrees(rng):
    report = agreement_report(table(rng), **SCALE)
    assert (report.photos, report.votes, report.annotators) == (40, 120, 3)
    assert report.is_enough
    assert report.ceiling.form is Form.CONSISTENCY
    assert min(report.pairs.value, report.against_others.value) > 0.5
    for one in (report.alpha, report.alpha_ordinal, report.split_half):
        assert 0.3 < one.low <= one.value <= one.high <= 1
    assert report.alpha_watch.value == 1  # 'unsure' is missing, and all others agree
    assert report.all_votes.value > report.split_half.value


def test_few_photos_are_not_enough_to_tell(rng):
    report = agreement_report(table(rng, photos=19), **SCALE)
    assert not report.is_enough
    for one in (report.alpha, report.alpha_watch, report.ceiling.value, report.split_half, report.all_votes):
        assert np.isnan(one.value)


def test_a_photo_counts_in_the_week_of_its_last_vote(rng):
    votes = table(rng, photos=50)
    weeks = np.full(150, 4)
    weeks[-60:] = 11  # the last 20 photos
    weeks[60] = 11  # the third vote of another photo is still in the second week
    found = agreement_by_week(votes, weeks, **SCALE, at_most=10)
    assert [(one.week, one.photos) for one in found] == [(4, 29), (11, 21)]


def test_weeks_show_when_agreement_gets_worse(rng):
    good, bad = table(rng), table(rng, noise=6, first=40)
    weeks = np.repeat([4, 11], 120)
    first, second = agreement_by_week(joined(good, bad), weeks, **SCALE, at_most=10)
    assert second.alpha.high < first.alpha.low


@pytest.mark.parametrize(("at_most", "count"), [(1, 1), (5, 2)])
def test_only_the_last_weeks_with_enough_photos_are_returned(rng, at_most, count):
    votes = joined(table(rng), table(rng, photos=60, first=40))
    weeks = np.repeat([4, 11, 18], [120, 30, 150])  # 10 photos in the second week
    found = agreement_by_week(votes, weeks, **SCALE, at_most=at_most)
    assert len(found) == count
    assert found[-1].week == 18


def test_no_votes_have_no_weeks():
    empty = VoteTable(*(np.array([], dtype=np.int64) for _ in range(5)))
    assert agreement_by_week(empty, np.array([], dtype=np.int64), **SCALE, at_most=5) == []
