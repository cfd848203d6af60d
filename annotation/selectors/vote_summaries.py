"""What the votes of one import are like: how scores are distributed, and how many photos are in each class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from annotation.exchange.reading import Vote
from annotation.exchange.registry import READERS
from annotation.measures.class_limits import limit_moved
from annotation.measures.figures_text import figures_read
from annotation.measures.label_analysis import middle_of
from annotation.models import VoteImport

# Longer scales are cut into this many parts.
_MOST_SCORES, _PARTS = 20, 10

# One row for each photo of the import: mean, number of votes, photo of the campaign, watches minus other labels.
_AGGREGATED = """
SELECT mos, votes, image_id, watch_yes::bigint - watch_no AS watch FROM annotation_aggregatedvotes
WHERE vote_import_id = %(vote_import)s
"""
_SINGLE = """
SELECT avg(score)::float8 AS mos, count(*) AS votes, image_id,
  CASE WHEN bool_or(watch <> '') THEN sum((watch = 'yes')::int) - sum((watch = 'no')::int) END AS watch
FROM annotation_annotation WHERE vote_import_id = %(vote_import)s GROUP BY image_id
"""
# Score k covers k - 1/2 to k + 1/2 of the scale.
_PHOTOS = """
SELECT width_bucket(mos, %(low)s, %(high)s, %(parts)s) AS part, count(*), count(image_id), sum(votes),
  count(*) FILTER (WHERE mos BETWEEN %(middle_low)s AND %(middle_high)s),
  count(*) FILTER (WHERE mos <= %(reject_at)s),
  count(*) FILTER (WHERE mos > %(reject_at)s AND mos <= %(pending_at)s),
  count(*) FILTER (WHERE mos > %(pending_at)s),
  count(*) FILTER (WHERE watch > 0), count(*) FILTER (WHERE watch < 0), count(*) FILTER (WHERE watch = 0)
"""
_COUNTS = """
SELECT width_bucket(%(lowest)s + place - 1, %(low)s, %(high)s, %(parts)s) AS part, sum(count)
FROM annotation_aggregatedvotes, unnest(counts) WITH ORDINALITY AS of_score(count, place)
WHERE vote_import_id = %(vote_import)s GROUP BY part
"""
_SCORES = """
SELECT width_bucket(score, %(low)s, %(high)s, %(parts)s) AS part, count(*)
FROM annotation_annotation WHERE vote_import_id = %(vote_import)s GROUP BY part
"""
# Photos of the import that have the other form of votes too, from any import: scores, then watch labels.
_AGGREGATED_IN_BOTH = """
SELECT count(DISTINCT image_id) FILTER (WHERE counts IS NOT NULL AND EXISTS (
    SELECT 1 FROM annotation_annotation single
    WHERE single.image_id = sums.image_id AND single.vote_import_id IS NOT NULL)),
  count(DISTINCT image_id) FILTER (WHERE watch_yes IS NOT NULL AND EXISTS (
    SELECT 1 FROM annotation_annotation single
    WHERE single.image_id = sums.image_id AND single.vote_import_id IS NOT NULL AND single.watch <> ''))
FROM annotation_aggregatedvotes sums WHERE vote_import_id = %(vote_import)s
"""
_SINGLE_IN_BOTH = """
SELECT count(DISTINCT image_id) FILTER (WHERE EXISTS (
    SELECT 1 FROM annotation_aggregatedvotes sums
    WHERE sums.image_id = single.image_id AND sums.counts IS NOT NULL)),
  count(DISTINCT image_id) FILTER (WHERE watch <> '' AND EXISTS (
    SELECT 1 FROM annotation_aggregatedvotes sums
    WHERE sums.image_id = single.image_id AND sums.watch_yes IS NOT NULL))
