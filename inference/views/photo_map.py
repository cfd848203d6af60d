"""The map of a campaign's photos: the page, its points as one binary file, and the lasso."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_POST, require_safe
from numpy.typing import NDArray

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, PhotoMap, Role, User
from annotation.selectors.tags import selection_ids
from annotation.services.saved_views import selection_make
from annotation.tasks import announce
from inference.gallery.map_points import cluster_rows, map_columns
from inference.gallery.next_photos import next_ids
from inference.gallery.places import Hidden, gallery_ids, gallery_matches
from inference.gallery.query import GalleryQuery
from inference.models import ModelVersion
from inference.projection.layout import inside
from inference.selectors import fits_scale, shown_threshold
from inference.services.photo_map import FEWEST, photo_map_request, placed_photos
from inference.tasks import photo_map_make
from inference.views.gallery_form import chips
from inference.views.photos import with_query

#: Most corners of a lasso. The page leaves out corners that are near each other.
MOST_CORNERS = 500


@require_safe
@campaign_view(Role.REVIEWER)
@with_query
def photo_map(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Show the map; photos that do not match the filters are grey. For htmx: only the state of a newer map."""
    found = photo_map_request(campaign=campaign)
    if found.row.state == PhotoMap.State.QUEUED:
        announce(photo_map_make, found.row.pk)
    context: dict[str, Any] = {
        "campaign": campaign,
        "row": found.row,
        "photos": found.photos,
        "is_newest": found.is_newest,
        "fewest": FEWEST,
        "query_string": query.encode(),
    }
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        response = render(request, "inference/_photo_map_state.html", context)
        if not found.row.is_coming:
            response["HX-Refresh"] = "true"
        return response
    if found.row.made_at:
        context["clusters"] = cluster_rows(campaign, placed_photos(found.row))
    context |= {
        "query": query,
        "version": version,
        "page": request.path,
        "chips": chips(shown_threshold(campaign, version), query),
    }
    return render(request, "inference/photo_map.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
@with_query
def photo_map_points(
    request: HttpRequest, campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden
) -> HttpResponseBase:
    """Return the points: the length of a JSON text (4 bytes), the text, and the columns that it describes."""
    row = PhotoMap.objects.filter(campaign=campaign).exclude(made_at=None).first()
    if row is None:
        raise BadRequest(gettext("There is no map yet."))
    shown = version if version and fits_scale(version, campaign) else None
    matching = None
    if query.filters:
        matching = np.array(gallery_ids(gallery_matches(campaign, version, query.without("order"), hidden)), np.int64)
    hidden_ids = np.array([one["image_id"] for one in hidden], dtype=np.int64)
    upcoming = np.array(next_ids(campaign), dtype=np.int64)
    columns = map_columns(campaign, shown, placed_photos(row), hidden_ids, matching, upcoming)
    about = {"scale": [campaign.scale_min, campaign.scale_max], "fingerprint": row.fingerprint}
    return HttpResponse(
        _packed(about, columns), content_type="application/octet-stream", headers={"Cache-Control": "no-store"}
    )


@require_POST
@campaign_view(Role.REVIEWER)
def photo_map_selection(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Store the photos inside a lasso (`corners`, `fingerprint`) or of a `cluster`, and say where the grid shows them.

    The filters of the `query` hold too. A form gets a redirect, and a script JSON with `address` and `photos`.
    """
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    row = PhotoMap.objects.filter(campaign=campaign).exclude(made_at=None).first()
    if row is None or request.POST.get("fingerprint") != row.fingerprint:
        return JsonResponse({"detail": gettext("There is a newer map. Load the page again.")}, status=409)
    placed = placed_photos(row)
    cluster = request.POST.get("cluster", "")
    try:
        query = GalleryQuery.read(QueryDict(request.POST.get("query", "")).dict())
        chosen = placed.clusters == int(cluster) if cluster else inside(placed.places, _corners(request))
    except ValueError as error:
        return JsonResponse({"detail": str(error)}, status=422)
    ids = placed.image_ids[chosen]
    if query.selection:  # a lasso in a selection takes a part of it
        ids = ids[np.isin(ids, selection_ids(campaign, query.selection))]
    if not len(ids):
        return JsonResponse({"detail": gettext("There is no photo inside.")}, status=422)
    what = (
        gettext_noop("cluster %(number)s of the map") % {"number": int(cluster) + 1}
        if cluster
        else gettext_noop("a lasso on the map")
    )
    selection = selection_make(campaign=campaign, image_ids=ids.tolist(), what=what, by=request.user)
    address = f"{reverse('photos', args=[campaign.slug])}?{replace(query, selection=selection.key).encode()}"
    return redirect(address) if cluster else JsonResponse({"address": address, "photos": len(ids)})


def _corners(request: HttpRequest) -> NDArray[np.int64]:
    """Return the corners [M, 2] of the lasso. Raises ValueError for something else."""
    try:
        numbers = [int(part) for part in request.POST.get("corners", "").split(",")]
    except ValueError:
        raise ValueError(gettext("This is no lasso.")) from None
    if len(numbers) % 2 or not 6 <= len(numbers) <= 2 * MOST_CORNERS or any(abs(one) > 2**31 for one in numbers):
        raise ValueError(gettext("This is no lasso."))
    return np.array(numbers, dtype=np.int64).reshape(-1, 2)


def _packed(about: dict[str, Any], columns: dict[str, NDArray[Any]]) -> bytes:
    """Return the columns as one file. Each begins at a multiple of eight bytes, so that a script reads it in place."""
    parts, described, at = [], [], 0
    for name, values in columns.items():
        data = values.tobytes()
        described.append({"name": name, "type": values.dtype.name, "at": at, "length": len(values)})
        parts.append(data + bytes(-len(data) % 8))
        at += len(parts[-1])
    head = json.dumps({**about, "columns": described}).encode()
    head += b" " * (-(len(head) + 4) % 8)
    return len(head).to_bytes(4, "little") + head + b"".join(parts)
