"""Actions on many photos of the gallery at once, their progress, and their undo; selections; saved views."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import LIVE, BulkAction, Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.services.saved_views import SavedViewError, selection_make, view_delete, view_save
from annotation.tasks import announce
from inference.gallery.places import gallery_ids, gallery_matches
from inference.gallery.query import BY_PEOPLE, GalleryQuery
from inference.selectors import champion
from inference.services.bulk_actions import BulkError, bulk_start, bulk_undo, least_role
from inference.services.disagreements import disagreements_refresh
from inference.tasks import bulk_action_run

_SHOWN = 100
#: What a form can ask for. The others only undo these.
_KINDS = (
    BulkAction.Kind.TAG,
    BulkAction.Kind.UNTAG,
    BulkAction.Kind.MORE_VOTES,
    BulkAction.Kind.PRACTICE,
    BulkAction.Kind.WITHDRAW,
    BulkAction.Kind.RESTORE,
)


@require_POST
@campaign_view(Role.REVIEWER)
def photos_bulk(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Do an action on the selected photos, and return its state as a part of the page."""
    kind = request.POST.get("kind", "")
    if kind not in _KINDS:
        return _refused(request, campaign, gettext("Choose an action."))
    _check_role(request, least_role(BulkAction.Kind(kind)))
    number = request.POST.get("number", "")
    try:
        action = bulk_start(
            campaign=campaign,
            by=_user(request),
            kind=BulkAction.Kind(kind),
            image_ids=_withdrawn(request, campaign)
            if kind == BulkAction.Kind.RESTORE
            else _selected(request, campaign),
            text=request.POST.get("text", ""),
            number=int(number) if number.isdecimal() and len(number) < 5 else 0,
        )
    except ValueError as error:
        return _refused(request, campaign, str(error))
    if kind == BulkAction.Kind.RESTORE and not action.is_unfinished:
        return _restored(request, campaign, action)
    return _state(request, campaign, action)


@require_POST
@campaign_view(Role.REVIEWER)
def bulk_action_undo(request: HttpRequest, campaign: Campaign, action_id: int) -> HttpResponseBase:
    """Undo an action; for htmx return the state of the undo as a part of the page."""
    action = row_or_404("action", BulkAction, campaign=campaign, pk=action_id)
    _check_role(request, least_role(BulkAction.Kind(action.kind)))
    try:
        undo = bulk_undo(action=action, by=_user(request))
    except BulkError as error:
        return _refused(request, campaign, str(error))
    return _state(request, campaign, undo)


@require_safe
@campaign_view(Role.REVIEWER)
def bulk_action(request: HttpRequest, campaign: Campaign, action_id: int) -> HttpResponseBase:
    """Return the state of an action as a part of the page."""
    action = row_or_404("action", BulkAction.objects.select_related("undone_by"), campaign=campaign, pk=action_id)
    return _state(request, campaign, action, is_announced=True)


