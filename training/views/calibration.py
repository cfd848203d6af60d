"""The calibration page: predictions of a model version compared with votes."""

from collections.abc import Collection, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from annotation.access.permissions import campaign_view
from annotation.measures import calibration as reliability
from annotation.measures import classification, opinion
from annotation.measures.vote_variance import vote_variance
from annotation.models import LIVE, Annotation, Campaign, Image, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.selectors.opinions import campaign_vote_variance
from inference.models import ModelVersion, Prediction
from inference.selectors import class_limits, shown_threshold
from training.evaluation import findings
from training.evaluation.classes import class_figures, source_figures
from training.evaluation.comparison import Comparison, ScoreFigures, watch_roc_auc
from training.evaluation.registry import METRICS
from training.selectors.comparison import compare
from training.selectors.snapshots import VOTES_FOR_QUALITY
from training.selectors.versions import changed_since, newest_evaluations
from training.views.calibration_charts import score_scatter, watch_reliability

FURTHEST_APART_SHOWN = 50
PICKS_SHOWN = 8
# The holdout figures use the same photos as evaluations, so that both show the same numbers.
FEWEST_VOTES = {"holdout": VOTES_FOR_QUALITY, "all": 1}
SPLITS = {"holdout": Image.Split.HOLDOUT, "all": None}


