"""What a whole campaign looks like, from invented audit photos."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotation.measures.figures_text import figures_read, figures_text
from tests.training.evaluation.calibration.invented import bell, comparison
from training.evaluation.comparison import Comparison
from training.evaluation.pool_estimates import CLASSES, SCORE, WATCH, PoolFacts, PoolFigures, pool_figures
from training.evaluation.weighted_answers import TakenPhotos, WeightedEstimate, weighted_answers

PHOTOS, ALL = 120, 1000


@pytest.fixture
def audit(rng: np.random.Generator) -> Comparison:
    """120 photos with three votes each, of 3 to 9 points; the model scores 1 too low. Every fourth has a watch."""
    quality = np.linspace(3, 9, PHOTOS)
    scores = np.rint(quality[:, None] + rng.normal(0, 0.8, (PHOTOS, 3))).clip(1, 10)
    is_watch = np.arange(PHOTOS) % 4 == 0
    return comparison(
        scores, bell(quality - 1, np.ones(PHOTOS)), watch=np.where(is_watch, 0.9, 0.1), labels=is_watch.astype(int)
    )


def taken(audit: Comparison) -> TakenPhotos:
    """80 of the photos were drawn at random among 500 holdout photos, and the 40 best ones chosen among 500 others."""
    is_holdout = np.arange(PHOTOS) < 80
    order = np.argsort(audit.mos)
    drawn = order[np.arange(PHOTOS)]
    return TakenPhotos(
        is_holdout=is_holdout,
        is_random=is_holdout,
        scores=audit.mos[drawn],
        watch=(audit.watch_yes / 3)[drawn],
        votes=audit.vote_counts[drawn],
        labels=audit.vote_counts[drawn],
        holdout=500,
        others=500,
    )


def facts(audit: Comparison, **changed: Any) -> PoolFacts:
    known = PoolFacts(
        audited=audit.image_ids,
        photos=ALL,
        predicted=ALL,
        score=5.0,
        classes=(0.33, 0.33, 0.34),
        watch=0.3,
        is_holdout_only=False,
        taken=taken(audit),
    )
    return replace(known, **changed)


def means(figures: PoolFigures) -> dict[str, Any]:
    return {one.name: one.found for one in figures.estimates}


def test_a_wrong_but_ordered_model_makes_the_intervals_narrower(audit: Comparison) -> None:
    found = means(pool_figures(audit, facts(audit)))
    assert list(found) == [SCORE, *CLASSES, WATCH]
    assert found[SCORE].powered.value == pytest.approx(6, abs=0.2)
    assert found[SCORE].width_ratio < 0.6
    assert sum(found[name].powered.value for name in CLASSES) == pytest.approx(1)
    assert found[WATCH].classical.value == pytest.approx(0.25)
    assert found[WATCH].powered.value == pytest.approx(0.25, abs=0.02)  # 0.3 of the predictions are 0.25 of the votes


def test_only_audit_photos_count(audit: Comparison) -> None:
    best = audit.image_ids[-40:]
    figures = pool_figures(audit, facts(audit, audited=best))
    assert (figures.audited, figures.groups, figures.votes) == (40, 40, 120)
    assert means(figures)[SCORE].classical.value > 7.5
    assert figures.mean_error.n == 40


def test_the_accuracy_is_that_of_audit_photos(audit: Comparison) -> None:
    figures = pool_figures(audit, facts(audit))
    assert figures.mean_error.low < 1.0 < figures.mean_error.high + 0.2
    assert (figures.watch_accuracy.value, figures.watch_f1.value) == (1.0, 1.0)
    assert figures.watch_accuracy.low < 0.99


def test_too_few_photos_say_what_is_missing(audit: Comparison) -> None:
    figures = pool_figures(audit, facts(audit, audited=audit.image_ids[:29]))
    assert not figures.is_known
    assert {(one.have, one.needed, one.is_of_side) for one in figures.estimates} == {(29, 30, False)}
    assert np.isnan([figures.mean_error.value, figures.watch_accuracy.value, figures.watch_f1.value]).all()
    none = pool_figures(audit, facts(audit, audited=np.zeros(0, dtype=np.int64)))
    assert (none.audited, none.is_known) == (0, False)


def test_a_rare_watch_cannot_be_told(audit: Comparison) -> None:
    is_rare = np.arange(PHOTOS) < 3
    rare = replace(audit, watch_yes=3.0 * is_rare, watch_no=3.0 * ~is_rare)
    watch = pool_figures(rare, facts(audit)).estimates[-1]
    assert (watch.found, watch.have, watch.needed, watch.is_of_side) == (None, 3, 5, True)


def test_near_duplicates_count_once(audit: Comparison) -> None:
    copies = replace(audit, groups=np.repeat([str(one) for one in range(29)], 5)[:PHOTOS].astype("U36"))
    assert not pool_figures(copies, facts(audit)).is_known


def test_the_figures_can_be_stored(audit: Comparison) -> None:
    figures = pool_figures(audit, facts(audit))
    assert figures_read(PoolFigures, figures_text(figures)) == figures


def test_all_answers_cannot_tell_while_a_part_has_no_random_draws(audit: Comparison) -> None:
    chosen_only = taken(audit)
    found = weighted_answers(chosen_only, variance=1.0)
    assert (found.score.found, found.score.have, found.score.needed) == (None, 0, 10)
    few = replace(chosen_only, is_random=np.arange(PHOTOS) < 29)
    assert weighted_answers(few, variance=1.0).score == WeightedEstimate(None, 29, 30)


def test_chosen_photos_count_for_themselves_alone(audit: Comparison) -> None:
    """Half of the others are the best photos, and were chosen; those drawn at random among the rest have 4 points."""
    others = 200
    is_chosen = np.arange(PHOTOS) < 80
    mixed = replace(
        taken(audit),
        is_holdout=np.zeros(PHOTOS, bool),
        is_random=~is_chosen,
        scores=np.where(is_chosen, 9.0, 4.0),
        watch=np.where(is_chosen, 1.0, 0.0),
        holdout=0,
        others=others,
    )
    found = weighted_answers(mixed, variance=1.0)
    assert found.score.found is not None
    assert found.score.found.mean.value == pytest.approx((80 * 9 + 120 * 4) / others)
    assert found.score.found.mean.n == PHOTOS
    assert found.watch.found is not None
    assert found.watch.found.mean.value == pytest.approx(80 / others)


def test_photos_without_an_answer_are_no_photos(audit: Comparison) -> None:
    """Half of the photos that were given have no answer: people skipped them, or still have them."""
    answered = np.arange(PHOTOS) % 2 == 0
    half = replace(
        taken(audit),
        is_holdout=np.ones(PHOTOS, bool),
        is_random=np.ones(PHOTOS, bool),
        scores=np.where(answered, 5.0, np.nan),
        votes=answered.astype(float),
        holdout=160,
        others=0,
    )
    (holdout, _) = half.strata(half.scores)
    assert (len(holdout.values), holdout.photos) == (60, 100)


def test_few_watches_cannot_be_told_from_all_answers(audit: Comparison) -> None:
    rare = replace(
        taken(audit),
        is_holdout=np.ones(PHOTOS, bool),
        is_random=np.ones(PHOTOS, bool),
        watch=(np.arange(PHOTOS) < 4).astype(float),
    )
    watch = weighted_answers(replace(rare, others=0), variance=1.0).watch
    assert watch == WeightedEstimate(None, 4, 5, is_of_side=True)


def test_labels_that_agree_leave_no_chance_when_every_photo_has_them(audit: Comparison) -> None:
    whole = replace(taken(audit), is_random=np.ones(PHOTOS, bool), holdout=80, others=40)
    found = weighted_answers(whole, variance=0.6).watch.found
    assert found is not None
    assert found.mean.high - found.mean.low < 0.01
    divided = replace(whole, watch=np.where(np.arange(PHOTOS) % 2, 1 / 3, 2 / 3))
    unsure = weighted_answers(divided, variance=0.6).watch.found
    assert unsure is not None
    assert unsure.mean.high - unsure.mean.low > 0.05
