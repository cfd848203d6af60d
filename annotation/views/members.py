"""The members of a campaign, and the user accounts of the site."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, DateTimeField, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.forms import InvitationForm, MemberForm, UserForm
from annotation.models import Campaign, Membership, PasswordLink, Role, User, UserSession
from annotation.models.users import name_key
from annotation.selectors.activity import members_active
from annotation.selectors.member_list import members_listed
from annotation.services.members import (
    MemberError,
    member_leases_return,
    member_remove,
    member_set,
    user_active_set,
    user_create_with_link,
    user_simulated_set,
)
from annotation.services.passwords import LINK_HOURS, PasswordLinkError, password_link_create, password_link_send

_USERS = 100  # on one page
#: What the list of users can be limited to.
_STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "active": ("active", {"is_active": True}),
    "deactivated": ("deactivated", {"is_active": False}),
    "simulated": ("simulated", {"is_simulated": True}),
    "superusers": ("superusers", {"is_superuser": True}),
}
INVITATIONS_SHOWN = 50  # the newest


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ADMIN)
def members(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """List the members with their answers and activity, and the invitations; add a member."""
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user, role = form.cleaned_data["username"], Role(form.cleaned_data["role"])
        try:
            member_set(campaign=campaign, user=user, role=role, by=_current_user(request))
        except MemberError as error:
            form.add_error("username", str(error))
        else:
            messages.success(
                request,
                gettext("%(username)s now has the role %(label)s.") % {"username": user.username, "label": role.label},
            )
            return redirect("members", campaign.slug)
    context = members_context(campaign, form=form, query=request.GET.get("q", ""))
    return render(request, "annotation/members.html", context, status=_status(form))


@require_safe
@campaign_view(Role.ADMIN)
def members_activity(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Return the live part of the members page: who is active, and which photos are reserved for them."""
    return render(
        request, "annotation/_members_activity.html", {"campaign": campaign, "activities": members_active(campaign)}
    )


@require_POST
@campaign_view(Role.ADMIN)
def member_leases(request: HttpRequest, campaign: Campaign, membership_id: int) -> HttpResponse:
    """Return the photos that are reserved for a member to the queue."""
    membership = row_or_404(
        "member", Membership.objects.select_related("user", "campaign"), campaign=campaign, pk=membership_id
    )
    returned = member_leases_return(membership=membership)
    sentence = ngettext(
        "%(n)s photo is back in the queue. Answers that %(username)s still sends are kept.",
        "%(n)s photos are back in the queue. Answers that %(username)s still sends are kept.",
        returned,
    ) % {"n": returned, "username": membership.user.username}
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        messages.success(request, sentence)
        return redirect("members", campaign.slug)
    context = {"campaign": campaign, "activities": members_active(campaign), "done": sentence}
    return render(request, "annotation/_members_activity.html", context)


def members_context(
    campaign: Campaign,
    *,
    form: MemberForm | None = None,
    invitation_form: InvitationForm | None = None,
    query: str = "",
) -> dict[str, Any]:
    """Return what `annotation/members.html` shows. query: only members with this part of a name are in the table."""
    context = members_table_context(campaign, query)
    return {
        **context,
        "form": form or MemberForm(),
        "member_count": campaign.memberships.count() if context["query"] else len(context["memberships"]),
        **invitations_context(campaign, invitation_form or InvitationForm()),
    }


def members_table_context(campaign: Campaign, query: str) -> dict[str, Any]:
    """Return what `annotation/_members_table.html` shows."""
    activities = members_active(campaign)
    words = query.strip()[:150]
    return {
        "campaign": campaign,
        "roles": Role.choices,
        "query": words,
        "activities": activities,
        "memberships": members_listed(campaign, activities, query=words),
    }


def invitations_context(campaign: Campaign, form: InvitationForm) -> dict[str, Any]:
    """Return what `annotation/_invitations.html` shows."""
    return {
        "campaign": campaign,
        "invitation_form": form,
        "invitations": campaign.invitations.select_related("created_by")[:INVITATIONS_SHOWN],
        "now": timezone.now(),
    }


def _status(form: forms.Form) -> int:
    return 422 if form.errors else 200


@require_POST
@campaign_view(Role.ADMIN)
def member_change(request: HttpRequest, campaign: Campaign, membership_id: int) -> HttpResponse:
    """Change the role of a member (`role` in the form), or remove the member (`remove`).

    For htmx, return the table of members with what was done and a button that undoes it.
    """
    membership = row_or_404(
        "member", Membership.objects.select_related("user", "campaign"), campaign=campaign, pk=membership_id
    )
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return _role_changed(request, campaign, membership)
    name = membership.user.username
    try:
        if "remove" in request.POST:
            member_remove(membership=membership, by=_current_user(request))
            messages.success(
                request, gettext("%(name)s was removed from the campaign. Their answers are kept.") % {"name": name}
            )
        elif request.POST.get("role") in Role.values:
            role = Role(request.POST["role"])
            member_set(campaign=campaign, user=membership.user, role=role, by=_current_user(request))
            messages.success(
                request, gettext("%(name)s now has the role %(label)s.") % {"name": name, "label": role.label}
            )
        else:
            messages.error(request, gettext("Choose annotator, reviewer or admin."))
    except MemberError as error:
        messages.error(request, str(error))
    return redirect("members", campaign.slug)


