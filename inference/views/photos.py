"""The gallery of a campaign: grid, best and worst photos, and CSV."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.models import LIVE, Campaign, Image, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.token_auth import token_allowed
from annotation.views.downloads import table_download
from inference.gallery.places import (
    PAGE_SIZE,
    Hidden,
    Place,
    gallery_photos,
    gallery_places,
    place_of,
    places_after,
    places_before,
    places_read,
)
from inference.gallery.predictions_table import prediction_records
from inference.gallery.query import BY_CONSENSUS, BY_DISTORTION, BY_PEOPLE, DISTORTIONS, ORDERS, GalleryQuery
from inference.gallery.table import gallery_records
from inference.models import ModelVersion, QualityClass
from inference.selectors import champion, shown_threshold
from inference.services.disagreements import disagreements_refresh

EXTREMES = 20
#: What a tile adds for an order.
_BY = {"apart": "apart", "watch_apart": "apart", "distorted": "distortion", "undistorted": "distortion"} | {
    **{name: name for name in DISTORTIONS},
    **dict.fromkeys(BY_CONSENSUS, "consensus"),
}
_GROUPS = (
    ("By time", ("newest",)),
    ("By the model", ("best", "worst", "watch", "unlike")),
    ("By people", BY_CONSENSUS),
    ("Model against people", BY_PEOPLE),
    ("By distortion", BY_DISTORTION),
)


def _with_query(
    view: Callable[[HttpRequest, Campaign, ModelVersion | None, GalleryQuery, Hidden], HttpResponseBase],
) -> Callable[[HttpRequest, Campaign], HttpResponseBase]:
    """Read the query from the URL, and which predictions are hidden. 400 with a message if the query is invalid."""

    def wrapped(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
        version = champion(campaign)
        try:
            query = GalleryQuery.read(request.GET.dict())
            if version and query.order in BY_PEOPLE:
                disagreements_refresh(version=version)
            assert isinstance(request.user, User)  # campaign_view refuses anonymous users
            return view(request, campaign, version, query, predictions_hidden(campaign, request.user))
        except ValueError as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")

    return wrapped


@campaign_view(Role.REVIEWER)
@_with_query
def photos(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Show the photos as a grid, sorted and filtered; htmx loads more while the user scrolls.

    `after` and `before` continue from a cursor; `at` shows the page around a photo.
    """
    shown, earlier, more = _page(request, campaign, version, query, hidden)
    context = {
        "campaign": campaign,
        "version": version,
        "query": query,
        "query_string": query.encode(),
        "photos": gallery_photos(version, shown, hidden),
        "earlier": query.encode(before=shown[0].cursor) if earlier else "",
        "more": query.encode(after=shown[-1].cursor) if more else "",
        "by": _BY.get(query.order, ""),
        "watch_threshold": shown_threshold(campaign, version),
    }
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "inference/_photo_tiles.html", context)
    return render(request, "inference/photos.html", context | _form(campaign, query, version, hidden, bool(shown)))


