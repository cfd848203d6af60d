"""Where a model version comes from, and what came after it."""

from dataclasses import dataclass, field

from django.db.models import Max, Min

from annotation.models import Image
from annotation.selectors.votes import votes_of
from inference.models import PRIOR_NAME, ModelVersion
from training.models import Evaluation, Promotion, TrainingRun


@dataclass(frozen=True)
class Lineage:
    """The run that made a version, the versions it is related to, and when it was champion."""

    is_prior: bool
    """Whether it is a shipped prior, which no run has made."""
    run: TrainingRun | None
    """The run that made it; None for a prior, and if the run is gone."""
    parent: ModelVersion | None
    """The version whose heads the run began with: the newest earlier prior with the same backbone."""
    against: ModelVersion | None
    """The champion that the run compared it with."""
    promotions: list[Promotion] = field(default_factory=list)
    """When it became champion, oldest first."""


def lineage_of(version: ModelVersion) -> Lineage:
    """Return the lineage of a version (at most four queries)."""
    is_prior = version.recipe.get("name") == PRIOR_NAME
    run = None if is_prior else TrainingRun.objects.filter(challenger=version).order_by("pk").first()
    earlier = ModelVersion.objects.filter(campaign=version.campaign_id, number__lt=version.number)
    parent = None if is_prior else earlier.filter(recipe__name=PRIOR_NAME, backbone=version.backbone).first()
    measured = run and Evaluation.objects.filter(model_version=version, run=run).select_related("against").first()
    promotions = Promotion.objects.filter(version=version).select_related("by", "replaced").order_by("pk")
    return Lineage(
        is_prior=is_prior,
        run=run,
        parent=parent,
        against=measured.against if measured else None,
        promotions=list(promotions),
    )


def answer_dates(run: TrainingRun) -> tuple[str, str] | None:
    """Return the days of the first and the last answer that a run learned from; None if they are gone (one query).

    Answers that were replaced later by a correction no longer count.
    """
    votes = votes_of(run.campaign, split=Image.Split.TRAIN).filter(pk__lte=run.last_annotation_id)
    found = votes.aggregate(first=Min("created_at"), last=Max("created_at"))
    if found["first"] is None:
        return None
    return found["first"].date().isoformat(), found["last"].date().isoformat()
