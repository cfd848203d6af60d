"""The audit photos of a campaign: photos drawn at random with votes of people, which a version has not learned from.

Which votes they are:

* On photos of the **holdout**, every vote for evaluation. The holdout was drawn at random, no version learns from it,
  and no lane of the queue chooses among its photos by what a model says.
* On **other photos**, votes for evaluation that the lane `random` brought, where the version has not learned from any
  photo of the group of near-duplicates: no answer to one of them came before the version's run froze its answers. They
  count only while no lane has chosen training photos by what a model says: such lanes take the difficult photos away,
  and on those that they leave over the model looks better than it is (`benchmarks/audit.py`: 4.7 points). For the same
  reason, only votes count that are older than the moment when photos that the model had decided first left the queue.

A photo counts once it has a panel: as many of these votes as the rule states. The first ones count, in the order they
were given. A group of near-duplicates counts once, with the photo whose panel was complete first.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db.models import Exists, OuterRef, Q
from numpy.typing import NDArray

from annotation.models import AggregatedVotes, Annotation, Assignment, Campaign, Image
from annotation.selectors.votes import votes_of
from inference.decisions.calibration import AuditPhotos
from inference.models import ModelVersion, Prediction
from training.models import TrainingRun
from training.selectors.pool_facts import has_chosen_votes, left_queue_at
from training.selectors.snapshots import imported_kinds

#: The lane that draws photos at random.
AUDIT_LANE = "random"


@dataclass(frozen=True)
class AuditTable:
    """Audit photos, in the order in which their panels were complete."""

    photos: AuditPhotos
    complete_at: NDArray[np.int64]
    """Id of the answer that completed the panel [N], ascending."""

    def part(self, chosen: NDArray[np.bool_]) -> AuditPhotos:
        """Return some of the photos."""
        columns = (
            getattr(self.photos, name)[chosen]
            for name in ("quality_mean", "watch_probability", "people_mean", "people_watch", "has_watch")
        )
        return AuditPhotos(*columns)


def audit_table(
    campaign: Campaign,
    version: ModelVersion,
    *,
    panel: int,
    votes_from: datetime | None = None,
    photos_from: datetime | None = None,
) -> AuditTable:
    """Return the audit photos of a version with its predictions and what their panels say (at most nine queries).

    votes_from: older votes do not count. photos_from: photos that were imported before do not count.
    """
    is_audit = Q(image__split=Image.Split.HOLDOUT)
    if not has_chosen_votes(campaign):
        before = left_queue_at(campaign)
        drawn = Assignment.objects.filter(
            image=OuterRef("image"), annotator=OuterRef("annotator"), lane=AUDIT_LANE, is_repeat=False
        )
        was_random = Q() if before is None else Q(created_at__lt=before)
        is_audit |= Q(Exists(drawn), was_random, image__split=Image.Split.TRAIN)
    votes = votes_of(campaign, for_evaluation=True).filter(is_audit, image__role=Image.Role.RATED)
    if votes_from is not None:
        votes = votes.filter(created_at__gte=votes_from)
    if photos_from is not None:
        votes = votes.filter(image__created_at__gte=photos_from)
    learned = learned_groups(campaign, version)
    panels: dict[int, list[tuple[int | None, str]]] = {}
    complete: dict[int, tuple[int, UUID]] = {}
    columns = ("pk", "image_id", "image__group", "image__split", "score", "watch")
    for pk, image, group, split, score, watch in votes.order_by("pk").values_list(*columns).iterator(chunk_size=10_000):
        if split == Image.Split.TRAIN and group in learned:
            continue
        own = panels.setdefault(image, [])
        if len(own) < panel:
            own.append((score, watch))
            if len(own) == panel:
                complete[image] = (pk, group)
    predictions = {
        image: (mean, watch)
        for image, mean, watch in Prediction.objects.filter(
            model_version=version, image__in=list(complete)
        ).values_list("image_id", "quality_mean", "watch_probability")
    }
    rows: list[tuple[float, ...]] = []
    ends: list[int] = []
    groups: set[UUID] = set()
    for image, (pk, group) in sorted(complete.items(), key=lambda item: item[1][0]):
        if image in predictions and group not in groups:
            groups.add(group)
            rows.append((*predictions[image], *_opinion(panels[image])))
            ends.append(pk)
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    photos = AuditPhotos(table[:, 0], table[:, 1], table[:, 2], table[:, 3] > 0, table[:, 4] > 0)
    return AuditTable(photos, np.array(ends, dtype=np.int64))


def _opinion(votes: list[tuple[int | None, str]]) -> tuple[float, bool, bool]:
    """Return the mean score, whether more people say 'watch' than 'no watch', and whether they were asked."""
    scores = [score for score, _ in votes if score is not None]
    labels = [watch for _, watch in votes if watch]
    yes, no = (labels.count(value) for value in (Annotation.Watch.YES, Annotation.Watch.NO))
    return float(np.mean(scores)) if scores else float("nan"), yes > no, bool(labels)


def learned_groups(campaign: Campaign, version: ModelVersion) -> set[UUID]:
    """Return the groups with a photo that the version can have learned from (up to three queries)."""
    run = TrainingRun.objects.filter(challenger=version).first()
    if run is None:
        return set()
    answers = Annotation.objects.filter(campaign=campaign, pk__lte=run.last_annotation_id, skip_reason="")
    learned = set(answers.exclude(image__split=Image.Split.HOLDOUT).values_list("image__group", flat=True).distinct())
    if imported := imported_kinds(histograms=run.histogram_count > 0, labels=run.label_count > 0):
        rows = AggregatedVotes.objects.filter(imported, image__campaign=campaign)
        learned |= set(rows.values_list("image__group", flat=True).distinct())
    return learned
