"""Making and changing campaigns, and taking their answers away as a file."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.forms import CampaignForm
from annotation.models import Campaign, Role, User
from annotation.selectors.export import annotation_records
from annotation.services.campaigns import campaign_create, campaign_state_set, campaign_update
from annotation.views.downloads import table_download

_DONE = {
    Campaign.State.ACTIVE: "The campaign is active: annotators get photos.",
    Campaign.State.PAUSED: "The campaign is paused: nobody gets new photos.",
    Campaign.State.CLOSED: "The campaign is closed: nobody gets new photos.",
}


@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Make a campaign; its maker becomes its admin. For staff and superusers."""
    user = request.user
    if not (isinstance(user, User) and (user.is_staff or user.is_superuser)):
        raise PermissionDenied("Campaigns are made by staff; ask a superuser for the right to make one.")
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = campaign_create(by=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{campaign.name} is there. Now bring in its photos.")
            return redirect("import", campaign.slug)
    return render(request, "annotation/campaign_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ADMIN)
def campaign_edit(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Change a campaign."""
    form = CampaignForm(request.POST or None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        try:
            saved = campaign_update(campaign=campaign, **form.cleaned_data)
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
    wanted = request.POST.get("state", "")
    if wanted not in Campaign.State.values:
        messages.error(request, f"A campaign cannot be {wanted!r}.")
    elif campaign_state_set(campaign=campaign, state=Campaign.State(wanted)):
        messages.success(request, _DONE[Campaign.State(wanted)])
    else:
        messages.error(request, f"A campaign that is {campaign.get_state_display()} cannot become {wanted}.")
    return redirect("campaign-edit", campaign.slug)


@require_safe
@campaign_view(Role.REVIEWER)
def annotations_csv(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Send everything people said as CSV, while it is read from the database."""
    return table_download(
        format_name="annotations-csv", rows=annotation_records(campaign), file_name=f"{campaign.slug}-annotations"
    )
