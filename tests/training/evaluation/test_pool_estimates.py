"""What a whole campaign looks like, from invented audit photos."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotation.measures.figures_text import figures_read, figures_text
from tests.training.evaluation.calibration.invented import bell, comparison
from training.evaluation.comparison import Comparison
from training.evaluation.pool_estimates import CLASSES, SCORE, WATCH, PoolFacts, PoolFigures, pool_figures

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


def facts(audit: Comparison, **changed: Any) -> PoolFacts:
    known = PoolFacts(
        audited=audit.image_ids,
        photos=ALL,
        predicted=ALL,
        score=5.0,
        classes=(0.33, 0.33, 0.34),
        watch=0.3,
        is_holdout_only=False,
    )
    return replace(known, **changed)


def means(figures: PoolFigures) -> dict[str, Any]:
    return {one.name: one.found for one in figures.estimates}


def test_a_wrong_but_ordered_model_makes_the_intervals_narrower(audit: Comparison) -> None:
    found = means(pool_figures(audit, facts(audit), seed=1))
    assert list(found) == [SCORE, *CLASSES, WATCH]
    assert found[SCORE].powered.value == pytest.approx(6, abs=0.2)
    assert found[SCORE].width_ratio < 0.6
    assert sum(found[name].powered.value for name in CLASSES) == pytest.approx(1)
    assert found[WATCH].classical.value == pytest.approx(0.25)
    assert found[WATCH].powered.value == pytest.approx(0.25, abs=0.02)  # 0.3 of the predictions are 0.25 of the votes


def test_only_audit_photos_count(audit: Comparison) -> None:
    best = audit.image_ids[-40:]
    figures = pool_figures(audit, facts(audit, audited=best), seed=1)
    assert (figures.audited, figures.groups, figures.votes) == (40, 40, 120)
    assert means(figures)[SCORE].classical.value > 7.5
    assert figures.mean_error.n == 40


def test_the_accuracy_is_that_of_audit_photos(audit: Comparison) -> None:
    figures = pool_figures(audit, facts(audit), seed=1)
    assert figures.mean_error.low < 1.0 < figures.mean_error.high + 0.2
    assert (figures.watch_accuracy.value, figures.watch_f1.value) == (1.0, 1.0)
    assert figures.watch_accuracy.low < 0.99


def test_too_few_photos_say_what_is_missing(audit: Comparison) -> None:
    figures = pool_figures(audit, facts(audit, audited=audit.image_ids[:29]), seed=1)
    assert not figures.is_known
    assert {(one.have, one.needed, one.is_of_side) for one in figures.estimates} == {(29, 30, False)}
    assert np.isnan([figures.mean_error.value, figures.watch_accuracy.value, figures.watch_f1.value]).all()
    none = pool_figures(audit, facts(audit, audited=np.zeros(0, dtype=np.int64)), seed=1)
    assert (none.audited, none.is_known) == (0, False)


def test_a_rare_watch_cannot_be_told(audit: Comparison) -> None:
    is_rare = np.arange(PHOTOS) < 3
    rare = replace(audit, watch_yes=3.0 * is_rare, watch_no=3.0 * ~is_rare)
    watch = pool_figures(rare, facts(audit), seed=1).estimates[-1]
    assert (watch.found, watch.have, watch.needed, watch.is_of_side) == (None, 3, 5, True)


def test_near_duplicates_count_once(audit: Comparison) -> None:
    copies = replace(audit, groups=np.repeat([str(one) for one in range(29)], 5)[:PHOTOS].astype("U36"))
    assert not pool_figures(copies, facts(audit), seed=1).is_known


def test_the_figures_can_be_stored(audit: Comparison) -> None:
    figures = pool_figures(audit, facts(audit), seed=1)
    assert figures_read(PoolFigures, figures_text(figures)) == figures
