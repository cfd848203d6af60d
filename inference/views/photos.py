"""The gallery of a campaign: grid, best and worst photos, and CSV."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.token_auth import token_allowed
from annotation.views.downloads import table_download
from inference.gallery.counts import gallery_counts
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
from inference.gallery.query import BY_PEOPLE, BY_VOTES, DISTORTIONS, GalleryQuery
from inference.gallery.table import gallery_records
from inference.models import ModelVersion
from inference.selectors import champion, shown_threshold
from inference.services.disagreements import disagreements_refresh
from inference.views.gallery_form import counted, form_context, tag_choices

EXTREMES = 20
#: What a tile adds for an order.
_BY = {"apart": "apart", "watch_apart": "apart", "distorted": "distortion", "undistorted": "distortion"} | {
    **{name: name for name in DISTORTIONS},
    **dict.fromkeys(("people_best", "people_worst"), "consensus"),
    **dict.fromkeys(BY_VOTES, "votes"),
}
#: The part of the page that a filter replaces.
RESULTS = "gallery-results"
#: The sizes of the tiles; the browser keeps the chosen one in a cookie.
SIZES, SIZE_COOKIE = {"s": "small", "m": "medium", "l": "large"}, "gallery-size"
#: The formats of the table of photos.
_FORMATS = ("photos-csv", "photos-jsonl", "photos-parquet")


def with_query(
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
            raise BadRequest(str(error)) from error

    return wrapped


@campaign_view(Role.REVIEWER)
@with_query
def photos(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Show the photos as a grid, sorted and filtered; htmx loads more while the user scrolls.

    `after` and `before` continue from a cursor; `at` shows the page around a photo.
    """
    shown, earlier, more = _page(request, campaign, version, query, hidden)
    context: dict[str, Any] = {
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
    if _is_more_tiles(request):
        response = render(request, "inference/_photo_tiles.html", context)
    else:
        assert isinstance(request.user, User)
        context |= form_context(campaign, query, version, hidden, request.user, is_empty=not shown)
        if context["counts"]:
            context["tag_counts"] = tag_choices(context["counts"], query)
        size = request.COOKIES.get(SIZE_COOKIE, "")
        context |= {"size": size if size in SIZES else "m", "sizes": SIZES, "page": request.path}
        if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
            response = render(request, "inference/_gallery_results.html", context)
            response["HX-Push-Url"] = f"{request.path}?{query.encode()}".rstrip("?")
        else:
            response = render(request, "inference/photos.html", context)
    # The same address gives a page, or a part of it.
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@campaign_view(Role.REVIEWER)
@with_query
def photos_counts(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Return the counts beside the filters, for campaigns in which the page does not wait for them."""
    counts = gallery_counts(campaign, version, query, hidden)
    context = {
        "query": query,
        "counts": counts,
        "counted": counted(counts),
        "tag_counts": tag_choices(counts, query),
    }
    return render(request, "inference/_gallery_counts.html", context)


def _is_more_tiles(request: HttpRequest) -> bool:
    """Return whether htmx asks for the next tiles. Otherwise it asks for the results of another filter."""
    htmx = request.htmx  # type: ignore[attr-defined]  # set by django-htmx
    return bool(htmx) and htmx.target != RESULTS


def _page(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> tuple[list[Place], bool, bool]:
    """Return the places to show, and whether some come before and after them. Raises ValueError for a bad cursor."""
    places = gallery_places(campaign, version, query, hidden)
    only_new = _is_more_tiles(request)  # the page already has the tiles on the other side
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
@with_query
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
        "today": timezone.now(),
        "page": request.path,
    }
    assert isinstance(request.user, User)
    is_empty = not sides[0]["photos"]
    context |= form_context(campaign, query, version, hidden, request.user, is_empty=is_empty, with_counts=False)
    return render(request, "inference/extremes.html", context)


@token_allowed
@campaign_view(Role.REVIEWER)
@with_query
def photos_table(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Stream every photo that matches the filters, in their order, as CSV; with `excel=1` for Excel.

    `format` is the name of another format of the photos.
    """
    chosen = request.GET.get("format", _FORMATS[0])
    if chosen not in _FORMATS:
        raise ValueError(gettext("Unknown format. Choose one of %(formats)s.") % {"formats": ", ".join(_FORMATS)})
    return table_download(
        request,
        format_name=chosen,
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
