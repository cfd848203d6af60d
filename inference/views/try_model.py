"""The page "Try the model": send photos and see what the model predicts; no photo is kept."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from annotation.access.permissions import campaign_for
from annotation.models import Role, User, synset_name
from annotation.tasks import announce
from inference.services.scoring_jobs import (
    KEPT_SECONDS,
    MOST_FILES,
    ScoredFile,
    ScoringLimitReached,
    ScoringRefused,
    scored_photos_quota,
    scoring_job_create,
    scoring_job_find,
)
from inference.services.scoring_models import SHIPPED, ScoringModel, model_chosen, versions_to_try
from inference.tasks import scoring_job_run

_DISTORTIONS = ("blur", "noise", "exposure", "compression")


@require_http_methods(["GET", "HEAD", "POST"])
def try_model(request: HttpRequest) -> HttpResponse:
    """Show the upload form. For POST: create a scoring job from the field `photos` and redirect to its result.

    The field `version` has the id of a model version, or nothing for the shipped model. `?campaign=` has the slug of
    the campaign whose versions come first; its champion is chosen then. Without it, the first champion is chosen.
    """
    assert isinstance(request.user, User)  # LoginRequiredMiddleware turns others away
    refusal, status, headers = "", 200, {}
    slug = _campaign_slug(request)
    if request.method == "POST":
        try:
            model = model_chosen(request.user, request.POST.get("version", ""))
            if model is None:
                raise ScoringRefused(gettext("This version cannot be used. Choose another one."))
            key = scoring_job_create(user=request.user, uploads=request.FILES.getlist("photos"), model=model)
        except ScoringLimitReached as reached:
            refusal, status, headers = str(reached), 429, {"Retry-After": str(reached.retry_after)}
        except ScoringRefused as refused:
            refusal, status = str(refused), 422
        else:
            announce(scoring_job_run, request.user.pk, key)
            address = reverse("try-model-result", args=[key])
            return redirect(f"{address}?{urlencode({'campaign': slug})}" if slug else address)
    context = _limits() | _choices(request.user, slug=slug, chosen=request.POST.get("version"))
    context |= {"refusal": refusal, "quota": scored_photos_quota(request.user)}
    response = render(request, "inference/try_model.html", context, status=status)
    for name, value in headers.items():
        response[name] = value
    return response


@require_safe
def try_model_result(request: HttpRequest, key: str) -> HttpResponse:
    """Show a scoring job and its results. For htmx: only the live part."""
    assert isinstance(request.user, User)
    job = scoring_job_find(user=request.user, key=key)
    part = bool(getattr(request, "htmx", False))
    if job is None:
        messages.info(
            request,
            gettext("Results are deleted after %(kept_seconds)s minutes. Please send the photos again.")
            % {"kept_seconds": KEPT_SECONDS // 60},
        )
        return HttpResponse(headers={"HX-Refresh": "true"}) if part else redirect("try-model")
    context = _limits() | {
        "job": job,
        "files": [_file_context(file, job.model) for file in job.files],
        "model": job.model,
        "is_shipped": job.model == SHIPPED,
        "threshold": job.model.rules.threshold,
        "threshold_percent": round(100 * job.model.rules.threshold, 2),
        "lowest": job.model.rules.lowest,
    }
    if part:
        return render(request, "inference/_scored_photos.html", context)
    chosen = str(job.model.version_id or "")
    context |= _choices(request.user, slug=_campaign_slug(request), chosen=chosen)
    return render(request, "inference/try_model.html", context | {"quota": scored_photos_quota(request.user)})


def _campaign_slug(request: HttpRequest) -> str:
    """Return the campaign of `?campaign=` whose navigation the page then has; '' unless the user reviews it."""
    slug = request.GET.get("campaign", "")
    if slug:
        with suppress(Http404, PermissionDenied):
            campaign, role = campaign_for(request.user, slug, Role.REVIEWER)
            request.campaign, request.campaign_role = campaign, role  # type: ignore[attr-defined]
            return campaign.slug
    return ""


def _choices(user: User, *, slug: str, chosen: str | None) -> dict[str, Any]:
    """Return the versions to choose from. Without a choice, the champion of the campaign `slug`.

    Without a campaign too, it is the first champion: people want to try what their campaign has trained.
    """
    versions = versions_to_try(user, slug=slug)
    if chosen is None:
        first = versions[0] if versions and (not slug or versions[0].campaign.slug == slug) else None
        chosen = str(first.pk) if first else ""
    return {"versions": versions, "chosen": chosen, "slug": slug}


def _limits() -> dict[str, Any]:
    return {
        "most_files": MOST_FILES,
        "megabytes": settings.IQS_MAX_FILE_BYTES // 1024**2,
        "total_megabytes": settings.IQS_MAX_SCORING_BYTES // 1024**2,
        "megapixels": settings.IQS_MAX_PIXELS // 10**6,
        "kept_minutes": KEPT_SECONDS // 60,
    }


def _file_context(file: ScoredFile, model: ScoringModel) -> dict[str, Any]:
    """Return a photo for the template, with its distribution, synset probabilities and distortions as lists."""
    context: dict[str, Any] = {"name": file.name, "cells": file.cells, "thumbnail": file.thumbnail}
    if file.cells and not file.cells["reason"]:
        cells, rules = file.cells, model.rules
        context["percent"] = round(100 * float(cells["watch_probability"] or 0), 2)
        context["distribution"] = [cells[f"q{score}"] for score in range(rules.lowest, rules.lowest + rules.bins)]
        context["parts"] = [(synset_name(synset), cells[f"synset_{synset}"]) for synset in rules.synsets]
        context["distortions"] = [(name, cells[name]) for name in _DISTORTIONS]
    return context
