"""Evaluations and promotions of a campaign's model versions."""

from collections.abc import Collection

from django.db.models import Count, Q, QuerySet

from annotation.models import Campaign, Image
from annotation.selectors.votes import votes_of
from inference.models import ModelVersion
from training.evaluation.findings import evaluation_age
from training.models import Evaluation, Promotion


def newest_evaluations(versions: Collection[ModelVersion]) -> dict[int, Evaluation]:
    """Return {version id: its newest evaluation} in one query."""
    rows = (
        Evaluation.objects.filter(model_version__in=versions)
        .select_related("against", "model_version__campaign")
        .order_by("model_version_id", "-pk")
        .distinct("model_version_id")
    )
    return {row.model_version_id: row for row in rows}


def votes_changed_since(evaluation: Evaluation) -> str:
    """Return how the holdout votes have changed since an evaluation, as a sentence; '' if they have not (one query)."""
    counts = votes_of(evaluation.model_version.campaign, split=Image.Split.HOLDOUT, for_evaluation=True).aggregate(
        now=Count("pk"), newer=Count("pk", filter=Q(created_at__gt=evaluation.created_at))
    )
    return evaluation_age(newer=counts["newer"], counted_then=evaluation.vote_count, counted_now=counts["now"])


def same_holdout(first: Evaluation, second: Evaluation) -> bool:
    """Return whether two evaluations were measured on the same votes and the same number of photos."""
    return (first.fingerprint, first.image_count) == (second.fingerprint, second.image_count)


def promotions(campaign: Campaign) -> QuerySet[Promotion]:
    """Return the audit trail, newest first."""
    return Promotion.objects.filter(campaign=campaign).select_related("version", "replaced", "by")


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
