"""Downloads of a campaign's tables for its reviewers."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role
from annotation.selectors.export import annotation_records, annotator_records, consensus_records
from annotation.token_auth import token_allowed
from annotation.views.downloads import table_download


def _download(what: str, rows: Callable[[Campaign], Iterator[Any]]) -> Callable[..., HttpResponseBase]:
    """Return a view that streams these rows as CSV; with `?excel=1` for Excel."""

    @token_allowed
    @require_safe
    @campaign_view(Role.REVIEWER)
    def download(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
        return table_download(
            request,
            format_name=f"{what}-csv",
            rows=rows(campaign),
            file_name=f"{campaign.slug}-{what}",
            campaign=campaign,
        )

    return download


annotations_csv = _download("annotations", annotation_records)
consensus_csv = _download("consensus", consensus_records)
annotators_csv = _download("annotators", annotator_records)
