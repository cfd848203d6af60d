"""The members of a campaign, and the user accounts of the site."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.forms import InvitationForm, MemberForm, UserForm
from annotation.models import Annotation, Campaign, Membership, PasswordLink, Role, User
from annotation.models.users import name_key
from annotation.selectors.activity import members_active
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
            messages.success(request, f"{user.username} now has the role {role.label}.")
            return redirect("members", campaign.slug)
    return render(request, "annotation/members.html", members_context(campaign, form=form), status=_status(form))


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
    photos = "1 photo is" if returned == 1 else f"{returned} photos are"
    sentence = f"{photos} back in the queue. Answers that {membership.user.username} still sends are kept."
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        messages.success(request, sentence)
        return redirect("members", campaign.slug)
    context = {"campaign": campaign, "activities": members_active(campaign), "done": sentence}
    return render(request, "annotation/_members_activity.html", context)


def members_context(
    campaign: Campaign, *, form: MemberForm | None = None, invitation_form: InvitationForm | None = None
) -> dict[str, Any]:
    """Return what `annotation/members.html` shows."""
    votes = Annotation.objects.filter(campaign=campaign, annotator=OuterRef("user")).votes()
    answers = votes.order_by().values("annotator")
    rows = campaign.memberships.select_related("user").order_by("user__username")
    return {
        "campaign": campaign,
        "form": form or MemberForm(),
        "roles": Role.choices,
        "memberships": rows.annotate(
            answers=Coalesce(Subquery(answers.annotate(n=Count("*")).values("n"), output_field=IntegerField()), 0)
        ),
        "activities": members_active(campaign),
        **invitations_context(campaign, invitation_form or InvitationForm()),
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
    """Change the role of a member (`role` in the form), or remove the member (`remove`)."""
    membership = row_or_404(
        "member", Membership.objects.select_related("user", "campaign"), campaign=campaign, pk=membership_id
    )
    name = membership.user.username
    try:
        if "remove" in request.POST:
            member_remove(membership=membership, by=_current_user(request))
            messages.success(request, f"{name} was removed from the campaign. Their answers are kept.")
        elif request.POST.get("role") in Role.values:
            role = Role(request.POST["role"])
            member_set(campaign=campaign, user=membership.user, role=role, by=_current_user(request))
            messages.success(request, f"{name} now has the role {role.label}.")
        else:
            messages.error(request, "Choose annotator, reviewer or admin.")
    except MemberError as error:
        messages.error(request, str(error))
    return redirect("members", campaign.slug)


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
    context = {
        "form": form,
        "query": query,
        "page": Paginator(found.annotate(campaigns=Count("memberships")), _USERS).get_page(request.GET.get("page")),
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
            problem = f"The email could not be sent: {error}"
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
            messages.success(request, f"{user.username} {'can log in again' if active else 'can no longer log in'}.")
        elif "simulated" in request.POST:
            simulated = request.POST["simulated"] == "yes"
            user_simulated_set(user=user, simulated=simulated)
            messages.success(request, f"{user.username} is marked as {'simulated' if simulated else 'a person'}.")
        elif "password_link" in request.POST:
            return _link_shown(request, *password_link_create(user=user, by=by))
        else:
            messages.error(request, "Nothing was changed.")
    except (MemberError, PasswordLinkError) as error:
        messages.error(request, str(error))
    return redirect("users")


def _current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _superuser_only(request: HttpRequest) -> User:
    user = _current_user(request)
    if not user.is_superuser:
        raise PermissionDenied("Only superusers can manage accounts. Campaign members are on the Members page.")
    return user
