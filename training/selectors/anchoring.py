"""The anchoring experiment of a campaign: how much seeing the prediction first changes answers."""

from bisect import bisect_right
from datetime import datetime

import numpy as np

from annotation.models import Annotation, AnnotationQuerySet, Campaign
from annotation.raters.anchoring import AnchoringShift, anchoring_shift
from inference.models import ModelVersion, Prediction
from training.models import Promotion


def anchored_answers(campaign: Campaign) -> AnnotationQuerySet:
    """Return the first answers of annotators who saw the prediction before answering.

    Corrections are left out, also among the blind answers: in a campaign that reveals the prediction after the
    answer, the annotator has seen it by then.
    """
    return Annotation.objects.filter(campaign=campaign, image__withdrawn_at=None, is_anchored=True).first_answers()


def anchoring_measure(campaign: Campaign) -> AnchoringShift | None:
    """Compare anchored with blind first answers to the same photos; None if there are too few (five queries).

    Each answer is compared with the prediction of the version that was champion at that time, so later
    promotions change nothing. The campaign's seed fixes the resamples.
    """
    anchored = list(anchored_answers(campaign).values_list("image", "score", "created_at"))
    if not anchored:
        return None
    images = {image for image, _, _ in anchored}
    champion_at = _Champions(campaign)
    shown: dict[tuple[int, int | None], float] = {
        (image, version): mean
        for image, version, mean in Prediction.objects.filter(
            image__in=images, model_version__in=champion_at.version_ids
        ).values_list("image", "model_version", "quality_mean")
    }
    rows = [
        (image, score, mean)
        for image, score, when in anchored
        if (mean := shown.get((image, champion_at(when)))) is not None
    ]
    blind = list(
        Annotation.objects.filter(campaign=campaign, image__in=images, is_anchored=False, is_blind=True)
        .first_answers()
        .values_list("image", "score")
    )
    anchored_columns = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    blind_columns = np.array(blind, dtype=np.float64).reshape(-1, 2).T
    return anchoring_shift(*anchored_columns, *blind_columns, seed=campaign.seed)


class _Champions:
    """Maps a time to the champion.

    This is the version promoted last before that time, or else the version that the first promotion replaced.
    """

    def __init__(self, campaign: Campaign) -> None:
        promotions = Promotion.objects.filter(campaign=campaign).order_by("created_at", "pk")
        changes = list(promotions.values_list("created_at", "version", "replaced"))
        self._times = [when for when, _, _ in changes]
        champion = ModelVersion.objects.filter(campaign=campaign, is_champion=True).values_list("pk", flat=True)
        before = changes[0][2] if changes else champion.first()
        self._versions = [before, *(version for _, version, _ in changes)]

    @property
    def version_ids(self) -> set[int]:
        """Return the ids of all present and former champions."""
        return {pk for pk in self._versions if pk is not None}

    def __call__(self, when: datetime) -> int | None:
        """Return the id of the champion at that time, or None in a campaign without versions."""
        return self._versions[bisect_right(self._times, when)]