def _page(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> tuple[list[Place], bool, bool]:
    """Return the places to show, and whether some come before and after them. Raises ValueError for a bad cursor."""
    places = gallery_places(campaign, version, query, hidden)
    only_new = bool(request.htmx)  # type: ignore[attr-defined]  # the page already has the tiles on the other side
    if before := request.GET.get("before", ""):
        found = places_read(places_before(places, query, before)[: PAGE_SIZE + 1])
        return found[:PAGE_SIZE][::-1], len(found) > PAGE_SIZE, not only_new
    if after := request.GET.get("after", ""):
        found = places_read(places_after(places, query, after)[: PAGE_SIZE + 1])
        return found[:PAGE_SIZE], not only_new and bool(found), len(found) > PAGE_SIZE
    at = request.GET.get("at", "")
    here = place_of(places, int(at)) if at.isdecimal() and len(at) < 19 else None
    if here is None:  # it may not match the filters any more
        found = places_read(places[: PAGE_SIZE + 1])
        return found[:PAGE_SIZE], False, len(found) > PAGE_SIZE
    first = places_read(places_before(places, query, here.cursor)[: PAGE_SIZE + 1])
    last = places_read(places_after(places, query, here.cursor)[: PAGE_SIZE + 1])
    return (
        [*first[:PAGE_SIZE][::-1], here, *last[:PAGE_SIZE]],
        len(first) > PAGE_SIZE,
        len(last) > PAGE_SIZE,
    )


@campaign_view(Role.REVIEWER)
@_with_query
def extremes(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Show the best and the worst photos that match the filters, side by side."""
    sides = []
    for order in ("best", "worst"):
        there = query.ordered(order)
        places = places_read(gallery_places(campaign, version, there, hidden)[:EXTREMES])
        found = gallery_photos(version, places, hidden)
        sides.append({"order": order, "photos": found, "query_string": there.encode()})
    context = {
        "campaign": campaign,
        "version": version,
        "query": query,
        "query_string": query.encode(),
        "sides": sides,
        "extremes": EXTREMES,
        **_form(campaign, query, version, hidden, bool(sides[0]["photos"])),
    }
    return render(request, "inference/extremes.html", context)


@token_allowed
@campaign_view(Role.REVIEWER)
@_with_query
def photos_table(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Stream every photo that matches the filters, in their order, as CSV; with `excel=1` for Excel."""
    return table_download(
        request,
        format_name="photos-csv",
        rows=gallery_records(campaign, version, query, hidden),
        file_name=f"{campaign.slug}-photos",
        campaign=campaign,
    )


@token_allowed
@require_safe
@campaign_view(Role.REVIEWER)
def predictions_table(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Stream the predictions of all model versions as CSV; with `excel=1` for Excel."""
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    return table_download(
        request,
        format_name="predictions-csv",
        rows=prediction_records(campaign, hidden=predictions_hidden(campaign, request.user)),
        file_name=f"{campaign.slug}-predictions",
        campaign=campaign,
    )


def _form(
    campaign: Campaign, query: GalleryQuery, version: ModelVersion | None, hidden: Hidden, found: bool
) -> dict[str, Any]:
    return {
        "order_groups": [(label, [(name, ORDERS[name][0]) for name in names]) for label, names in _GROUPS],
        "classes": QualityClass.choices,
        "splits": Image.Split.choices,
        "distortions": [(name, getattr(query, f"{name}_from")) for name in DISTORTIONS],
        "watch_threshold": shown_threshold(campaign, version),
        "chips": _chips(shown_threshold(campaign, version), query),
        "total": campaign.images.filter(LIVE).count(),
        "removable": [] if found else _removable_filters(campaign, version, query, hidden),
        "missing": _missing(version, query),
        "leaves_out_disputed": bool(version) and query.uses_predictions,
    }


def _chips(threshold: float, query: GalleryQuery) -> list[dict[str, str]]:
    """Return a text for each filter that is set, with the query without that filter."""
    words = {
        "quality_class": lambda value: f"predicted {value}",
        "watch": lambda value: f"{'watch >' if value == 'yes' else 'no watch ≤'} {threshold:g}",
        "distortion_class": lambda value: f"{value} by distortions",
        "split": lambda value: f"{value} only",
        "name": lambda value: f"name contains “{value}”",
    }
    what = {"watch": "watch probability", "distortion": "distortion quality"}
    chips = []
    for name, value in query.filters.items():
        if name in words:
            text = words[name](value)
        else:
            part, _, end = name.rpartition("_")
            text = f"{what.get(part, part)} {'≥' if end == 'from' else '≤'} {value:g}"
        chips.append({"text": text, "query_string": query.without(name).encode()})
    return chips


def _removable_filters(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> list[dict[str, str]]:
    """Return each filter (or the order) whose removal gives results, for a gallery without results."""
    names = [*query.filters, *(["order"] if query.order != "newest" else [])]
    chips = {chip["query_string"]: chip["text"] for chip in _chips(shown_threshold(campaign, version), query)}
    removable = []
    for name in names:
        other = query.without(name)
        if gallery_places(campaign, version, other, hidden)[:1]:
            text = chips.get(other.encode(), f"order “{ORDERS[query.order][0]}”")
            removable.append({"text": text, "query_string": other.encode()})
    return removable


def _missing(version: ModelVersion | None, query: GalleryQuery) -> str:
    """Return what is missing, for a gallery that stays empty after the removal of any single filter."""
    if query.order in BY_PEOPLE:
        return "This order needs photos with a prediction and with votes given before seeing it."
    if query.order in BY_CONSENSUS:
        return "No photo has a corrected MOS yet. Workers compute it soon after the first votes."
    if query.order in BY_DISTORTION:
        return "No photo has been measured for distortions yet. Workers start when all photos have predictions."
    if version is None:
        return "There are no predictions yet to sort or filter by."
    return "No photo matches these filters, or the matching photos have no prediction yet."