def _role_changed(request: HttpRequest, campaign: Campaign, membership: Membership) -> HttpResponse:
    """Change the role at once, and return the table; with status 200 also with a problem, or htmx would not show it."""
    before = membership.role
    shown: dict[str, Any] = {}
    role = request.POST.get("role", "")
    try:
        if role not in Role.values:
            raise MemberError(gettext("Choose annotator, reviewer or admin."))
        changed = member_set(campaign=campaign, user=membership.user, role=Role(role), by=_current_user(request))
        shown["done"] = gettext("%(username)s now has the role %(label)s.") % {
            "username": membership.user.username,
            "label": Role(role).label,
        }
        if before != role and "is_undo" not in request.POST:
            shown["undo"] = {"membership": changed, "role": before}
    except MemberError as error:
        shown["problem"] = str(error)
    context = members_table_context(campaign, request.GET.get("q", "")) | shown
    return render(request, "annotation/_members_table.html", context)


@require_http_methods(["GET", "POST"])
def users(request: HttpRequest) -> HttpResponse:
    """List the user accounts of the site, and create one with a password link. Only for superusers."""
    by = _superuser_only(request)
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            link, secret = user_create_with_link(by=by, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _link_shown(request, link, secret)
    return _users_page(request, form)


def _users_page(request: HttpRequest, form: UserForm, **more: Any) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    found = User.objects.filter(name_key__contains=name_key(query)).select_related("imported_as").order_by("username")
    if not query:  # one import can bring thousands of people
        found = found.filter(imported_as=None)
    state = request.GET.get("state", "")
    if state in _STATES:
        found = found.filter(**_STATES[state][1])
    sessions = UserSession.objects.filter(user=OuterRef("pk")).order_by("-seen_at").values("seen_at")[:1]
    found = found.annotate(campaigns=Count("memberships"), seen_at=Subquery(sessions, output_field=DateTimeField()))
    context = {
        "form": form,
        "query": query,
        "state": state,
        "states": [(name, label) for name, (label, _) in _STATES.items()],
        "page": Paginator(found, _USERS).get_page(request.GET.get("page")),
        **more,
    }
    return render(request, "annotation/users.html", context, status=_status(form))


def _link_shown(request: HttpRequest, link: PasswordLink, secret: str) -> HttpResponse:
    """Show a password link, only in this response, and send it by email if the site and the user have email."""
    url = request.build_absolute_uri(reverse("password-link", args=[secret]))
    sent_to, problem = "", ""
    if settings.EMAIL_URL and link.user.email:
        try:
            password_link_send(link=link, url=url)
            sent_to = link.user.email
        except OSError as error:  # also every error of the mail server
            problem = gettext("The email could not be sent: %(error)s") % {"error": error}
    response = _users_page(
        request, UserForm(), link=link, link_url=url, link_hours=LINK_HOURS, sent_to=sent_to, email_problem=problem
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def user_change(request: HttpRequest, user_id: int) -> HttpResponse:
    """Deactivate or reactivate an account (`active`), mark it as `simulated`, or create a `password_link`."""
    by = _superuser_only(request)
    user = row_or_404("user", User, pk=user_id)
    try:
        if "active" in request.POST:
            active = request.POST["active"] == "yes"
            user_active_set(user=user, active=active, by=by)
            messages.success(
                request,
                (gettext("%(username)s can log in again.") if active else gettext("%(username)s can no longer log in."))
                % {"username": user.username},
            )
        elif "simulated" in request.POST:
            simulated = request.POST["simulated"] == "yes"
            user_simulated_set(user=user, simulated=simulated)
            messages.success(
                request,
                (
                    gettext("%(username)s is marked as simulated.")
                    if simulated
                    else gettext("%(username)s is marked as a person.")
                )
                % {"username": user.username},
            )
        elif "password_link" in request.POST:
            return _link_shown(request, *password_link_create(user=user, by=by))
        else:
            messages.error(request, gettext("Nothing was changed."))
    except (MemberError, PasswordLinkError) as error:
        messages.error(request, str(error))
    return redirect("users")


def _current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _superuser_only(request: HttpRequest) -> User:
    user = _current_user(request)
    if not user.is_superuser:
        raise PermissionDenied(
            gettext("Only superusers can manage accounts. Campaign members are on the Members page.")
        )
    return user
