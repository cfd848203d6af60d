"""Evaluations and promotions of a campaign's model versions."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from annotation.models import Campaign, Image
from annotation.selectors.votes import votes_of
from inference.models import ModelVersion
from training.evaluation.findings import evaluation_age, evaluation_settings_changed
from training.evaluation.registry import ScaleAndThresholds
from training.models import Evaluation, Promotion
from training.selectors.comparison import scale_and_thresholds
from training.selectors.snapshots import HoldoutOpinions


def newest_evaluations(versions: Collection[ModelVersion]) -> dict[int, Evaluation]:
    """Return {version id: its newest evaluation} in one query."""
    rows = (
        Evaluation.objects.filter(model_version__in=versions)
        .select_related("against", "look", "model_version__campaign")
        .order_by("model_version_id", "-pk")
        .distinct("model_version_id")
    )
    return {row.model_version_id: row for row in rows}


@dataclass(frozen=True)
class HoldoutVotes:
    """Numbers of votes on the holdout that evaluations are measured on."""

    now: int
    newer: int
    """Those of them that came after a certain time."""


def holdout_votes(campaign: Campaign, *, since: datetime) -> HoldoutVotes:
    """Count the votes on the holdout (one query, which reads all of them)."""
    votes = votes_of(campaign, split=Image.Split.HOLDOUT, for_evaluation=True)
    return HoldoutVotes(**votes.aggregate(now=Count("pk"), newer=Count("pk", filter=Q(created_at__gt=since))))


def votes_changed_since(evaluation: Evaluation) -> str:
    """Return how the holdout votes have changed since an evaluation, as a sentence; '' if they have not (one query).

    Not for pages, because it reads all votes on the holdout: see `training.services.counts.changed_since_kept`.
    """
    return _votes_changed(evaluation, holdout_votes(evaluation.model_version.campaign, since=evaluation.created_at))


def _votes_changed(evaluation: Evaluation, counts: HoldoutVotes) -> str:
    return evaluation_age(newer=counts.newer, counted_then=evaluation.vote_count, counted_now=counts.now)


def settings_changed_since(evaluation: Evaluation) -> str:
    """Return which settings have changed since an evaluation, as a sentence; '' if none has (no query).

    The campaign must be loaded with the evaluation, as `newest_evaluations` does.
    """
    return evaluation_settings_changed(evaluation.settings, asdict(_settings_now(evaluation)))


def changed_since(evaluation: Evaluation) -> str:
    """Return how votes and settings have changed since an evaluation, as a sentence; '' if not (one query).

    Not for pages, as `votes_changed_since`.
    """
    return changed_by(evaluation, holdout_votes(evaluation.model_version.campaign, since=evaluation.created_at))


def changed_by(evaluation: Evaluation, counts: HoldoutVotes | None) -> str:
    """Return how settings and, by these counts, votes have changed since an evaluation; '' if not (no query)."""
    votes = _votes_changed(evaluation, counts) if counts else ""
    changed = settings_changed_since(evaluation)
    if not (votes and changed):
        return votes or changed
    return gettext("%(votes)s, and %(settings)s") % {
        "votes": votes,
        "settings": f"{changed[0].lower()}{changed[1:]}",
    }


def is_current(evaluation: Evaluation, opinions: HoldoutOpinions) -> bool:
    """Return whether an evaluation was measured on these votes, with the campaign's present settings."""
    return evaluation.fingerprint == opinions.fingerprint and evaluation.settings == asdict(_settings_now(evaluation))


def same_settings(first: Evaluation, second: Evaluation) -> bool:
    """Return whether two evaluations were measured with the same scale and class limits.

    Each must also have the watch threshold that its version has now, or both the same.
    """
    return bool(first.settings == second.settings) or all(
        one.settings == asdict(_settings_now(one)) for one in (first, second)
    )


def same_holdout(first: Evaluation, second: Evaluation) -> bool:
    """Return whether two evaluations were measured on the same votes and number of photos, with the same settings."""
    same_votes = (first.fingerprint, first.image_count) == (second.fingerprint, second.image_count)
    return same_votes and same_settings(first, second)


def _settings_now(evaluation: Evaluation) -> ScaleAndThresholds:
    return scale_and_thresholds(evaluation.model_version)


def promotions(campaign: Campaign) -> QuerySet[Promotion]:
    """Return the audit trail, newest first."""
    return Promotion.objects.filter(campaign=campaign).select_related(
        "version",
        "replaced",
        "by",
        "evaluation__against",
        "evaluation__look",
        "evaluation__model_version__campaign",
    )


def rollback_target(campaign: Campaign) -> ModelVersion | None:
    """Return the champion before the present one, or None if there was none.

    The audit trail is read as a stack: a promotion pushes a version, and a rollback pops the versions above
    its target. So two rollbacks go two steps back.
    """
    stack: list[int] = []
    for kind, version_id, replaced_id in (
        Promotion.objects.filter(campaign=campaign).order_by("pk").values_list("kind", "version_id", "replaced_id")
    ):
        if not stack and replaced_id is not None:
            stack.append(replaced_id)
        if kind == Promotion.Kind.ROLLBACK and version_id in stack:
            while stack[-1] != version_id:
                stack.pop()
        else:
            stack.append(version_id)
    return ModelVersion.objects.filter(pk=stack[-2]).first() if len(stack) > 1 else None


def past_champions(campaign: Campaign) -> set[int]:
    """Return the ids of the versions that are or have been champion."""
    rows = Promotion.objects.filter(campaign=campaign).values_list("version_id", "replaced_id")
    present = ModelVersion.objects.filter(campaign=campaign, is_champion=True).values_list("pk", flat=True)
    return {pk for row in rows for pk in row if pk is not None} | set(present)
