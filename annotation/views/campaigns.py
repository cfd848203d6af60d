"""Pages that create and change campaigns, and the download of their answers."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access.permissions import campaign_view
from annotation.campaign_forms import CampaignForm, DuplicateForm, NewCampaignForm
from annotation.models import Campaign, Role, User, synset_names
from annotation.selectors.opinions import special_counts
from annotation.services.campaign_copies import campaign_duplicate
from annotation.services.campaign_presets import campaigns_to_copy
from annotation.services.campaigns import campaign_create, campaign_state_set, campaign_update
from annotation.signals import photos_added

_OFFERED = 50  # campaigns to begin with, the newest
_DONE = {
    Campaign.State.ACTIVE: gettext_lazy("The campaign is active. Annotators get photos."),
    Campaign.State.PAUSED: gettext_lazy("The campaign is paused. Annotators get no new photos."),
    Campaign.State.CLOSED: gettext_lazy("The campaign is closed. Annotators get no new photos."),
}


@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Create a campaign; the user becomes its admin. Only for staff and superusers.

    `?like=` is the address of a campaign whose settings the new one begins with.
    """
    user = _creator(request)
    like = None
    if wanted := request.GET.get("like", ""):
        like = campaigns_to_copy(user).filter(slug=wanted).first()
        if like is None:
            raise Http404(gettext("There is no such campaign, or you are not an admin of it."))
    form = NewCampaignForm(request.POST or None, like=like)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = campaign_create(by=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, gettext("%(name)s was created. Now import photos.") % {"name": campaign.name})
            return redirect("import", campaign.slug)
    context = {"form": form, "like": like, "campaigns": campaigns_to_copy(user)[:_OFFERED], "classes": synset_names()}
    return render(request, "annotation/campaign_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ADMIN)
def campaign_edit(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Change the settings of a campaign."""
    form = CampaignForm(request.POST or None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        try:
            saved = campaign_update(campaign=campaign, **form.changes())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "Saved.")
            return redirect("campaign-edit", saved.slug)
    return _settings(request, campaign, form, DuplicateForm(initial={"name": f"{campaign.name} (copy)"}))


@require_POST
@campaign_view(Role.ADMIN)
def campaign_copy(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Create a campaign with the settings of this one, and what else the form asks for. Only for staff."""
    user = _creator(request)
    form = DuplicateForm(request.POST)
    if form.is_valid():
        try:
            copy = campaign_duplicate(campaign=campaign, by=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if form.cleaned_data["with_special_photos"]:
                photos_added.send(sender=campaign_copy, campaign_id=copy.pk)
            messages.success(
                request,
                gettext("%(name)s was created with the settings of %(name_2)s.")
                % {"name": copy.name, "name_2": campaign.name},
            )
            return redirect("import", copy.slug)
    return _settings(request, campaign, CampaignForm(instance=campaign), form)


def _settings(request: HttpRequest, campaign: Campaign, form: CampaignForm, copy_form: DuplicateForm) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "campaign": campaign, "copy_form": copy_form, "classes": synset_names()}
    if _may_create(request.user):
        counts = special_counts(campaign)
        context |= {"may_copy": True, "special_photos": counts.practice + counts.example + counts.gold}
    status = 422 if form.errors or copy_form.errors else 200
    return render(request, "annotation/campaign_form.html", context, status=status)


def _may_create(user: object) -> bool:
    return isinstance(user, User) and (user.is_staff or user.is_superuser)


def _creator(request: HttpRequest) -> User:
    """Return the user. Raises PermissionDenied for those who cannot create campaigns."""
    user = request.user
    if not isinstance(user, User) or not _may_create(user):
        raise PermissionDenied(gettext("Only staff can create campaigns. Ask a superuser to make you staff."))
    return user


@require_POST
@campaign_view(Role.ADMIN)
def campaign_state(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Pause, close or reopen a campaign."""
    state = request.POST.get("state", "")
    if state not in Campaign.State.values:
        messages.error(request, gettext("There is no campaign state %(state)s.") % {"state": f"{state!r}"})
    elif campaign_state_set(campaign=campaign, state=Campaign.State(state)):
        messages.success(request, _DONE[Campaign.State(state)])
    else:
        messages.error(
            request,
            gettext("A campaign that is %(get_state_display)s cannot be set to %(state)s.")
            % {"get_state_display": campaign.get_state_display(), "state": state},
        )
    return redirect("campaign-edit", campaign.slug)
