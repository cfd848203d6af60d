"""Imported votes that are known only summed up: those on one photo, and what those of one import are like."""

from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from annotation.measures.class_limits import limit_moved
from annotation.measures.label_analysis import middle_of
from annotation.models import AggregatedVotes, Image, VoteImport

# Longer scales are cut into this many parts.
_MOST_SCORES, _PARTS = 20, 10

# Score k covers k - 1/2 to k + 1/2 of the scale.
_MEANS = """
SELECT width_bucket(mos, %(low)s, %(high)s, %(parts)s) AS part, count(*)
FROM annotation_aggregatedvotes WHERE vote_import_id = %(vote_import)s GROUP BY part
"""
_COUNTS = """
SELECT width_bucket(%(lowest)s + place - 1, %(low)s, %(high)s, %(parts)s) AS part, sum(count)
FROM annotation_aggregatedvotes, unnest(counts) WITH ORDINALITY AS of_score(count, place)
WHERE vote_import_id = %(vote_import)s GROUP BY part
"""
_SUMMARY = """
SELECT count(*), count(image_id), sum(votes),
  count(*) FILTER (WHERE mos BETWEEN %(middle_low)s AND %(middle_high)s),
  count(*) FILTER (WHERE mos <= %(reject_at)s),
  count(*) FILTER (WHERE mos > %(reject_at)s AND mos <= %(pending_at)s),
  count(*) FILTER (WHERE mos > %(pending_at)s)
FROM annotation_aggregatedvotes WHERE vote_import_id = %(vote_import)s
"""


@dataclass(frozen=True)
class AggregatedSummary:
    """What the aggregated votes of one import are like."""

    vote_import: VoteImport
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
    """Rejected and pending up to these means: those of the campaign, on the scale of the import."""
    rejected: int
    pending: int
    accepted: int


def aggregated_votes_of(image: Image) -> QuerySet[AggregatedVotes]:
    """Return the aggregated votes on a photo with their imports, newest import first (one query)."""
    return image.aggregated_votes.select_related("vote_import").order_by("-vote_import")


def aggregated_summary(vote_import: VoteImport) -> AggregatedSummary:
    """Return what the aggregated votes of an import are like (three queries)."""
    campaign = vote_import.campaign
    scale, own = (vote_import.scale_min, vote_import.scale_max), (campaign.scale_min, campaign.scale_max)
    scores = scale[1] - scale[0] + 1
    parts = scores if scores <= _MOST_SCORES else _PARTS
    limits = limit_moved(campaign.reject_at, own, scale), limit_moved(campaign.pending_at, own, scale)
    middle = middle_of(*scale)
    values = {
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
    with connection.cursor() as cursor:
        cursor.execute(_MEANS, values)
        means = _filled(cursor.fetchall(), parts)
        cursor.execute(_COUNTS, values)
        counts = _filled(cursor.fetchall(), parts)
        cursor.execute(_SUMMARY, values)
        photos, with_image, votes, in_middle, *classes = cursor.fetchone()
    return AggregatedSummary(
        vote_import,
        photos,
        with_image,
        votes,
        _names(scale, parts),
        counts if any(counts) else None,
        means,
        in_middle,
        limits,
        *classes,
    )


def _filled(rows: list[tuple[int, int]], parts: int) -> list[int]:
    """Return the counts of (part from 1, count) for all parts."""
    counts = np.zeros(parts, dtype=np.int64)
    for part, count in rows:
        counts[part - 1] = count
    return counts.tolist()


def _names(scale: tuple[int, int], parts: int) -> list[str]:
    """Return the scores, or the ends of the parts of a long scale."""
    lowest, highest = scale
    if parts == highest - lowest + 1:
        return [str(score) for score in range(lowest, highest + 1)]
    ends = np.linspace(lowest - 0.5, highest + 0.5, parts + 1)
    return [f"{low:.0f}–{high:.0f}" for low, high in zip(np.ceil(ends[:-1]), np.floor(ends[1:]), strict=True)]