@require_safe
@campaign_view(Role.REVIEWER)
def bulk_actions(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the last actions on many photos."""
    rows = BulkAction.objects.filter(campaign=campaign).select_related("by", "undone_by").defer("image_ids")
    context = {"campaign": campaign, "actions": rows[:_SHOWN]}
    return render(request, "inference/bulk_actions.html", context)


@require_POST
@campaign_view(Role.REVIEWER)
def selection(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Store the selected photos under a short address, and go to the gallery or to their table (`to=table`)."""
    try:
        ids = _selected(request, campaign)
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("photos", campaign.slug)
    if not ids:
        messages.error(request, gettext("Select photos first."))
        return redirect("photos", campaign.slug)
    chosen = selection_make(campaign=campaign, image_ids=ids, what="selected in the gallery", by=_user(request))
    query = GalleryQuery(selection=chosen.key)
    is_table = request.POST.get("to") == "table"
    more = {"format": request.POST.get("format", "photos-csv")} if is_table else {}
    address = reverse("photos-table" if is_table else "photos", args=[campaign.slug])
    return HttpResponseRedirect(f"{address}?{query.encode(**more)}")


@require_POST
@campaign_view(Role.REVIEWER)
def saved_view(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Save the order and filters under a name, or delete a view of one's own (`delete`)."""
    user, delete = _user(request), request.POST.get("delete", "")
    try:
        query = GalleryQuery.read(QueryDict(request.POST.get("query", "")).dict())
        if delete.isdecimal() and len(delete) < 19:
            if view_delete(campaign=campaign, user=user, view_id=int(delete)):
                messages.success(request, gettext("The view was deleted."))
        else:
            view = view_save(campaign=campaign, user=user, name=request.POST.get("name", ""), query=query.encode())
            messages.success(
                request,
                gettext("Saved as “%(name)s”. Its address shows the same photos to your colleagues.")
                % {"name": view.name},
            )
    except SavedViewError as error:
        messages.error(request, str(error))
    except ValueError:
        return redirect("photos", campaign.slug)
    return HttpResponseRedirect(f"{reverse('photos', args=[campaign.slug])}?{query.encode()}".rstrip("?"))


def _selected(request: HttpRequest, campaign: Campaign) -> list[int]:
    """Return the selected photos: the `ids`, or with `all` every photo of the `query` except the `ids`.

    Raises ValueError for ids and queries that are none.
    """
    ids = _ids(request)
    if not request.POST.get("all"):
        return list(campaign.images.filter(LIVE, pk__in=ids).order_by("pk").values_list("pk", flat=True))
    query = GalleryQuery.read(QueryDict(request.POST.get("query", "")).dict())
    version = champion(campaign)
    if version and query.order in BY_PEOPLE:
        disagreements_refresh(version=version)
    hidden = predictions_hidden(campaign, _user(request))
    return sorted(set(gallery_ids(gallery_matches(campaign, version, query, hidden))) - set(ids))


def _withdrawn(request: HttpRequest, campaign: Campaign) -> list[int]:
    """Return the withdrawn photos among the `ids`. Raises ValueError for ids that are none."""
    chosen = campaign.images.filter(withdrawn_at__isnull=False, pk__in=_ids(request))
    return list(chosen.order_by("pk").values_list("pk", flat=True))


def _ids(request: HttpRequest) -> list[int]:
    """Return the `ids`: numbers between commas, or one field for each photo. Raises ValueError for other text."""
    try:
        ids = [int(part) for field in request.POST.getlist("ids") for part in field.split(",") if part]
    except ValueError:
        raise ValueError(gettext("These are no photos.")) from None
    if any(not 0 <= pk < 2**63 for pk in ids):
        raise ValueError(gettext("These are no photos."))
    return ids


def _restored(request: HttpRequest, campaign: Campaign, action: BulkAction) -> HttpResponse:
    """Say how many photos are back, on the page of the withdrawn photos, where they were chosen."""
    if action.state == BulkAction.State.FAILED:
        messages.error(request, gettext("This action stopped: %(message)s") % {"message": action.message})
    elif action.changed:
        messages.success(
            request,
            ngettext("%(n)s photo is back.", "%(n)s photos are back.", action.changed) % {"n": f"{action.changed:,}"},
        )
    for why, count in action.refused.items():
        messages.warning(request, gettext("Left out: %(count)s, %(why)s.") % {"count": f"{count:,}", "why": why})
    return redirect("withdrawn-photos", campaign.slug)


def _state(
    request: HttpRequest, campaign: Campaign, action: BulkAction, *, is_announced: bool = False
) -> HttpResponseBase:
    if action.state == BulkAction.State.QUEUED and not is_announced:
        announce(bulk_action_run, action.pk)
    is_part = bool(request.htmx)  # type: ignore[attr-defined]  # set by django-htmx
    if not is_part:
        return redirect("bulk-actions", campaign.slug)
    response = render(request, "inference/_bulk_action.html", {"campaign": campaign, "action": action})
    if not action.is_unfinished:
        response["HX-Trigger"] = "photos-changed"
    return response


def _refused(request: HttpRequest, campaign: Campaign, why: str) -> HttpResponseBase:
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "inference/_bulk_action.html", {"campaign": campaign, "refusal": why})
    messages.error(request, why)
    is_restore = request.POST.get("kind") == BulkAction.Kind.RESTORE
    return redirect("withdrawn-photos" if is_restore else "bulk-actions", campaign.slug)


def _check_role(request: HttpRequest, least: Role) -> None:
    role: Role = request.campaign_role  # type: ignore[attr-defined]  # set by campaign_view
    if role.rank < least.rank:
        raise PermissionDenied(gettext("This action needs the role %(label)s.") % {"label": least.label})


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    return request.user
