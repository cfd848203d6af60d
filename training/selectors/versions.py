"""Evaluations and promotions of a campaign's model versions."""

from django.db.models import QuerySet

from annotation.models import Campaign
from inference.models import ModelVersion
from training.models import Evaluation, Promotion


def newest_evaluations(versions: list[ModelVersion]) -> dict[int, Evaluation]:
    """Return {version id: its newest evaluation} in one query."""
    rows = (
        Evaluation.objects.filter(model_version__in=versions)
        .select_related("against")
        .order_by("model_version_id", "-pk")
        .distinct("model_version_id")
    )
    return {row.model_version_id: row for row in rows}


def promotions(campaign: Campaign) -> QuerySet[Promotion]:
    """Return the audit trail, newest first."""
    return Promotion.objects.filter(campaign=campaign).select_related("version", "replaced", "by")


def rollback_target(campaign: Campaign) -> ModelVersion | None:
    """Return the champion before the present one, or None when there was none.

    The audit trail is read as a stack: a promotion puts a version on it, a rollback takes off those
    above the one it went back to, so that rolling back twice goes two steps back.
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
    standing = ModelVersion.objects.filter(campaign=campaign, is_champion=True).values_list("pk", flat=True)
    return {pk for row in rows for pk in row if pk is not None} | set(standing)
