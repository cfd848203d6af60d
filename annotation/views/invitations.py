"""Invitations: admins create and revoke them; people join a campaign on the page of the link."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access.addresses import client_address
from annotation.access.attempts import Kind, attempt_return, attempt_take
from annotation.access.permissions import campaign_view, role_in
from annotation.access.rows import row_or_404
from annotation.forms import AccountForm, InvitationForm
from annotation.models import Campaign, Invitation, Role, User
from annotation.services.invitations import (
    NOT_VALID,
    InvitationError,
    invitation_accept,
    invitation_accept_new,
    invitation_create,
    invitation_find,
    invitation_revoke,
)
from annotation.views.members import invitations_context, members_context


@require_POST
@campaign_view(Role.ADMIN)
def invitation_new(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Create an invitation and show its link. The link is shown only in this response."""
    by, form, link = request.user, InvitationForm(request.POST), ""
    assert isinstance(by, User)
    if form.is_valid():
        role = Role(form.cleaned_data.pop("role"))
        try:
            _, secret = invitation_create(campaign=campaign, by=by, role=role, **form.cleaned_data)
        except InvitationError as error:
            form.add_error(None, str(error))
        else:
            link, form = request.build_absolute_uri(reverse("join", args=[secret])), InvitationForm()
    return _invitations_shown(request, campaign, form, link)


@require_POST
@campaign_view(Role.ADMIN)
def invitation_end(request: HttpRequest, campaign: Campaign, invitation_id: int) -> HttpResponse:
    """Revoke an invitation."""
    invitation_revoke(invitation=row_or_404("invitation", Invitation, campaign=campaign, pk=invitation_id))
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return _invitations_shown(request, campaign, InvitationForm())
    return redirect("members", campaign.slug)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation; join with one button, or create an account and join.

    All invalid links get the same response, so that nobody can find out which links existed. Raises TooManyAttempts
    after many of them from one address.
    """
    address = client_address(request)
    attempt_take(Kind.INVITATION, address=address)
    invitation = invitation_find(secret=token, user=request.user)
    if invitation is None:
        return _not_valid(request)
    attempt_return(Kind.INVITATION, address=address)
    try:
        if isinstance(request.user, User):
            return _join(request, invitation, request.user)
        return _join_new(request, invitation)
    except InvitationError:  # meanwhile the invitation was used up or revoked
        return _not_valid(request)


def _join(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    campaign = invitation.campaign
    if request.method == "POST":
        member = invitation_accept(invitation=invitation, user=user)
        messages.success(
            request,
            gettext("You joined %(name)s as %(label)s.") % {"name": campaign.name, "label": Role(member.role).label},
        )
        return redirect("campaign", campaign.slug)
    role = role_in(campaign, user)
    has_role = role is not None and role.rank >= Role(invitation.role).rank
    return render(request, "annotation/join.html", {"invitation": invitation, "role": role, "has_role": has_role})


def _join_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = AccountForm(request.POST or None)
    if request.method == "POST":
        attempt_take(Kind.ACCOUNT, address=client_address(request))
    if request.method == "POST" and form.is_valid():
        try:
            user = invitation_accept_new(invitation=invitation, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            login(request, user)
            messages.success(
                request, gettext("Welcome, %(username)s. Your account was created.") % {"username": user.username}
            )
            return redirect("campaign", invitation.campaign.slug)
    context = {"invitation": invitation, "form": form}
    return render(request, "annotation/join.html", context, status=422 if form.errors else 200)


def _not_valid(request: HttpRequest) -> HttpResponse:
    return render(request, "annotation/join.html", {"not_valid": NOT_VALID}, status=404)


def _invitations_shown(request: HttpRequest, campaign: Campaign, form: InvitationForm, link: str = "") -> HttpResponse:
    """Show the list of invitations to htmx, else the whole page. The response is not cached."""
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        # Status 200 even with errors, because htmx ignores the content of error responses.
        context = invitations_context(campaign, form) | {"link": link}
        response = render(request, "annotation/_invitations.html", context)
    else:
        context = members_context(campaign, invitation_form=form) | {"link": link}
        response = render(request, "annotation/members.html", context, status=422 if form.errors else 200)
    response.headers["Cache-Control"] = "no-store"
    return response
