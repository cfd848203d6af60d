"""Figures come back from text as they were, and text of another version is no figures."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from annotation.measures.agreement.ceiling import Form, vote_ceiling
from annotation.measures.figures_text import MOST_KEPT, figures_kept, figures_read, figures_text
from annotation.measures.intervals import Interval


@dataclass(frozen=True)
class _Part:
    count: int
    share: Interval


@dataclass(frozen=True)
class _Figures:
    at: datetime | None
    parts: dict[int, _Part]
    ends: tuple[float, float]
    names: list[str]


def test_figures_come_back_with_their_types() -> None:
    share = Interval(np.float64(0.1), float("inf"), 0.3, np.int64(7))  # type: ignore[arg-type]  # as selectors make them
    figures = _Figures(datetime(2026, 3, 1, 12, tzinfo=UTC), {5: _Part(3, share)}, (1.5, 2.5), ["é", ""])
    assert figures_read(_Figures, figures_text(figures)) == figures


def test_what_is_unknown_stays_unknown() -> None:
    found = figures_read(Interval, figures_text(Interval(float("nan"), float("nan"), float("nan"), 0)))
    assert found is not None
    assert np.isnan([found.value, found.low, found.high]).all()


@pytest.mark.parametrize("form", Form)
def test_the_form_of_a_ceiling_comes_back_with_its_reason(form: Form) -> None:
    photos, people = np.repeat(np.arange(30), 3), np.tile(np.arange(3), 30)
    scores = np.random.default_rng(1).integers(1, 11, 90)
    ceiling = vote_ceiling(photos, people, scores)
    found = figures_read(type(ceiling), figures_text(ceiling))
    assert found == ceiling
    assert found is not None
    assert Form(form.value).reason == form.reason


@pytest.mark.parametrize("text", ["", "{", "{}", '{"count": "many", "share": null}', "[1]"])
def test_text_of_another_version_is_no_figures(text: str) -> None:
    assert figures_read(_Part, text) is None


def test_the_same_text_is_read_once_and_other_text_is_not_mixed_up_with_it() -> None:
    first = figures_text(_Part(1, Interval(0.1, 0.0, 0.2, 9)))
    found = figures_kept(_Part, first)
    assert found == figures_read(_Part, first)
    assert figures_kept(_Part, first) is found
    others = [figures_kept(_Part, first.replace("1", str(number), 1)) for number in range(2, 3 + MOST_KEPT)]
    assert [one and one.count for one in others] == list(range(2, 3 + MOST_KEPT))
    assert figures_kept(_Part, first) is not found  # too many others were read since
    assert figures_kept(Interval, first) is None
