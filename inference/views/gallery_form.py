"""The filters of the gallery as its form shows them: choices with counts, chips, and what is missing."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext, gettext_lazy, gettext_noop

from annotation.models import LIVE, Campaign, Image, SavedView, User
from annotation.selectors.tags import tag_names
from inference.gallery.counts import AT_ONCE, GalleryCounts, gallery_counts, photos_up_to
from inference.gallery.places import Hidden, gallery_places
from inference.gallery.query import (
    BY_CONSENSUS,
    BY_DISTORTION,
    BY_PEOPLE,
    BY_VOTES,
    DISTORTIONS,
    ORDERS,
    GalleryQuery,
)
from inference.models import ModelVersion, QualityClass
from inference.selectors import shown_threshold

_SPLITS = ((Image.Split.TRAIN, gettext_noop("train")), (Image.Split.HOLDOUT, gettext_noop("holdout")))
_GROUPS = (
    (gettext_lazy("By time"), ("newest",)),
    (gettext_lazy("By the model"), ("best", "worst", "watch", "unlike")),
    (gettext_lazy("By people"), (*BY_CONSENSUS, *BY_VOTES)),
    (gettext_lazy("Model against people"), BY_PEOPLE),
    (gettext_lazy("By distortion"), BY_DISTORTION),
)
#: Tags in the list of filters. The field takes the others.
_TAGS_SHOWN = 12


def form_context(
    campaign: Campaign,
    query: GalleryQuery,
    version: ModelVersion | None,
    hidden: Hidden,
    user: User,
    *,
    is_empty: bool,
    with_counts: bool = True,
) -> dict[str, Any]:
    """Return what the form and the line above the photos show (five queries, more for an empty gallery).

    Counts come with it in campaigns of at most `AT_ONCE` photos; otherwise the page asks for them when it is there.
    """
    photos = photos_up_to(campaign, AT_ONCE)
    is_small = photos <= AT_ONCE
    counts = gallery_counts(campaign, version, query, hidden, photos=photos) if is_small and with_counts else None
    threshold = shown_threshold(campaign, version)
    views = list(SavedView.objects.filter(campaign=campaign, user=user))
    is_none = is_empty and not photos
    return {
        "order_groups": [(label, [(name, ORDERS[name][0]) for name in names]) for label, names in _GROUPS],
        "order_label": ORDERS[query.order][0],
        "classes": QualityClass.choices,
        "facets": facets(query, version, threshold),
        "tag_names": tag_names(campaign),
        "distortions": [(name, getattr(query, f"{name}_from")) for name in DISTORTIONS],
        "watch_threshold": threshold,
        "chips": chips(threshold, query),
        "filter_count": len(query.filters),
        "counts": counts,
        "counted": counted(counts),
        "views": views,
        "view": next((view for view in views if view.query == query.encode()), None),
        "total": campaign.images.filter(LIVE).count() if is_empty and photos else photos,
        "removable": _removable_filters(campaign, version, query, hidden) if is_empty and not is_none else [],
        "missing": _missing(version, query),
        "leaves_out_disputed": bool(version) and query.uses_predictions,
    }


def facets(query: GalleryQuery, version: ModelVersion | None, threshold: float) -> list[dict[str, Any]]:
    """Return each filter with a few choices: its name, label and [(value, label)], without those that need a model."""
    classes = QualityClass.choices
    found: list[tuple[str, str, list[tuple[str, str]]]] = [
        (
            "votes",
            gettext("Votes"),
            [("none", gettext("none yet")), ("some", gettext("some")), ("enough", gettext("enough"))],
        ),
        ("split", gettext("Split"), [(value, gettext(label)) for value, label in _SPLITS]),
        ("distortion_class", gettext("Class by distortions"), [(value, str(label)) for value, label in classes]),
    ]
    if version is not None:
        by_model: list[tuple[str, str, list[tuple[str, str]]]] = [
            ("quality_class", gettext("Predicted class"), [(value, str(label)) for value, label in classes]),
            (
                "watch",
                gettext("Predicted watch"),
                [
                    ("yes", gettext("watch, above %(threshold)s") % {"threshold": f"{threshold:g}"}),
                    ("no", gettext("no watch")),
                ],
            ),
        ]
        found = by_model + found
    return [
        {"name": name, "label": label, "choices": choices, "chosen": getattr(query, name)}
        for name, label, choices in found
    ]


def counted(counts: GalleryCounts | None) -> list[dict[str, Any]]:
    """Return each count of a choice with the id of its place on the page; [] without counts."""
    if counts is None:
        return []
    return [
        {"id": f"count-{name}-{value}", "number": number}
        for name, choices in counts.choices.items()
        for value, number in choices.items()
    ]


def tag_choices(counts: GalleryCounts, query: GalleryQuery) -> list[tuple[str, int]]:
    """Return the tags with the most photos and their counts, and the chosen one."""
    most = sorted(counts.tags.items(), key=lambda row: (-row[1], row[0]))[:_TAGS_SHOWN]
    if query.tag and query.tag not in dict(most):
        most.append((query.tag, counts.tags.get(query.tag, 0)))
    return most


def chips(threshold: float, query: GalleryQuery) -> list[dict[str, str]]:
    """Return a text for each filter that is set, with its name and the query without that filter."""
    words: dict[str, Callable[[Any], str]] = {
        "quality_class": lambda value: gettext("predicted %(value)s") % {"value": gettext(value)},
        "watch": lambda value: f"{gettext('watch >') if value == 'yes' else gettext('no watch ≤')} {threshold:g}",
        "distortion_class": lambda value: gettext("%(value)s by distortions") % {"value": gettext(value)},
        "votes": lambda value: {
            "none": gettext("no votes yet"),
            "some": gettext("some votes"),
            "enough": gettext("enough votes"),
        }[value],
        "split": lambda value: gettext("holdout only") if value == "holdout" else gettext("train only"),
        "tag": lambda value: gettext("tag “%(value)s”") % {"value": value},
        "selection": lambda value: gettext("a selection of photos"),
        "name": lambda value: gettext("name contains “%(value)s”") % {"value": value},
    }
    what = {"watch": gettext("watch probability"), "distortion": gettext("distortion quality"), "mos": "MOS"}
    found = []
    for name, value in query.filters.items():
        if name in words:
            text = words[name](value)
        else:
            part, _, end = name.rpartition("_")
            text = f"{what.get(part, part)} {'≥' if end == 'from' else '≤'} {value:g}"
        found.append({"text": text, "name": name, "query_string": query.without(name).encode()})
    return found


def _removable_filters(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> list[dict[str, str]]:
    """Return each filter (or the order) whose removal gives results, for a gallery without results."""
    names = [*query.filters, *(["order"] if query.order != "newest" else [])]
    texts = {chip["query_string"]: chip["text"] for chip in chips(shown_threshold(campaign, version), query)}
    removable = []
    for name in names:
        other = query.without(name)
        if gallery_places(campaign, version, other, hidden)[:1]:
            text = texts.get(other.encode(), gettext("order “%(order)s”") % {"order": ORDERS[query.order][0]})
            removable.append({"text": text, "query_string": other.encode()})
    return removable


def _missing(version: ModelVersion | None, query: GalleryQuery) -> str:
    """Return what is missing, for a gallery that stays empty after the removal of any single filter."""
    if query.order in BY_PEOPLE:
        return gettext("This order needs photos with a prediction and with votes given before seeing it.")
    if query.order in BY_CONSENSUS:
        return gettext("No photo has a MOS yet. Workers compute it soon after the first votes.")
    if query.order in BY_DISTORTION:
        return gettext(
            "No photo has been measured for distortions yet. Workers start when all photos have predictions."
        )
    if version is None:
        return gettext("There are no predictions yet to sort or filter by.")
    return gettext("No photo matches these filters, or the matching photos have no prediction yet.")
