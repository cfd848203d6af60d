"""Questions to the tables of the training app; nothing here writes."""

from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from annotation.models import Annotation, Campaign, Image
from annotation.selectors.votes import standing_annotations, vote_table
from inference.models import ModelVersion
from training.learning.dataset import Snapshot, rated_images
from training.models import Evaluation, Promotion, TrainingRun

# Fewer people than that, and one person's taste would pass for everybody's.
VOTES_FOR_QUALITY = 2


@dataclass(frozen=True)
class HoldoutOpinions:
    """What people who had not seen a prediction said about the holdout photos."""

    quality_ids: NDArray[np.int64]
    """Photos with at least two votes, ascending [N]."""
    histograms: NDArray[np.float64]
    """Their counts of opinion scores [N, K], lowest first."""
    watch_ids: NDArray[np.int64]
    """Photos on which a majority says watch or no watch, ascending [M]."""
    watch_labels: NDArray[np.int8]
    """1 watch, 0 no watch [M]."""
    image_count: int
    vote_count: int
    fingerprint: str

    @property
    def image_ids(self) -> NDArray[np.int64]:
        """Return the photos that take part in either measure, ascending."""
        return np.union1d(self.quality_ids, self.watch_ids)


def snapshot(campaign: Campaign, *, split: str, for_evaluation: bool = False) -> Snapshot:
    """Return the standing answers of a split with what identifies their photos (two queries)."""
    votes = vote_table(campaign, split=split, for_evaluation=for_evaluation)
    rows = Image.objects.filter(campaign=campaign, split=split).values_list("pk", "sha256", "group")
    images = {pk: (sha256, str(group)) for pk, sha256, group in rows}
    known = [images[image_id] for image_id in votes.image_ids.tolist()]
    return Snapshot(
        image_ids=votes.image_ids,
        sha256=np.array([sha256 for sha256, _ in known], dtype="U64"),
        groups=np.array([group for _, group in known], dtype="U36"),
        annotator_ids=votes.annotator_ids,
        scores=votes.scores,
        watch=votes.watch,
    )


def holdout_opinions(campaign: Campaign) -> HoldoutOpinions:
    """Return what people say about the holdout, as evaluation uses it. Ties and 'unsure' count for no label."""
    votes = snapshot(campaign, split=Image.Split.HOLDOUT, for_evaluation=True)
    rated = rated_images(votes, lowest=campaign.scale_min, highest=campaign.scale_max)
    enough = rated.histograms.sum(axis=1) >= VOTES_FOR_QUALITY
    decided = rated.watch_yes != rated.watch_no
    return HoldoutOpinions(
        quality_ids=rated.image_ids[enough],
        histograms=rated.histograms[enough].astype(np.float64),
        watch_ids=rated.image_ids[decided],
        watch_labels=(rated.watch_yes > rated.watch_no)[decided].astype(np.int8),
        image_count=len(rated),
        vote_count=len(votes),
        fingerprint=votes.fingerprint,
    )


def newest_annotation_id(campaign: Campaign) -> int:
    """Return the number of the newest annotation of the campaign, 0 when there is none."""
    return Annotation.objects.filter(campaign=campaign).order_by("-pk").values_list("pk", flat=True).first() or 0


def annotations_since(campaign: Campaign, annotation_id: int) -> int:
    """Return how many standing answers came after this one."""
    return standing_annotations(campaign).filter(pk__gt=annotation_id).count()


def live_run(campaign: Campaign) -> TrainingRun | None:
    """Return the run that is queued or running; there is at most one."""
    return TrainingRun.objects.filter(campaign=campaign, state__in=TrainingRun.LIVE).first()


def last_learned(campaign: Campaign) -> TrainingRun | None:
    """Return the newest run that made a model version which is still there."""
    return (
        TrainingRun.objects.filter(campaign=campaign, state=TrainingRun.State.DONE, challenger__isnull=False)
        .select_related("challenger")
        .first()
    )


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
