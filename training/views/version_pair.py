"""The page that compares any two versions of a campaign on the same holdout photos."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe
from numpy.typing import NDArray

from annotation.access.permissions import campaign_view
from annotation.models import Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.tasks import announce
from inference.models import ModelVersion
from training.evaluation.comparison import Comparison
from training.evaluation.version_pair import PairFigure, pair_figures, pair_verdicts
from training.models import VersionComparison
from training.selectors.comparison import compare
from training.selectors.pairs import votes_since
from training.services.version_comparisons import version_comparison_request
from training.tasks import MESSAGE_SECONDS, version_comparison_run
from training.views.calibration_charts import score_scatter, watch_reliability

PHOTOS_SHOWN = 12

Pair = tuple[ModelVersion, ModelVersion]


@require_safe
@campaign_view(Role.REVIEWER)
def version_pair(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the comparison of the versions `?a=` and `?b=`, or how to make it."""
    versions = list(campaign.model_versions.all())
    context: dict[str, Any] = {"campaign": campaign, "versions": versions}
    pair = _pair(versions, request.GET.get("a", ""), request.GET.get("b", ""))
    if pair is None:
        champion = next((version for version in versions if version.is_champion), None)
        others = [version for version in versions if version is not champion]
        context |= {"first": others[0] if others else None, "second": champion}
        return render(request, "training/version_pair.html", context)
    context |= _state(campaign, pair) | {"chosen": True}
    comparison = context["comparison"]
    if comparison is not None and comparison.made_at is not None:
        assert isinstance(request.user, User)  # campaign_view refuses anonymous users
        context |= _report(campaign, pair, comparison, request.user)
    return render(request, "training/version_pair.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
def version_pair_live(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the progress of a comparison; when it has ended, tell htmx to load the whole page again."""
    pair = _pair(list(campaign.model_versions.all()), request.GET.get("a", ""), request.GET.get("b", ""))
    if pair is None:
        raise Http404(gettext("Choose two versions of this campaign."))
    context = {"campaign": campaign} | _state(campaign, pair)
    response = render(request, "training/_version_pair_state.html", context)
    if context["comparison"] is None or not context["comparison"].is_live:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@campaign_view(Role.REVIEWER)
def version_pair_start(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Let a worker compare the posted versions `a` and `b`."""
    assert isinstance(request.user, User)
    pair = _pair(list(campaign.model_versions.all()), request.POST.get("a", ""), request.POST.get("b", ""))
    if pair is None:
        raise Http404(gettext("Choose two versions of this campaign."))
    first, second = pair
    comparison = version_comparison_request(campaign=campaign, first=first, second=second, by=request.user)
    announce(version_comparison_run, comparison.pk, expires=MESSAGE_SECONDS)
    return redirect(f"{reverse('version-pair', args=[campaign.slug])}?a={first.number}&b={second.number}")


def _pair(versions: Sequence[ModelVersion], first: str, second: str) -> Pair | None:
    """Return the versions with these numbers; None without numbers. Raises Http404 for others, and for one twice."""
    if not first and not second:
        return None
    numbers = {str(version.number): version for version in versions}
    if first not in numbers or second not in numbers:
        raise Http404(gettext("This campaign has no model version with this number."))
    if first == second:
        raise Http404(gettext("Choose two different versions."))
    return numbers[first], numbers[second]


def _state(campaign: Campaign, pair: Pair) -> dict[str, Any]:
    first, second = pair
    rows = VersionComparison.objects.filter(campaign=campaign, first=first, second=second)
    return {"first": first, "second": second, "comparison": rows.select_related("campaign", "requested_by").first()}


def _report(campaign: Campaign, pair: Pair, comparison: VersionComparison, viewer: User) -> dict[str, Any]:
    """Return figures, verdicts, charts and photos of a finished comparison."""
    result = comparison.result
    figures = {figure.metric.name: figure for figure in pair_figures(result["figures"])}
    report: dict[str, Any] = {
        "figures": list(figures.values()),
        "verdicts": pair_verdicts(figures, pair[0].number, pair[1].number),
        "photos": len(result["image_ids"]),
        "votes_since": votes_since(comparison),
        "result": result,
    }
    hidden = {row["image_id"] for row in predictions_hidden(campaign, viewer)}
    compared = [_on_photos(campaign, version, result["image_ids"]) for version in pair]
    both = np.intersect1d(compared[0].image_ids, compared[1].image_ids)
    if not len(both):  # the photos were withdrawn, or their predictions deleted
        return report
    compared = [one.part(np.isin(one.image_ids, both)) for one in compared]
    shown = ~np.isin(both, list(hidden))
    thresholds = result["thresholds"]
    report |= {
        "hidden": int((~shown).sum()),
        "sides": [
            _side(campaign, version, one, one.part(shown), figures, name)
            for version, one, name in zip(pair, compared, ("first", "second"), strict=True)
        ],
        "apart": _furthest_apart(compared[0].part(shown), compared[1].part(shown), thresholds),
        "decisions_apart": _decisions_apart(compared, thresholds),
    }
    return report


def _on_photos(campaign: Campaign, version: ModelVersion, image_ids: Sequence[int]) -> Comparison:
    """Return the votes of today with the version's predictions on these photos."""
    version.campaign = campaign
    everything = compare(campaign, version)
    return everything.part(np.isin(everything.image_ids, image_ids))


def _side(
    campaign: Campaign,
    version: ModelVersion,
    comparison: Comparison,
    shown: Comparison,
    figures: dict[str, PairFigure],
    name: str,
) -> dict[str, Any]:
    """Return the charts of one version. `shown`: the photos that the reviewer may see one by one."""
    srcc = getattr(figures["quality_srcc"], name)
    title = f"Version {version.number}" + (f": SRCC {srcc.text} ({srcc.interval})" if srcc.known else "")
    scatter = score_scatter(campaign, shown, title=title)
    side: dict[str, Any] = {"version": version, "scatter": replace(scatter, name=f"scatter-{name}")}
    found = watch_reliability(comparison, seed=campaign.seed, before=f"Version {version.number}: ")
    if found is None:
        return side
    return side | {
        "reliability": replace(found.diagram, name=f"reliability-{name}"),
        "reliability_bins": found.bins,
    }


def _furthest_apart(first: Comparison, second: Comparison, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Return a row for each of the photos whose mean scores differ most between the versions."""
    apart = first.quality_mean - second.quality_mean
    rows: NDArray[np.intp] = np.argsort(-np.abs(apart), kind="stable")[:PHOTOS_SHOWN]
    mos, counts = first.mos, first.vote_counts
    nearer = np.abs(first.quality_mean - mos) - np.abs(second.quality_mean - mos)  # below 0: the first one is nearer
    return [
        {
            "pk": int(first.image_ids[row]),
            "name": first.names[row],
            "mos": mos[row],
            "votes": int(counts[row]),
            "means": (first.quality_mean[row], second.quality_mean[row]),
            "apart": apart[row],
            "closer": ("first", "", "second")[int(np.sign(nearer[row])) + 1],
            "watches": tuple(
                bool(one.watch_probability[row] > threshold)
                for one, threshold in zip((first, second), thresholds, strict=True)
            ),
        }
        for row in rows
    ]


def _decisions_apart(compared: Sequence[Comparison], thresholds: Sequence[float]) -> dict[str, int]:
    """Return on how many photos the watch decisions differ, and how often each version has the people's label."""
    decided = compared[0].has_majority
    decisions = [
        one.watch_probability[decided] > threshold for one, threshold in zip(compared, thresholds, strict=True)
    ]
    labels = compared[0].is_watch[decided].astype(bool)
    differ = decisions[0] != decisions[1]
    return {
        "photos": int(differ.sum()),
        "of": len(labels),
        "first": int((differ & (decisions[0] == labels)).sum()),
        "second": int((differ & (decisions[1] == labels)).sum()),
    }
