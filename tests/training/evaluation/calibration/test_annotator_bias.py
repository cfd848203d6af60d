"""The model against each annotator's own votes."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks._slice_worlds import World, world_make
from training.evaluation.calibration.annotator_bias import annotator_biases


def test_a_strict_person_is_told_apart_from_a_model_that_errs() -> None:
    comparison, _ = world_make(World(120, votes=3), np.random.default_rng(1))
    votes = comparison.votes
    strict = np.where(votes.annotator_ids == 2, np.maximum(votes.scores - 2, 1), votes.scores).astype(np.int16)
    changed = replace(comparison, votes=replace(votes, scores=strict))
    rows = {row.annotator_id: row for row in annotator_biases(changed, seed=1)}
    assert rows[2].model.low > 1
    assert rows[2].others.low > 1
    high = replace(comparison, quality_mean=comparison.quality_mean + 2)
    for row in annotator_biases(high, seed=1):
        assert row.model.low > 1
        assert abs(row.others.value) < 0.5


def test_figures_are_means_of_differences_and_people_with_few_votes_are_left_out() -> None:
    comparison, _ = world_make(World(40, votes=2), np.random.default_rng(2))
    votes = comparison.votes
    few = votes.where((votes.annotator_ids == 0) | (votes.image_ids <= 9))
    (row,) = annotator_biases(replace(comparison, votes=few), seed=1)
    own = few.where(few.annotator_ids == 0)
    assert (row.annotator_id, row.votes) == (0, 40)
    assert row.model.value == pytest.approx((comparison.quality_mean - own.scores).mean())
    other = few.where(few.annotator_ids == 1)
    assert (row.others.n, row.others.value) == (9, pytest.approx((other.scores - own.scores[:9]).mean()))
    alone = replace(comparison, votes=own)
    assert np.isnan(annotator_biases(alone, seed=1)[0].others.value)
