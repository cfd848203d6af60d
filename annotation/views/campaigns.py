"""Pages that create and change campaigns, and the download of their answers."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access.permissions import campaign_view
from annotation.forms import CampaignForm
from annotation.models import Campaign, Role, User
from annotation.services.campaigns import campaign_create, campaign_state_set, campaign_update

_DONE = {
    Campaign.State.ACTIVE: "The campaign is active. Annotators get photos.",
    Campaign.State.PAUSED: "The campaign is paused. Annotators get no new photos.",
    Campaign.State.CLOSED: "The campaign is closed. Annotators get no new photos.",
}


@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Create a campaign; the user becomes its admin. Only for staff and superusers."""
    user = request.user
    if not (isinstance(user, User) and (user.is_staff or user.is_superuser)):
        raise PermissionDenied("Only staff can create campaigns. Ask a superuser to make you staff.")
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = campaign_create(by=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{campaign.name} was created. Now import photos.")
            return redirect("import", campaign.slug)
    return render(request, "annotation/campaign_form.html", {"form": form}, status=422 if form.errors else 200)


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
    context = {"form": form, "campaign": campaign}
    return render(request, "annotation/campaign_form.html", context, status=422 if form.errors else 200)


@require_POST
@campaign_view(Role.ADMIN)
def campaign_state(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Pause, close or reopen a campaign."""
    state = request.POST.get("state", "")
    if state not in Campaign.State.values:
        messages.error(request, f"There is no campaign state {state!r}.")
    elif campaign_state_set(campaign=campaign, state=Campaign.State(state)):
        messages.success(request, _DONE[Campaign.State(state)])
    else:
        messages.error(request, f"A campaign that is {campaign.get_state_display()} cannot be set to {state}.")
    return redirect("campaign-edit", campaign.slug)