FROM annotation_annotation single WHERE vote_import_id = %(vote_import)s
"""


@dataclass(frozen=True)
class VoteSummary:
    """What the votes of one import are like."""

    scale: tuple[int, int]
    """Of aggregated votes: that of the file. Of single votes: that of the campaign, to which they were mapped."""
    photos: int
    with_image: int
    """How many of them the campaign has."""
    votes: int | None
    """None if the file does not say it."""
    bins: list[str]
    """The scores of the scale, or the parts of a long scale, as texts."""
    counts: list[int] | None
    """Votes in each bin; None without histograms."""
    means: list[int]
    """Photos whose mean is in each bin."""
    in_middle: int
    """Photos whose mean is in the middle fifth of the scale."""
    limits: tuple[float, float]
    """Rejected and pending up to these means: those of the campaign, on the scale of the summary."""
    rejected: int
    pending: int
    accepted: int
    watch: int
    """Photos that more people call a watch than not."""
    no_watch: int
    undecided: int
    """Photos with a tie, or with 'unsure' only."""
    in_both: int
    """Photos that have both imported single votes and an imported histogram: models learn from the single votes."""
    watch_in_both: int = 0
    """Photos that have both imported single votes with a watch label and an imported watch label, as above."""

    @property
    def rated(self) -> int:
        """Return how many photos have a mean; the others have only a watch label."""
        return sum(self.means)


def stored_summary(vote_import: VoteImport) -> VoteSummary | None:
    """Return the stored summary; None before there is one, and after the campaign's scale or limits have changed."""
    found = figures_read(VoteSummary, vote_import.summary) if vote_import.summary else None
    scale = _scale_of(vote_import)
    return found if found and (found.scale, found.limits) == (scale, _limits_on(scale, vote_import)) else None


def vote_summary(vote_import: VoteImport) -> VoteSummary:
    """Compute what the votes of an import are like (three queries over all its rows)."""
    scale = _scale_of(vote_import)
    scores = scale[1] - scale[0] + 1
    parts = scores if scores <= _MOST_SCORES else _PARTS
    limits, middle = _limits_on(scale, vote_import), middle_of(*scale)
    values: dict[str, Any] = {
        "vote_import": vote_import.pk,
        "lowest": scale[0],
        "low": scale[0] - 0.5,
        "high": scale[1] + 0.5,
        "parts": parts,
        "middle_low": middle[0],
        "middle_high": middle[1],
        "reject_at": limits[0],
        "pending_at": limits[1],
    }
    of_people = _is_of_people(vote_import)
    photos, of_score = (_SINGLE, _SCORES) if of_people else (_AGGREGATED, _COUNTS)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH photo AS ({photos}) {_PHOTOS} FROM photo GROUP BY part", values)
        rows = cursor.fetchall()
        cursor.execute(of_score, values)
        counts = _filled(cursor.fetchall(), parts)
        cursor.execute(_SINGLE_IN_BOTH if of_people else _AGGREGATED_IN_BOTH, values)
        in_both, watch_in_both = cursor.fetchone()
    columns = [[row[place] for row in rows] for place in range(11)]
    sums = [sum(int(value or 0) for value in column) for column in columns]
    knows_votes = any(value is not None for value in columns[3])
    return VoteSummary(
        scale=scale,
        photos=sums[1],
        with_image=sums[2],
        votes=sums[3] if knows_votes else None,
        bins=_names(scale, parts),
        counts=counts if any(counts) else None,
        means=_filled([(row[0], row[1]) for row in rows if row[0] is not None], parts),
        in_middle=sums[4],
        limits=limits,
        rejected=sums[5],
        pending=sums[6],
        accepted=sums[7],
        watch=sums[8],
        no_watch=sums[9],
        undecided=sums[10],
        in_both=in_both,
        watch_in_both=watch_in_both,
    )


def _is_of_people(vote_import: VoteImport) -> bool:
    return vote_import.format in READERS and READERS[vote_import.format].reads is Vote


def _scale_of(vote_import: VoteImport) -> tuple[int, int]:
    if _is_of_people(vote_import):
        return vote_import.campaign.scale_min, vote_import.campaign.scale_max
    return vote_import.scale_min, vote_import.scale_max


def _limits_on(scale: tuple[int, int], vote_import: VoteImport) -> tuple[float, float]:
    campaign = vote_import.campaign
    own = (campaign.scale_min, campaign.scale_max)
    return limit_moved(campaign.reject_at, own, scale), limit_moved(campaign.pending_at, own, scale)


def _filled(rows: list[tuple[int, int]], parts: int) -> list[int]:
    """Return the counts of (part from 1, count) for all parts. A score outside the scale counts at its end."""
    counts = np.zeros(parts, dtype=np.int64)
    for part, count in rows:
        counts[min(max(part, 1), parts) - 1] += int(count)
    return counts.tolist()


def _names(scale: tuple[int, int], parts: int) -> list[str]:
    """Return the scores, or the ends of the parts of a long scale."""
    lowest, highest = scale
    if parts == highest - lowest + 1:
        return [str(score) for score in range(lowest, highest + 1)]
    ends = np.linspace(lowest - 0.5, highest + 0.5, parts + 1)
    return [f"{low:.0f}–{high:.0f}" for low, high in zip(np.ceil(ends[:-1]), np.floor(ends[1:]), strict=True)]
