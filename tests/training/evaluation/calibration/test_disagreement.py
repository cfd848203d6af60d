"""Photos on which people and the model disagree beyond chance."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.measures.figures_text import figures_read, figures_text
from benchmarks._slice_worlds import World, world_make
from training.evaluation.calibration.disagreement import (
    FALSE_SHARE,
    DisagreementFigures,
    disagreement_figures,
    vote_error,
    watch_posterior,
)
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.comparison import Comparison


def world(photos: int = 400, votes: int = 6, seed: int = 1) -> tuple[Comparison, PhotoFacts]:
    return world_make(World(photos, votes=votes), np.random.default_rng(seed))


def found_in(comparison: Comparison, facts: PhotoFacts) -> DisagreementFigures:
    figures = disagreement_figures(comparison, facts)
    assert figures is not None
    return figures


def moved(comparison: Comparison, rows: list[int], points: float) -> Comparison:
    """Return the comparison with predictions that are far from people's scores on some photos."""
    means = comparison.quality_mean.copy()
    for row in rows:
        means[row] = comparison.mos[row] + (points if comparison.mos[row] < 5.5 else -points)
    return replace(comparison, quality_mean=means)


def test_photos_that_are_far_apart_are_listed_first_with_intervals_that_do_not_meet() -> None:
    comparison, facts = world()
    figures = found_in(moved(comparison, [3, 50, 200], 5.5), facts)
    listed = [one.image_id for one in figures.scores]
    assert set(listed[:3]) == set(comparison.image_ids[[3, 50, 200]].tolist())
    for one in figures.scores:
        assert one.model_low > one.high or one.model_high < one.low
    assert [one.p for one in figures.scores] == sorted(one.p for one in figures.scores)


def test_without_disagreement_hardly_any_photo_is_listed_and_as_many_do_not_meet_as_chance_brings() -> None:
    seen = expected = lists = 0.0
    for seed in range(12):
        figures = found_in(*world(300, 4, seed))
        seen += figures.not_meeting
        expected += figures.by_chance
        lists += figures.listed > 0
    assert lists <= 4
    assert 0.3 * expected <= seen <= 3 * expected + 3


def test_of_the_listed_photos_few_are_false() -> None:
    false = listed = 0
    for seed in range(8):
        comparison, facts = world(400, 6, seed)
        true = list(range(20))
        figures = found_in(moved(comparison, true, 4.5), facts)
        false += sum(one.image_id not in set(comparison.image_ids[true].tolist()) for one in figures.scores)
        listed += len(figures.scores)
    assert listed >= 8 * 15
    assert false <= 1.5 * FALSE_SHARE * listed


def test_a_large_difference_on_few_scattered_votes_is_not_listed() -> None:
    """The raw difference of the second photo is the largest, but its two votes are ten points apart."""
    comparison, facts = world()
    votes = comparison.votes
    few = votes.image_ids == comparison.image_ids[1]
    kept = votes.where(~few | (votes.annotator_ids < 2))
    scores = kept.scores.copy()
    own = np.flatnonzero(kept.image_ids == comparison.image_ids[1])
    scores[own] = [1, 10]
    histograms = comparison.histograms.copy()
    histograms[1] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    scattered = replace(comparison, votes=replace(kept, scores=scores), histograms=histograms)
    means = scattered.quality_mean.copy()
    means[1] = 9.0  # 3.5 points from a MOS of 5.5 of two votes
    means[0] = scattered.mos[0] + (3.4 if scattered.mos[0] < 5.5 else -3.4)
    figures = found_in(replace(scattered, quality_mean=means), facts)
    ids = [one.image_id for one in figures.scores]
    assert comparison.image_ids[1] not in ids


def test_the_typical_error_is_that_of_photos_that_the_model_has_not_learned_from() -> None:
    comparison, facts = world(400)
    is_holdout = np.arange(400) >= 200
    close = comparison.quality_mean.copy()
    close[:200] = comparison.mos[:200]  # learned by heart
    figures = found_in(replace(comparison, quality_mean=close), replace(facts, is_holdout=is_holdout))
    alone = found_in(comparison.part(is_holdout), facts.part(is_holdout))
    assert figures.model_error == pytest.approx(alone.model_error, rel=0.1)
    assert figures.model_error > 0.5


def test_the_models_interval_always_has_a_width() -> None:
    comparison, facts = world(100)
    figures = found_in(replace(comparison, quality_mean=comparison.mos), facts)
    assert 0.05 < figures.model_error < 0.5
    assert figures.listed == 0


def test_a_sure_majority_against_a_sure_model_is_listed_with_the_number_by_chance() -> None:
    comparison, facts = world(400, 5)
    watch = np.where(comparison.is_watch == 1, 0.99, 0.01)
    watch[7], watch[8] = 1 - watch[7], 0.5
    figures = found_in(replace(comparison, watch_probability=watch), facts)
    assert [one.image_id for one in figures.watches] == [comparison.image_ids[7]]
    assert figures.contradicting == 1
    assert figures.labelled == 399  # the model is not sure of one
    assert 3.9 < figures.watch_by_chance < 6


def test_the_error_of_a_vote_comes_from_votes_that_differ() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(3000) < 0.3
    said = truth[:, None] ^ (rng.random((3000, 4)) < 0.08)
    yes = said.sum(axis=1)
    assert vote_error(yes, 4 - yes) == pytest.approx(0.08, abs=0.01)
    assert 0 < vote_error(np.array([3, 0]), np.array([0, 3])) < 0.2  # all agree, but they are few
    assert vote_error(np.array([1, 1]), np.array([1, 1])) == 0.5


def test_the_probability_of_a_watch_is_that_of_bayes() -> None:
    yes, no = np.array([3, 1, 0, 0]), np.array([0, 1, 2, 0])
    share = 2 / 4  # one watch of two photos with a majority, and one of each added
    odds = share / (1 - share) * (0.9 / 0.1) ** 3
    found = watch_posterior(yes, no, 0.1)
    assert found[0] == pytest.approx(odds / (1 + odds))
    assert found[1] == pytest.approx(0.5)
    assert found[2] == pytest.approx(1 / (1 + 81))
    assert found[3] == 0.5


def test_few_photos_have_no_figures_and_figures_can_be_stored() -> None:
    comparison, facts = world(19)
    assert disagreement_figures(comparison, facts) is None
    comparison, facts = world()
    figures = found_in(moved(comparison, [1, 2], 5.5), facts)
    assert figures_read(DisagreementFigures, figures_text(figures)) == figures
