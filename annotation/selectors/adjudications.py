"""Photos on which the annotators disagree most, for reviewers."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Exists, F, OuterRef

from annotation.models import LIVE, QUEUED, Adjudication, Campaign, Image, PhotoConsensus

# A figure is a reason when it is this many times the campaign's median.
_WIDE, _SCATTERED = 1.25, 1.5
# The probability of the likelier watch label is a reason below this value.
_UNCERTAIN = 0.8
# The share of the watch label that more annotators gave is a reason below this value: a tie or nearly. Where people
# agree about the other photos, the model of Dawid and Skene is sure even about a tie.
_SPLIT = 0.6
_FEWEST_VOTES = 2


@dataclass(frozen=True)
class Disputed:
    """A photo to decide about."""

    image: Image
    consensus: PhotoConsensus
    reasons: list[str]
    """Why it is here, as phrases for people, the strongest first."""


def photos_disputed(campaign: Campaign, *, limit: int) -> tuple[int, list[Disputed]]:
    """Return how many photos are disputed, and the first `limit` of them, the strongest reason first (two queries).

    These are photos in the queue that have all their votes, at least two, and no decision. The reasons: votes that
    scatter or a wide interval of the MOS, compared with the campaign, an uncertain watch label, or a tie of the labels.
    """
    decided = Adjudication.objects.filter(image=OuterRef("image"), undone_at=None)
    rows = PhotoConsensus.objects.filter(campaign=campaign, votes__gte=_FEWEST_VOTES)
    columns = np.array(
        list(
            rows.annotate(is_decided=Exists(decided))
            .order_by("pk")
            .values_list(
                "pk",
                "sos",
                "half_width",
                "watch_posterior",
                "is_decided",
                F("image__votes_needed") - F("image__vote_count"),
                "watch_votes",
                "watch_yes",
            )
        ),
        dtype=np.float64,
    ).reshape(-1, 8)
    if not len(columns):
        return 0, []
    sos, width = _of_median(columns[:, 1]), _of_median(columns[:, 2])
    label = np.maximum(columns[:, 3], 1 - columns[:, 3])
    yes = columns[:, 7] / np.maximum(columns[:, 6], 1)
    fewer = np.where(columns[:, 6] > 0, np.minimum(yes, 1 - yes), 0.0)
    # Each strength is 1 at its limit, so that different reasons compare.
    parts = [sos / _SCATTERED, width / _WIDE, (1 - label) / (1 - _UNCERTAIN), fewer / (1 - _SPLIT)]
    strengths = np.stack(parts, axis=1)
    strengths = np.nan_to_num(strengths, nan=0.0)
    strongest = strengths.max(axis=1)
    chosen = np.flatnonzero((strongest > 1) & (columns[:, 4] == 0) & (columns[:, 5] <= 0))
    chosen = chosen[np.argsort(-strongest[chosen], kind="stable")]
    strength_of = {int(columns[place, 0]): strengths[place] for place in chosen}
    found = (
        PhotoConsensus.objects.filter(pk__in=list(strength_of)[: 4 * limit])
        .select_related("image")
        .filter(image__in=Image.objects.filter(LIVE, QUEUED, campaign=campaign))
        .in_bulk()
    )
    ordered = [found[pk] for pk in strength_of if pk in found][:limit]
    return len(chosen), [Disputed(row.image, row, _reasons(row, strength_of[row.pk])) for row in ordered]


def adjudication_of(image: Image) -> Adjudication | None:
    """Return the decision that counts (one query)."""
    return Adjudication.objects.filter(image=image, undone_at=None).select_related("reviewer").first()


def _of_median(values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    median = float(np.median(known)) if len(known) else 0.0
    return values / median if median > 0 else np.where(values > 0, 2.0, 0.0)


def _reasons(row: PhotoConsensus, strengths: np.ndarray) -> list[str]:
    texts = [
        f"votes scatter: SOS {row.sos:.1f}" if row.sos is not None else "",
        f"wide interval: MOS ± {row.half_width:.1f}" if row.half_width is not None else "",
        f"watch probability {row.watch_posterior:.2f}" if row.watch_posterior is not None else "",
        f"watch votes {row.watch_yes} to {row.watch_votes - row.watch_yes}",
    ]
    return [texts[place] for place in np.argsort(-strengths) if strengths[place] > 1]
