"""The figures of the quality classes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from annotation.measures.classification import macro_f1
from annotation.measures.votes import VoteTable
from training.evaluation.calibration.classes import class_figures
from training.evaluation.comparison import Comparison
from training.evaluation.registry import ScaleAndThresholds


def comparison_of(*, mos: list[int], predicted: list[float], reject_at: float, pending_at: float) -> Comparison:
    """Return photos with one vote each, on the scale 1-10."""
    count, ids = len(mos), np.arange(len(mos))
    histograms = np.eye(10)[np.array(mos) - 1]
    return Comparison(
        scale=ScaleAndThresholds(1, reject_at, pending_at, 0.5, reject_at, pending_at),
        image_ids=ids,
        names=[str(number) for number in ids],
        groups=ids.astype("U36"),
        histograms=histograms,
        quality_mean=np.array(predicted, dtype=np.float64),
        distribution=histograms,
        watch_probability=np.zeros(count),
        watch_yes=np.zeros(count),
        watch_no=np.zeros(count),
        votes=VoteTable(
            annotation_ids=ids,
            image_ids=ids,
            annotator_ids=np.ones(count, dtype=np.int64),
            scores=np.array(mos, dtype=np.int16),
            watch=np.zeros(count, dtype=np.int8),
            weights=np.ones(count),
        ),
        rated=count,
    )


@pytest.fixture
def compared() -> Comparison:
    """Six photos: MOS 2, 2, 5, 5, 8, 8; the model puts four of them into the right class."""
    return comparison_of(mos=[2, 2, 5, 5, 8, 8], predicted=[2, 5, 5, 5, 8, 2], reject_at=3, pending_at=6)


def test_the_table_counts_photos_by_class_of_people_and_model(compared: Comparison) -> None:
    figures = class_figures(compared, seed=1)
    assert figures is not None
    assert [row.counts for row in figures.rows] == [(1, 1, 0), (0, 2, 0), (1, 0, 1)]
    assert [(row.people, row.model) for row in figures.rows] == [(2, 2), (2, 3), (2, 1)]
    assert figures.accuracy.value == pytest.approx(4 / 6)
    assert figures.over_most_common.value == pytest.approx(4 / 6 - 2 / 6)
    assert figures.rows[0].f1.value == pytest.approx(0.5)


def test_the_version_decides_at_its_own_limits(compared: Comparison) -> None:
    moved = replace(compared, scale=replace(compared.scale, predicted_reject_at=5.5, predicted_pending_at=6))
    figures = class_figures(moved, seed=1)
    assert figures is not None
    assert [row.counts for row in figures.rows] == [(2, 0, 0), (2, 0, 0), (1, 0, 1)]


@pytest.mark.parametrize(
    ("predicted", "words"),
    [([2, 2, 5, 5, 8, 8] * 10, "would be right for"), ([5, 5, 2, 2, 2, 2] * 10, "worse than no model")],
)
def test_the_finding_names_the_rival_without_a_model(predicted: list[float], words: str) -> None:
    figures = class_figures(
        comparison_of(mos=[2, 2, 5, 5, 8, 8] * 10, predicted=predicted, reject_at=3, pending_at=6), seed=1
    )
    assert figures is not None
    assert words in figures.finding
    assert "cannot be told" not in figures.finding


def test_with_few_photos_the_finding_is_that_it_cannot_be_told(compared: Comparison) -> None:
    figures = class_figures(compared, seed=1)
    assert figures is not None
    assert "cannot be told" in figures.finding
    assert class_figures(compared.part(np.zeros(6, dtype=bool)), seed=1) is None


def test_macro_f1_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    decided, truth = rng.integers(0, 3, (20, 40)), rng.integers(0, 3, (20, 40))
    ours = macro_f1(decided, truth)
    theirs = [f1_score(label, code, average="macro") for code, label in zip(decided, truth, strict=True)]
    assert ours.tolist() == pytest.approx(theirs)
    assert float(macro_f1([0, 0], [0, 2])) == pytest.approx((2 / 3 + 0) / 2)  # nobody has class 1
