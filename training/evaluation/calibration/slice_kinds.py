"""The ways to cut compared photos into slices: by distortion, size, import, format, class, content, month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from annotation.language.sentences import Sentence, as_written
from annotation.measures import classification
from training.evaluation.calibration.facts import DISTORTIONS, NO_GROUP, PhotoFacts
from training.evaluation.comparison import Comparison

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CLASS_NAMES = ("rejected", "pending", "accepted")
# Quantile bins have about 50 photos or more, and there are two to five.
_PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS = 50, 2, 5
_FEWEST_IN_BIN = 10
# Imports, formats and months beyond this number are one slice together.
_MOST_NAMES = 8
# Of each distortion: the title, and what photos with a severity are called.
_FAULTS = {
    "blur": (gettext_noop("Blur"), gettext_noop("photos with blur of %(ends)s")),
    "noise": (gettext_noop("Noise"), gettext_noop("photos with noise of %(ends)s")),
    "exposure": (gettext_noop("Bad exposure"), gettext_noop("photos with bad exposure of %(ends)s")),
    "compression": (gettext_noop("Compression"), gettext_noop("photos with compression of %(ends)s")),
}

Filter = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SliceName:
    """What a slice is called."""

    label: Sentence
    """In a table, for example "0.31–0.78"."""
    words: Sentence
    """In a sentence, for example "photos with blur of 0.31–0.78"."""
    query: Filter = ()
    """The parameters of the gallery that show such photos; none when the gallery has no such filter."""


@dataclass(frozen=True, eq=False)
class SliceKind:
    """One way to cut photos into slices."""

    key: str
    title: str
    """In English; what shows it translates it."""
    codes: Ints
    """Number of the slice of each photo [N]; NO_GROUP when unknown."""
    names: tuple[SliceName, ...]
    """One for each number."""
    notes: tuple[Sentence, ...] = ()
    examples: tuple[tuple[int, ...], ...] = ()


def slice_kinds(comparison: Comparison, facts: PhotoFacts) -> list[SliceKind]:
    """Return the ways to cut these photos that give at least two slices."""
    return [kind for kind in _kinds(comparison, facts) if len(kind.names) > 1]


def _kinds(comparison: Comparison, facts: PhotoFacts) -> Iterator[SliceKind]:
    if not len(comparison):
        return
    yield _class_kind(comparison)
    if len(facts.distortions):
        for column, fault in enumerate(DISTORTIONS):
            yield _severity_kind(fault, facts.distortions[:, column])
    if len(facts.megapixels):
        yield _size_kind(facts.megapixels)
    if len(facts.sources):
        yield _named(
            "source",
            gettext_noop("Import"),
            facts.sources,
            gettext_noop("photos of the import “%(name)s”"),
            others=(gettext_noop("other imports"), gettext_noop("photos of other imports")),
        )
    if len(facts.formats):
        yield _named(
            "format",
            gettext_noop("File format"),
            facts.formats,
            gettext_noop("%(name)s photos"),
            others=(gettext_noop("other formats"), gettext_noop("photos of other formats")),
        )
    if len(facts.content):
        yield _content_kind(facts)
    if len(facts.months):
        yield _month_kind(facts.months)


def _class_kind(comparison: Comparison) -> SliceKind:
    """Cut by the class that the model predicts.

    Not by the class of the MOS: among photos with the highest MOS, even a perfect model predicts lower scores on
    average, because a MOS of a few votes is high partly by chance.
    """
    scale = comparison.scale
    codes = classification.quality_classes(
        comparison.quality_mean, reject_at=scale.predicted_reject_at, pending_at=scale.predicted_pending_at
    ).astype(np.int64)
    words = gettext_noop("photos predicted as %(name)s")
    names = [
        # `inference.decisions.limits` marks the names of the classes
        SliceName(Sentence(name), Sentence(words, {"name": Sentence(name)}), (("quality_class", name),))
        for name in CLASS_NAMES
    ]
    codes, kept = _without_gaps(codes, names)
    return SliceKind("class", gettext_noop("Predicted class"), codes, kept)


def _severity_kind(fault: str, severity: Floats) -> SliceKind:
    title, words = _FAULTS[fault]
    codes, ends = _quantile_bins(np.round(severity, 2))
    names = []
    for place, (low, high) in enumerate(ends):
        text = _ends_text(low, high, 2)
        is_worst = place == len(ends) - 1
        query = (("order", fault), (f"{fault}_from", f"{low:.4g}")) if is_worst else ()
        names.append(SliceName(as_written(text), Sentence(words, {"ends": text}), query))
    missing = int((codes == NO_GROUP).sum())
    note = Sentence(gettext_noop("%(missing)s photos are not measured yet."), {"missing": f"{missing:,}"})
    return SliceKind(fault, title, codes, tuple(names), (note,) if missing else ())


def _size_kind(megapixels: Floats) -> SliceKind:
    codes, ends = _quantile_bins(megapixels)
    names = []
    for low, high in ends:
        text = _ends_text(low, high, 1 if low >= 1 else 2)
        words = Sentence(gettext_noop("photos of %(ends)s megapixels"), {"ends": text})
        names.append(SliceName(as_written(f"{text} MP"), words))
    return SliceKind("size", gettext_noop("Image size"), codes, tuple(names))


def _content_kind(facts: PhotoFacts) -> SliceKind:
    groups = len(facts.examples)
    names = [_content_name(one, facts.typical) for one in range(groups)]
    present = [one for one in range(groups) if (facts.content == one).any()]
    codes, kept = _without_gaps(facts.content, names)
    notes = [Sentence(gettext_noop("Photos that look alike to the network, found by k-means on the stored features."))]
    if any(facts.typical):
        notes.append(
            Sentence(
                gettext_noop("Their names are the ImageNet classes that the network sees there more than elsewhere.")
            )
        )
    missing = int((facts.content == NO_GROUP).sum())
    if missing:
        notes.append(Sentence(gettext_noop("%(missing)s photos have no features yet."), {"missing": f"{missing:,}"}))
    examples = tuple(facts.examples[one] for one in present)
    return SliceKind("content", gettext_noop("Content"), codes, kept, tuple(notes), examples)


def _content_name(group: int, typical: Sequence[tuple[str, ...]]) -> SliceName:
    """Return the name of a content group by its most typical classes, and by its number where none is typical.

    Two groups with the same classes have their numbers too.
    """
    number = {"number": str(group + 1)}
    classes = typical[group] if typical else ()
    if not classes:
        return SliceName(
            Sentence(gettext_noop("group %(number)s"), number),
            Sentence(gettext_noop("photos of content group %(number)s"), number),
        )
    values = {"classes": ", ".join(classes)}
    label = Sentence(gettext_noop("mostly: %(classes)s"), values)
    if list(typical).count(classes) > 1:
        label = Sentence(gettext_noop("mostly: %(classes)s (group %(number)s)"), values | number)
    return SliceName(label, Sentence(gettext_noop("photos of the content “%(label)s”"), {"label": label}))


def _month_kind(months: NDArray[np.str_]) -> SliceKind:
    """Cut by month, and by year when there are many months."""
    periods = months if len(np.unique(months)) <= _MOST_NAMES else months.astype("U4")
    return _named(
        "period",
        gettext_noop("Imported in"),
        periods,
        gettext_noop("photos imported in %(name)s"),
        others=(gettext_noop("earlier"), gettext_noop("photos imported earlier")),
        newest=True,
    )


def _named(
    key: str, title: str, column: NDArray[np.str_], words: str, *, others: tuple[str, str], newest: bool = False
) -> SliceKind:
    """Cut by a name. With many names, the most frequent (or `newest`) ones are kept and the others are one slice.

    `others`: what that slice is called in a table and in a sentence.
    """
    found, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    order = np.arange(len(found)) if newest else np.argsort(-counts, kind="stable")
    if len(found) > _MOST_NAMES:
        order = np.concatenate([order[-_MOST_NAMES + 1 :], order[: -_MOST_NAMES + 1]]) if newest else order
    place = np.empty(len(found), dtype=np.int64)
    place[order] = np.arange(len(found))
    kept = len(found) if len(found) <= _MOST_NAMES else _MOST_NAMES - 1
    names = [
        SliceName(as_written(str(found[one])), Sentence(words, {"name": str(found[one])}))
        for one in order[:kept].tolist()
    ]
    if kept < len(found):
        names.append(SliceName(Sentence(others[0]), Sentence(others[1])))
    return SliceKind(key, title, np.minimum(place[codes], kept), tuple(names))


def _quantile_bins(values: Floats) -> tuple[Ints, list[tuple[float, float]]]:
    """Return the bin of each value [N] (NO_GROUP for NaN), and the least and largest value of each bin.

    Equal values are always in the same bin, so there can be fewer bins. A bin of a few photos joins the one before it.
    """
    codes = np.full(len(values), NO_GROUP, dtype=np.int64)
    known = ~np.isnan(values)
    measured = values[known]
    if not len(measured):
        return codes, []
    bins = int(np.clip(len(measured) // _PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS))
    edges = np.quantile(measured, np.linspace(0, 1, bins + 1)[1:-1])
    _, inner, counts = np.unique(np.searchsorted(edges, measured, side="left"), return_inverse=True, return_counts=True)
    starts = counts >= _FEWEST_IN_BIN
    starts[0] = True  # the first bin has none before it
    inner = (np.cumsum(starts) - 1)[inner]
    codes[known] = inner
    ends = [
        (float(part.min()), float(part.max())) for part in (measured[inner == one] for one in range(inner.max() + 1))
    ]
    return codes, ends


def _without_gaps(codes: Ints, names: Sequence[SliceName]) -> tuple[Ints, tuple[SliceName, ...]]:
    """Return the codes without those that no photo has."""
    present = np.array([one for one in range(len(names)) if (codes == one).any()], dtype=np.int64)
    place = np.full(len(names) + 1, NO_GROUP, dtype=np.int64)  # the last place is that of NO_GROUP
    place[present] = np.arange(len(present))
    return place[codes], tuple(names[one] for one in present.tolist())


def _ends_text(low: float, high: float, digits: int) -> str:
    first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return first if first == last else f"{first}–{last}"