@campaign_view(Role.REVIEWER)
def calibration(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the page; the query has `?version=`, `?split=holdout|all` and `?photo=`."""
    has_predictions = Exists(Prediction.objects.filter(model_version=OuterRef("pk")))
    versions = list(campaign.model_versions.annotate(has_predictions=has_predictions))
    version = _version(versions, request.GET.get("version", ""))
    split = request.GET.get("split", "holdout")
    if split not in SPLITS:
        raise Http404("The calibration page shows the split “holdout” or “all”.")
    photo_id = _photo_id(request.GET.get("photo", ""))
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    hidden = {row["image_id"] for row in predictions_hidden(campaign, request.user)}
    context: dict[str, Any] = {"campaign": campaign, "versions": versions, "version": version, "split": split}
    if request.htmx.target == "one-photo" and version and photo_id:  # type: ignore[attr-defined]  # by django-htmx
        context["one"] = _one_photo(campaign, version, photo_id, hidden)
        return render(request, "training/_one_photo.html", context)
    if version:
        comparison = compare(campaign, version, split=SPLITS[split])
        context |= {"rated": comparison.rated, "now": timezone.now()}
        if split == "holdout" and (evaluation := newest_evaluations([version]).get(version.pk)) is not None:
            context |= {"evaluation": evaluation, "outdated": changed_since(evaluation)}
        if len(comparison):
            scored = comparison.part(comparison.vote_counts >= FEWEST_VOTES[split])
            context |= {"compared": len(comparison), "left_out": len(comparison) - len(scored)}
            context |= _watch_report(campaign, version, comparison)
            shown = scored.part(~np.isin(scored.image_ids, list(hidden)))
            context["hidden"] = len(scored) - len(shown)
            if len(shown):
                context |= _score_report(campaign, scored, shown, split)
                context |= _class_report(campaign, version, scored)
                furthest = int(shown.image_ids[shown.furthest_apart[0]])
                context["one"] = _one_photo(campaign, version, photo_id or furthest, hidden)
    return render(request, "training/calibration.html", context)


def _version(versions: Sequence[ModelVersion], number: str) -> ModelVersion | None:
    """Return the requested version, else the champion, else the newest. Raises Http404 for an unknown number."""
    if number:
        for version in versions:
            if str(version.number) == number:
                return version
        raise Http404("This campaign has no model version with this number.")
    return next((version for version in versions if version.is_champion), versions[0] if versions else None)


def _photo_id(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise Http404("This photo is not in this campaign.")
    return int(text)


def _score_report(campaign: Campaign, comparison: Comparison, shown: Comparison, split: str) -> dict[str, Any]:
    """Return the figures, charts and tables of the quality scores. The campaign's seed fixes the resamples.

    `shown`: the photos that the reviewer may see one by one. The figures use all of `comparison`.
    """

    figures = ScoreFigures.of(comparison, seed=campaign.seed)
    score_title = findings.score_finding(figures, "holdout photos" if split == "holdout" else "rated photos")
    report: dict[str, Any] = {
        "figures": figures,
        "metrics": METRICS,
        "scatter": score_scatter(campaign, shown, title=score_title),
        # A bin with one photo shows its prediction.
        "score_bins": reliability.score_bins(shown.quality_mean, shown.mos),
        "apart": _photo_rows(shown),
        "spread_title": findings.spread_finding(comparison),
        "people_histogram": opinion.score_histogram(
            comparison.votes.scores, lowest=comparison.lowest, highest=comparison.highest
        ).tolist(),
        "model_histogram": comparison.distribution.mean(axis=0).tolist(),
    }
    report["picks"] = report["apart"][:PICKS_SHOWN]
    return report


def _class_report(campaign: Campaign, version: ModelVersion, comparison: Comparison) -> dict[str, Any]:
    """Return the figures of the quality classes, and of each import that brought some of the photos (one query)."""
    rows = Image.objects.filter(pk__in=comparison.image_ids.tolist()).values_list("pk", "batch__source")
    sources = {pk: PurePath(source).name if source else "other photos" for pk, source in rows}
    return {
        "classes": class_figures(comparison, seed=campaign.seed),
        "class_limits": class_limits(campaign, version),
        "sources": source_figures(
            comparison, [sources.get(pk, "other photos") for pk in comparison.image_ids.tolist()], seed=campaign.seed
        ),
    }


def _photo_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return a table row for each of the photos with the largest differences."""
    mos = comparison.mos
    rows = comparison.furthest_apart[:FURTHEST_APART_SHOWN]
    variance, votes = vote_variance(comparison.histograms), comparison.vote_counts
    low, high = opinion.mos_interval(comparison.histograms[rows], comparison.lowest, variance)
    return [
        {
            "pk": int(comparison.image_ids[row]),
            "name": comparison.names[row],
            "predicted": comparison.quality_mean[row],
            "mos": mos[row],
            "low": low[place],
            "high": high[place],
            "votes": int(votes[row]),
            "difference": comparison.quality_mean[row] - mos[row],
        }
        for place, row in enumerate(rows)
    ]


def _watch_report(campaign: Campaign, version: ModelVersion, comparison: Comparison) -> dict[str, Any]:
    """Return the reliability diagram and the threshold table of the watch probability."""
    from training.drawing import charts

    decided = comparison.has_majority
    probabilities, labels = comparison.watch_probability[decided], comparison.is_watch[decided]
    report: dict[str, Any] = {"labelled": int(decided.sum()), "watches": int(labels.sum())}
    report["undecided"] = len(comparison) - report["labelled"]
    if not report["labelled"]:
        return report
    threshold = shown_threshold(campaign, version)
    report["watch_threshold"] = threshold
    rows = classification.threshold_table(probabilities, labels, sorted({*classification.THRESHOLDS, threshold}))
    at_chosen = classification.threshold_table(probabilities, labels, [threshold])[0]
    report |= {
        "roc_auc": watch_roc_auc(comparison, seed=campaign.seed),
        "threshold_rows": rows,
        "at_chosen": at_chosen,
        "thresholds": charts.threshold_curves(
            thresholds=np.array([row.threshold for row in rows]),
            f1=np.array([row.f1 for row in rows]),
            accuracy=np.array([row.accuracy for row in rows]),
            chosen=threshold,
            title=findings.threshold_finding(rows, threshold, at_chosen),
        ),
    }
    if (found := watch_reliability(comparison)) is not None:
        report |= {"reliability_bins": found.bins, "reliability": found.diagram}
    return report


def _one_photo(campaign: Campaign, version: ModelVersion, photo_id: int, hidden: Collection[int]) -> dict[str, Any]:
    """Return one photo with both histograms (three queries), the `hidden` ones without prediction.

    Raises Http404 for a photo of another campaign.
    """
    image = Image.objects.filter(LIVE, campaign=campaign, pk=photo_id).first()
    if image is None:
        raise Http404("This photo is not in this campaign.")
    answers = Annotation.objects.filter(image=image).independent_votes()
    scores = np.array(answers.values_list("score", flat=True), dtype=np.int64)
    histogram = opinion.score_histogram(scores, lowest=campaign.scale_min, highest=campaign.scale_max)
    low, high = opinion.mos_interval(histogram, campaign.scale_min, campaign_vote_variance(campaign))
    people = {"mos": float(opinion.mos(histogram, campaign.scale_min)), "low": float(low), "high": float(high)}
    rows = Prediction.objects.filter(image=image, model_version=version).with_quality_class()
    prediction = None if image.pk in hidden else rows.first()
    return {
        "image": image,
        "is_hidden": image.pk in hidden,
        "people": people,
        "histogram": histogram.tolist(),
        "prediction": prediction,
    }
