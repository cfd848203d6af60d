"""How photos are cut into slices."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks._slice_worlds import World, world_make
from training.evaluation.calibration.facts import NO_GROUP, PhotoFacts
from training.evaluation.calibration.slice_kinds import SliceKind, _quantile_bins, slice_kinds


def kinds_of(facts: PhotoFacts | None = None, photos: int = 300, **changes: object) -> dict[str, SliceKind]:
    comparison, invented = world_make(World(photos), np.random.default_rng(1))
    return {kind.key: kind for kind in slice_kinds(comparison, facts or replace(invented, **changes))}  # type: ignore[arg-type]


def test_photos_are_cut_in_every_known_way() -> None:
    assert list(kinds_of()) == [
        "class", "blur", "noise", "exposure", "compression", "size", "source", "format", "content", "period",
    ]  # fmt: skip


def test_a_way_with_a_single_slice_is_left_out_and_unknown_facts_too() -> None:
    kinds = kinds_of(PhotoFacts(sources=np.array(["only"] * 300)))
    assert list(kinds) == ["class"]
    assert slice_kinds(*world_make(World(0), np.random.default_rng(1))) == []


def test_the_strongest_distortion_and_each_class_have_a_filter_of_the_gallery() -> None:
    kinds = kinds_of()
    *weaker, strongest = kinds["noise"].names
    assert [one.query for one in weaker] == [()] * 4
    assert dict(strongest.query)["order"] == "noise"
    assert 0.7 < float(dict(strongest.query)["noise_from"]) < 0.9
    assert [dict(one.query)["quality_class"] for one in kinds["class"].names] == ["rejected", "pending", "accepted"]
    assert str(strongest.words).startswith("photos with noise of 0.8")


def test_photos_without_measurements_are_in_no_slice() -> None:
    severities = np.full((300, 4), np.nan)
    severities[:100] = np.linspace(0, 1, 100)[:, None]
    kind = kinds_of(distortions=severities)["blur"]
    assert (kind.codes[100:] == NO_GROUP).all()
    assert np.bincount(kind.codes[:100]).tolist() == [50, 50]
    assert str(kind.notes[0]) == "200 photos are not measured yet."


def test_many_imports_are_the_most_frequent_ones_and_the_others() -> None:
    names = np.array([f"zip-{number % 3 if number < 200 else number}" for number in range(300)])
    kind = kinds_of(sources=names)["source"]
    assert [str(one.label) for one in kind.names][:3] == ["zip-0", "zip-1", "zip-2"]
    assert str(kind.names[-1].label) == "other imports"
    assert len(kind.names) == 8
    assert np.bincount(kind.codes).sum() == 300


def test_many_months_become_years_and_the_newest_stay() -> None:
    months = np.array([f"{2010 + number // 20}-{1 + number % 12:02}" for number in range(300)])
    kind = kinds_of(months=months)["period"]
    assert [str(one.label) for one in kind.names] == [*map(str, range(2018, 2025)), "earlier"]
    assert (kind.codes[-20:] == 6).all()


@given(arrays.arrays(np.float64, st.integers(1, 300), elements=st.sampled_from([0.0, 0.1, 0.5, 1.0, np.nan])))
def test_every_measured_photo_is_in_the_bin_that_holds_its_value(values: np.ndarray) -> None:
    codes, ends = _quantile_bins(values)
    assert ((codes == NO_GROUP) == np.isnan(values)).all()
    for value, code in zip(values[codes >= 0], codes[codes >= 0], strict=True):
        assert ends[code][0] <= value <= ends[code][1]
    flat = [end for pair in ends for end in pair]
    assert flat == sorted(flat)
    assert len(set(ends)) == len(ends)


def test_a_class_that_the_model_never_gives_has_no_slice() -> None:
    comparison, facts = world_make(World(100), np.random.default_rng(1))
    low = replace(comparison, quality_mean=np.linspace(2, 6, 100))
    kind = next(iter(slice_kinds(low, facts)))
    assert [str(one.label) for one in kind.names] == ["rejected", "pending"]
    assert set(kind.codes.tolist()) == {0, 1}


@pytest.mark.parametrize("photos", [30, 120, 400])
def test_codes_always_name_a_slice(photos: int) -> None:
    comparison, facts = world_make(World(photos), np.random.default_rng(photos))
    for kind in slice_kinds(comparison, facts):
        assert len(kind.codes) == photos
        assert kind.codes.min() >= NO_GROUP
        assert kind.codes.max() == len(kind.names) - 1


def test_content_groups_have_the_names_of_their_typical_classes() -> None:
    content = np.repeat([0, 1, 2, 3], 75)
    typical = (("wall clock",), (), ("wall clock",), ("analog clock", "stopwatch"))
    kind = kinds_of(content=content, examples=((1,), (2,), (3,), (4,)), typical=typical)["content"]
    assert [str(one.label) for one in kind.names] == [
        "mostly: wall clock (group 1)", "group 2", "mostly: wall clock (group 3)", "mostly: analog clock, stopwatch",
    ]  # fmt: skip
    assert str(kind.names[1].words) == "photos of content group 2"
    assert str(kind.names[3].words) == "photos of the content “mostly: analog clock, stopwatch”"
