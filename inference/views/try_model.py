"""The pages on which people send photos and see what a model says; no photo is kept, unless an admin asks for it.

"Try the model" is for everybody. "Check photos" of a campaign decides as the campaign's upload gate does, and can also
show what its other versions would say.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, User, synset_name
from annotation.services.quotas import QuotaUsedUp
from annotation.tasks import announce, batch_import
from inference.distortion.grades import grade_of
from inference.models import ModelVersion
from inference.services.checked_photos import PhotoGone, PhotoRefused, checked_photo_take
from inference.services.scoring_jobs import KEPT_SECONDS, MOST_FILES, ScoredFile, scoring_job_create, scoring_job_find
from inference.services.scoring_models import SHIPPED, ScoringModel, champions_to_try, model_chosen, versions_of
from inference.services.scoring_quota import ScoringLimitReached, ScoringRefused, scored_photos_quota
from inference.services.upload_gate import GateAnswer, gate_answer
from inference.tasks import scoring_job_run


@require_http_methods(["GET", "HEAD", "POST"])
def try_model(request: HttpRequest) -> HttpResponse:
    """Show the upload form. For POST: create a scoring job from the field `photos` and redirect to its result.

    The field `version` has the id of a model version, or nothing for the shipped model. The first champion is chosen
    at first, because people want to try what their campaign has trained.
    """
    assert isinstance(request.user, User)  # LoginRequiredMiddleware turns others away
    return _form(request, request.user, None)


@campaign_view(Role.REVIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def gate(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the upload form of a campaign; for POST as `try_model`. The champion is chosen at first."""
    assert isinstance(request.user, User)  # campaign_view turns others away
    return _form(request, request.user, campaign)


@require_safe
def try_model_result(request: HttpRequest, key: str) -> HttpResponse:
    """Show a scoring job and its results. For htmx: only the live part."""
    assert isinstance(request.user, User)
    return _result(request, request.user, key, None)


@campaign_view(Role.REVIEWER)
@require_safe
def gate_result(request: HttpRequest, campaign: Campaign, key: str) -> HttpResponse:
    """Show a scoring job of a campaign and its results. For htmx: only the live part."""
    assert isinstance(request.user, User)
    return _result(request, request.user, key, campaign)


@campaign_view(Role.ADMIN)
@require_POST
def gate_store(request: HttpRequest, campaign: Campaign, key: str, place: int) -> HttpResponse:
    """Let an import take a checked photo into the campaign. For htmx: what stands in place of the button."""
    assert isinstance(request.user, User)
    job = scoring_job_find(user=request.user, key=key)
    context: dict[str, Any] = {"campaign": campaign}
    status = 200
    if job is None or job.model.campaign_id != campaign.pk:
        context["problem"], status = gettext("The photo is no longer here. Check it again."), 404
    else:
        try:
            taken = checked_photo_take(campaign=campaign, by=request.user, job=job, place=place)
        except (PhotoGone, PhotoRefused) as refused:
            context["problem"], status = str(refused), 404 if isinstance(refused, PhotoGone) else 422
        except QuotaUsedUp as used_up:
            context["problem"], status = _imports_used_up(used_up), 429
        else:
            context["taken"] = taken
            if taken.is_new_import and taken.batch:
                announce(batch_import, taken.batch.pk)
    if getattr(request, "htmx", False):
        # htmx shows only answers of the status 200; the sentence says what is wrong.
        return render(request, "inference/_checked_photo_stored.html", context)
    if status == 200 and context["taken"].batch:
        return redirect("import-batch", campaign.slug, context["taken"].batch.pk)
    if status == 200:
        return redirect("photo", campaign.slug, context["taken"].known.pk)
    messages.error(request, context["problem"])
    return redirect("gate-result", campaign.slug, key)


def _imports_used_up(used_up: QuotaUsedUp) -> str:
    quota = used_up.quota
    return gettext(
        "You have started %(limit)s imports in this hour, as many as are allowed. You can start the "
        "next one at %(until_text)s."
    ) % {"limit": quota.limit, "until_text": quota.until_text}


def _may_import(request: HttpRequest) -> bool:
    return bool(request.campaign_role == Role.ADMIN)  # type: ignore[attr-defined]  # set by campaign_view


