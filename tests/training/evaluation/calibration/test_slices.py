"""The figures of all slices, and the verdict in words."""

import numpy as np
import pytest

from annotation.measures import correlation
from annotation.measures.figures_text import figures_read, figures_text
from benchmarks._slice_worlds import World, world_make
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.calibration.slices import FEW, NONE, WORST, SliceFigures, slice_figures


def figures_of(world: World, seed: int = 1) -> SliceFigures:
    found = slice_figures(*world_make(world, np.random.default_rng(seed)), seed=1)
    assert found is not None
    return found


def test_the_worst_slice_is_named_with_its_size_and_the_correction() -> None:
    found = figures_of(World(800, off=0.8))
    assert found.scores.kind == WORST
    assert found.scores.text.startswith("The model scores photos with noise of 0.")
    assert "points too high on average (0." in found.scores.text
    assert f"Corrected for having looked at {found.scores.compared} slices." in found.scores.text
    assert dict(found.scores.query)["order"] == "noise"
    worst = next(kind for kind in found.kinds if kind.key == "noise").slices[-1]
    assert "bias" in worst.stands_out
    assert worst.bias is not None
    assert worst.bias.low > 0.3


def test_a_campaign_without_a_bad_slice_says_what_would_have_been_seen() -> None:
    found = figures_of(World(800))
    assert found.scores.kind == NONE
    assert found.scores.text.startswith("No slice stands out among ")
    assert "points to be named in 4 of 5 cases" in found.scores.text
    assert all(one.stands_out == () for kind in found.kinds for one in kind.slices)


def test_few_photos_give_no_verdict_and_no_figures() -> None:
    found = figures_of(World(30))
    assert found.scores.kind == FEW
    assert found.scores.text == "Too few photos to tell: 30 photos do not give two slices of 20 photos each."
    formats = next(kind for kind in found.kinds if kind.key == "format")
    assert [one.bias is None for one in formats.slices] == [False, True]


def test_watches_are_searched_apart_from_scores() -> None:
    found = figures_of(World(800, wrong_watches=0.3))
    assert found.watches.kind == WORST
    assert found.watches.text.startswith("Watch decisions are worst on photos with noise of 0.")
    assert found.scores.kind == NONE
    few = figures_of(World(60))
    assert few.watches.kind == FEW
    assert few.watches.text.startswith("Too few errors to tell: ")


def test_figures_are_those_of_the_photos_of_the_slice() -> None:
    comparison, facts = world_make(World(300), np.random.default_rng(2))
    found = slice_figures(comparison, facts, seed=1)
    assert found is not None
    png = next(one for kind in found.kinds if kind.key == "format" for one in kind.slices if str(one.label) == "PNG")
    part = comparison.part(facts.formats == "PNG")
    assert (png.photos, str(png.words)) == (len(part), "PNG photos")
    for name in ("rmse", "bias", "srcc"):
        expected = float(getattr(correlation, name)(part.quality_mean, part.mos))
        assert getattr(png, name).value == pytest.approx(expected)
    decided = part.has_majority
    wrong = (part.watch_probability[decided] > 0.5) != (part.is_watch[decided] == 1)
    assert (png.wrong, png.watch and png.watch.n) == (int(wrong.sum()), int(decided.sum()))


def test_photos_with_few_votes_do_not_stand_out_for_their_scatter() -> None:
    """Photos of the import 'second' keep one vote of three: their MOS scatters more, and the model is as good."""
    comparison, facts = world_make(World(900), np.random.default_rng(3))
    single = np.isin(comparison.votes.image_ids, comparison.image_ids[facts.sources == "second"])
    kept = comparison.votes.where(~single | (comparison.votes.annotator_ids == 0))
    from dataclasses import replace

    from annotation.measures import opinion

    _, histograms = opinion.weighted_histograms(kept.image_ids, kept.scores, kept.weights, lowest=1, highest=10)
    fewer = replace(comparison, votes=kept, histograms=histograms)
    found = slice_figures(fewer, facts, seed=1, fewest_votes=1)
    assert found is not None
    imports = {str(one.label): one for kind in found.kinds if kind.key == "source" for one in kind.slices}
    second, first = imports["second"].rmse, imports["first"].rmse
    assert second is not None
    assert first is not None
    assert second.low > first.high
    assert imports["second"].stands_out == ()


def test_stored_figures_come_back_unchanged() -> None:
    found = figures_of(World(120))
    back = figures_read(SliceFigures, figures_text(found))
    assert back is not None
    assert figures_text(back) == figures_text(found)
    assert back.kinds[0].slices[0].query == found.kinds[0].slices[0].query


def test_without_enough_votes_there_are_no_figures() -> None:
    comparison, _ = world_make(World(40, votes=1), np.random.default_rng(1))
    assert slice_figures(comparison, PhotoFacts(sources=np.array(["a"] * 40)), seed=1) is None
