"""Downloads of a campaign's tables for its reviewers."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role
from annotation.selectors.export import annotation_records, annotator_records, consensus_records
from annotation.token_auth import token_allowed
from annotation.views.downloads import table_download


@token_allowed
@require_safe
@campaign_view(Role.REVIEWER)
def annotations_csv(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Stream all annotations as CSV; with `?excel=1` for Excel, as the next two."""
    return table_download(
        request,
        format_name="annotations-csv",
        rows=annotation_records(campaign),
        file_name=f"{campaign.slug}-annotations",
        campaign=campaign,
    )


@token_allowed
@require_safe
@campaign_view(Role.REVIEWER)
def consensus_csv(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Stream the stored consensus on each photo as CSV."""
    return table_download(
        request,
        format_name="consensus-csv",
        rows=consensus_records(campaign),
        file_name=f"{campaign.slug}-consensus",
        campaign=campaign,
    )


@token_allowed
@require_safe
@campaign_view(Role.REVIEWER)
def annotators_csv(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Stream the stored statistics of each annotator as CSV."""
    return table_download(
        request,
        format_name="annotators-csv",
        rows=annotator_records(campaign),
        file_name=f"{campaign.slug}-annotators",
        campaign=campaign,
    )