def _form(request: HttpRequest, user: User, campaign: Campaign | None) -> HttpResponse:
    """Show the form, or create a job. For htmx: the live part of the new job, or the refusal in its place."""
    refusal, status, headers = "", 200, {}
    part = bool(getattr(request, "htmx", False))
    if request.method == "POST":
        try:
            model = model_chosen(user, request.POST.get("version", ""))
            if model is None or (campaign and model.campaign_id != campaign.pk):
                raise ScoringRefused(gettext("This version cannot be used. Choose another one."))
            key = scoring_job_create(
                user=user,
                uploads=request.FILES.getlist("photos"),
                model=model,
                keeps_photos=campaign is not None and _may_import(request),
            )
        except ScoringLimitReached as reached:
            refusal, status, headers = str(reached), 429, {"Retry-After": str(reached.retry_after)}
        except ScoringRefused as refused:
            refusal, status = str(refused), 422
        else:
            announce(scoring_job_run, user.pk, key)
            address = _address("result", campaign, key)
            if not part:
                return redirect(address)
            response = _result(request, user, key, campaign, is_new=True)
            response["HX-Replace-Url"] = address
            return response
    if part:
        return render(request, "inference/_scoring_refusal.html", {"refusal": refusal}, status=status)
    context = _limits() | _choices(user, campaign, chosen=request.POST.get("version"))
    context |= {"refusal": refusal, "quota": scored_photos_quota(user)}
    response = render(request, "inference/try_model.html", context, status=status)
    for name, value in headers.items():
        response[name] = value
    return response


def _result(
    request: HttpRequest, user: User, key: str, campaign: Campaign | None, *, is_new: bool = False
) -> HttpResponse:
    """Show a job. `is_new`: it was created by this request, which also shows what is left of the hour's limit."""
    job = scoring_job_find(user=user, key=key)
    part = bool(getattr(request, "htmx", False))
    if job is None or (campaign and job.model.campaign_id != campaign.pk):
        messages.info(
            request,
            gettext("Results are deleted after %(kept_seconds)s minutes. Please send the photos again.")
            % {"kept_seconds": KEPT_SECONDS // 60},
        )
        return HttpResponse(headers={"HX-Refresh": "true"}) if part else redirect(_address("form", campaign))
    context = _limits() | {
        "job": job,
        "result_url": _address("result", campaign, key),
        "files": [_file_context(file, job.model) for file in job.files],
        "may_store": campaign is not None and job.keeps_photos and _may_import(request),
        "campaign": campaign,
        "model": job.model,
        "is_shipped": job.model == SHIPPED,
        "threshold": job.model.rules.threshold,
        "threshold_percent": round(100 * job.model.rules.threshold, 2),
        "lowest": job.model.rules.lowest,
    }
    if is_new or not part:
        context["quota"] = scored_photos_quota(user)
    if part:
        return render(request, "inference/_scored_photos.html", context | {"is_new": is_new})
    context |= _choices(user, campaign, chosen=str(job.model.version_id or ""))
    return render(request, "inference/try_model.html", context)


def _address(what: str, campaign: Campaign | None, *arguments: str) -> str:
    """Return the address of the page: `what` is 'form' or 'result', which has the key of the job."""
    if campaign is None:
        return reverse("try-model" if what == "form" else "try-model-result", args=arguments)
    return reverse("gate" if what == "form" else "gate-result", args=[campaign.slug, *arguments])


def _choices(user: User, campaign: Campaign | None, *, chosen: str | None) -> dict[str, Any]:
    """Return the versions to choose from; without a choice, the first one."""
    versions: list[ModelVersion] = versions_of(campaign) if campaign else champions_to_try(user)
    if chosen is None:
        chosen = str(versions[0].pk) if versions else ""
    form_url = _address("form", campaign)
    return {"versions": versions, "chosen": chosen, "campaign": campaign, "form_url": form_url}


def _class_bar(answer: GateAnswer) -> list[dict[str, Any]]:
    """Return the classes as parts of a bar from 0 to 100, the worst class first."""
    parts, start = [], 0.0
    for name, share in zip(("rejected", "pending", "accepted"), answer.class_probabilities, strict=True):
        parts.append({"name": name, "start": round(start, 2), "percent": round(100 * share, 2)})
        start += 100 * share
    return parts


def _limits() -> dict[str, Any]:
    return {
        "most_files": MOST_FILES,
        "megabytes": settings.IQS_MAX_FILE_BYTES // 1024**2,
        "total_megabytes": settings.IQS_MAX_SCORING_BYTES // 1024**2,
        "megapixels": settings.IQS_MAX_PIXELS // 10**6,
        "kept_minutes": KEPT_SECONDS // 60,
    }


def _file_context(file: ScoredFile, model: ScoringModel) -> dict[str, Any]:
    """Return a photo for the template, with its answer, distribution, synset probabilities and distortions."""
    context: dict[str, Any] = {"name": file.name, "cells": file.cells, "thumbnail": file.thumbnail}
    if file.cells and not file.cells["reason"]:
        cells, rules = file.cells, model.rules
        answer = gate_answer(cells, model)
        context["answer"] = answer
        context["classes"] = _class_bar(answer)
        context["percent"] = round(100 * answer.watch_probability, 2)
        context["distribution"] = [cells[f"q{score}"] for score in range(rules.lowest, rules.lowest + rules.bins)]
        context["parts"] = [(synset_name(synset), cells[f"synset_{synset}"]) for synset in rules.synsets]
        context["distortions"] = [
            {"name": name, "value": value, "grade": grade_of(value)[0]} for name, value in answer.distortions.items()
        ]
    return context
