"""The audit: who changed what, for the whole site and for one campaign."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from annotation.access.permissions import campaign_view
from annotation.account_forms import AuditForm
from annotation.models import ApiToken, AuditRecord, Campaign, Role, User
from annotation.selectors.audit import audit_records, audit_rows
from annotation.token_auth import token_allowed
from annotation.views.downloads import table_download

_RECORDS = 100  # on one page


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """Show the records of the site that fit the filter. Only for superusers."""
    _superuser_only(request)
    return _page(request, None)


@token_allowed
@require_GET
def audit_csv(request: HttpRequest) -> HttpResponseBase:
    """Stream the records of the site that fit the filter, as CSV. Only for superusers."""
    _superuser_only(request)
    return _table(request, None)


@require_GET
@campaign_view(Role.ADMIN)
def campaign_audit(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the records of a campaign that fit the filter, without addresses."""
    return _page(request, campaign)


@token_allowed
@require_GET
@campaign_view(Role.ADMIN)
def campaign_audit_csv(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    """Stream the records of a campaign that fit the filter, as CSV, without addresses."""
    return _table(request, campaign)


def _page(request: HttpRequest, campaign: Campaign | None) -> HttpResponse:
    form, records = _filtered(request, campaign)
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "campaign": campaign,
        "form": form,
        "page": Paginator(records, _RECORDS).get_page(request.GET.get("page")),
        "query": query.urlencode(),
        "is_filtered": any(query.values()),
    }
    return render(request, "annotation/audit.html", context, status=422 if form.errors else 200)


def _table(request: HttpRequest, campaign: Campaign | None) -> HttpResponseBase:
    form, records = _filtered(request, campaign)
    if form.errors:
        problems = " ".join(str(problem) for problems in form.errors.values() for problem in problems)
        return HttpResponse(problems, status=422, content_type="text/plain; charset=utf-8")
    return table_download(
        request,
        format_name="audit-csv",
        rows=audit_rows(records, with_addresses=campaign is None),
        file_name=f"{campaign.slug}-audit" if campaign else "audit",
        campaign=campaign,
    )


def _filtered(request: HttpRequest, campaign: Campaign | None) -> tuple[AuditForm, Any]:
    """Return the filter form and the records that fit it; no records when the form has errors."""
    form = AuditForm(request.GET)
    if campaign is not None:
        del form.fields["campaign"]
    if not form.is_valid():
        return form, AuditRecord.objects.none()
    values = dict(form.cleaned_data)
    if campaign is not None:
        values["campaign"] = campaign
    return form, audit_records(**values)


def _superuser_only(request: HttpRequest) -> None:
    user = request.user
    assert isinstance(user, User)
    if not user.is_superuser or user.token_scope not in ("", ApiToken.Scope.ADMIN):
        raise PermissionDenied(
            gettext("Only superusers see the audit of the site. Campaigns have an audit page for admins.")
        )
