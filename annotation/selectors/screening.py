"""Live decisions of reviewers about annotators."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from annotation.models import Campaign, ScreeningDecision, User


def live_decisions(campaign: Campaign) -> dict[int, list[ScreeningDecision]]:
    """Return {annotator id: decisions} of decisions that are not undone, the one about votes first (one query)."""
    rows = campaign.screening_decisions.filter(undone_at=None).select_related("decided_by")
    found: dict[int, list[ScreeningDecision]] = {}
    for row in sorted(rows, key=lambda one: one.decision == ScreeningDecision.Decision.REREAD):
        found.setdefault(row.annotator_id, []).append(row)
    return found


def excluded_annotators(campaign_id: int) -> list[int]:
    """Return the ids of the annotators whom a reviewer has excluded, ascending (one query)."""
    rows = ScreeningDecision.objects.filter(
        campaign_id=campaign_id, undone_at=None, decision=ScreeningDecision.Decision.EXCLUDE
    )
    return list(rows.order_by("annotator_id").values_list("annotator_id", flat=True))


def vote_weights(campaign_id: int) -> dict[int, float]:
    """Return {annotator id: weight} of the annotators whose votes count for a part (one query)."""
    rows = ScreeningDecision.objects.filter(
        campaign_id=campaign_id, undone_at=None, decision=ScreeningDecision.Decision.DOWN_WEIGHT
    )
    found = rows.order_by("annotator_id").values_list("annotator_id", "weight")
    return {annotator: weight for annotator, weight in found if weight is not None}  # a constraint: it never is


def weights_of(annotator_ids: NDArray[np.int64], weight_of: Mapping[int, float]) -> NDArray[np.float64]:
    """Return the weight of each vote [V] from its annotator [V] and what `vote_weights` returned."""
    weights = np.ones(len(annotator_ids))
    for annotator, weight in weight_of.items():
        weights[annotator_ids == annotator] = weight
    return weights


def reread_request(campaign: Campaign, annotator: User) -> ScreeningDecision | None:
    """Return the live request to read the instructions, also after the annotator has confirmed it (one query)."""
    return campaign.screening_decisions.filter(
        annotator=annotator, undone_at=None, decision=ScreeningDecision.Decision.REREAD
    ).first()
