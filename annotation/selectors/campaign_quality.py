"""Votes and labels for the page Campaign quality. Only independent votes count, as for the MOS."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import Count, Q
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from annotation.answers import independent_vote_sql
from annotation.measures.agreement.ranks import retest_srcc
from annotation.measures.agreement.report import AgreementReport, WeekAgreement, agreement_by_week, agreement_report
from annotation.measures.intervals import Interval
from annotation.measures.label_analysis import middle_of
from annotation.measures.votes import VoteTable
from annotation.models import Campaign
from annotation.selectors.repeats import repeat_pairs
from annotation.selectors.votes import WATCH_CODES, votes_of

#: With more votes, agreement is measured on photos drawn at random that have about this many.
MOST_VOTES = 20_000
MOST_WEEKS = 26

_PHOTOS = f"""
WITH photo AS (
  SELECT avg(answer.score)::float8 AS mos,
    sum((answer.watch = 'yes')::int) - sum((answer.watch = 'no')::int) AS watch
  FROM annotation_annotation answer JOIN annotation_image image ON image.id = answer.image_id
  WHERE answer.campaign_id = %(campaign)s AND image.withdrawn_at IS NULL AND {independent_vote_sql("answer")}
  GROUP BY answer.image_id
)
SELECT floor(mos + 0.5)::int, count(*),
  count(*) FILTER (WHERE mos <= %(reject_at)s),
  count(*) FILTER (WHERE mos > %(reject_at)s AND mos <= %(pending_at)s),
  count(*) FILTER (WHERE mos > %(pending_at)s),
  count(*) FILTER (WHERE mos >= %(low)s AND mos <= %(high)s),
  count(*) FILTER (WHERE watch > 0), count(*) FILTER (WHERE watch < 0), count(*) FILTER (WHERE watch = 0)
FROM photo GROUP BY 1
"""  # noqa: S608  # made of constants


@dataclass(frozen=True)
class LabelCounts:
    """Votes and photos of a campaign, counted."""

    votes: list[int]
    """How often each score was given [K], lowest first."""
    simulated_votes: int
    photos: list[int]
    """Photos by their MOS, rounded to a score [K]; halves are rounded up."""
    rejected: int
    pending: int
    accepted: int
    in_middle: int
    """Photos whose MOS is in the middle fifth of the scale, ends included."""
    watch: int
    no_watch: int
    undecided: int
    """Photos with a tie, or with 'unsure' only."""


@dataclass(frozen=True)
class AgreementVotes:
    """Votes to measure agreement on."""

    table: VoteTable
    weeks: NDArray[np.int64]
    """Number of the Monday of each vote's week in UTC, in days since 1970-01-01."""
    all_photos: int
    """Photos with votes. More than in `table` when they were drawn at random."""


@dataclass(frozen=True)
class QualityFigures:
    """What the page Campaign quality shows."""

    counted: LabelCounts
    report: AgreementReport | None
    """None without votes, as the next three fields."""
    weeks: list[WeekAgreement]
    retest: Interval | None
    drawn_photos: int
    """Photos that agreement was measured on."""
    all_photos: int


def quality_figures(campaign: Campaign, tell: Callable[[str, int, int], None]) -> QualityFigures:
    """Compute what the page Campaign quality shows (five queries). `tell`: called with step, done and total."""
    tell(gettext_noop("counting the labels"), 0, 4)
    counted = label_counts(campaign)
    if not sum(counted.votes):
        return QualityFigures(counted, None, [], None, 0, 0)
    votes = agreement_votes(campaign, counted=counted)
    scale = {"lowest": campaign.scale_min, "highest": campaign.scale_max, "seed": campaign.seed}
    tell(gettext_noop("measuring agreement"), 1, 4)
    report = agreement_report(votes.table, **scale)
    tell(gettext_noop("measuring agreement by week"), 2, 4)
    weeks = agreement_by_week(votes.table, votes.weeks, **scale, at_most=MOST_WEEKS)
    tell(gettext_noop("comparing hidden repeats"), 3, 4)
    retest = campaign_retest(campaign, seed=campaign.seed)
    return QualityFigures(counted, report, weeks, retest, len(np.unique(votes.table.image_ids)), votes.all_photos)


def label_counts(campaign: Campaign) -> LabelCounts:
    """Count the scores, and the photos by MOS, class and watch label (two queries)."""
    places = {score: place for place, score in enumerate(campaign.scores)}
    votes, photos, simulated = [0] * campaign.bins, [0] * campaign.bins, 0
    is_simulated = Count("pk", filter=Q(annotator__is_simulated=True))
    scores = votes_of(campaign, independent=True).order_by().values("score")
    for row in scores.annotate(count=Count("pk"), by_programs=is_simulated):
        if row["score"] in places:  # the scale may have been shortened after the vote
            votes[places[row["score"]]] = row["count"]
        simulated += row["by_programs"]
    low, high = middle_of(campaign.scale_min, campaign.scale_max)
    values = {"campaign": campaign.pk, "reject_at": campaign.reject_at, "pending_at": campaign.pending_at}
    sums = np.zeros(7, dtype=np.int64)
    with connection.cursor() as cursor:
        cursor.execute(_PHOTOS, values | {"low": low, "high": high})
        for mos, count, *counts in cursor.fetchall():
            photos[min(max(mos, campaign.scale_min), campaign.scale_max) - campaign.scale_min] += count
            sums += counts
    return LabelCounts(votes, simulated, photos, *sums.tolist())


def agreement_votes(campaign: Campaign, *, counted: LabelCounts) -> AgreementVotes:
    """Return the votes to measure agreement on (one query, two when photos must be drawn).

    The draw follows from the campaign's seed.
    """
    answers = votes_of(campaign, independent=True)
    total = sum(counted.votes)
    if total > MOST_VOTES:
        ids = np.array(answers.order_by().values_list("image_id", flat=True).distinct(), dtype=np.int64)
        answers = answers.filter(image_id__in=photos_drawn(ids, votes=total, seed=campaign.seed).tolist())
    in_scale = answers.filter(score__gte=campaign.scale_min, score__lte=campaign.scale_max)
    rows = list(in_scale.order_by("pk").values_list("pk", "image_id", "annotator_id", "score", "watch", "created_at"))
    numbers = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
    days = np.array([row[5].timestamp() // 86_400 for row in rows], dtype=np.int64)
    table = VoteTable(
        annotation_ids=numbers[:, 0],
        image_ids=numbers[:, 1],
        annotator_ids=numbers[:, 2],
        scores=numbers[:, 3].astype(np.int16),
        watch=np.array([WATCH_CODES[row[4]] for row in rows], dtype=np.int8),
    )
    # Day 0 is a Thursday, so day 4 is the first Monday.
    return AgreementVotes(table, (days - 4) // 7 * 7 + 4, sum(counted.photos))


def photos_drawn(image_ids: NDArray[np.int64], *, votes: int, seed: int) -> NDArray[np.int64]:
    """Return some of these photos with `votes` votes, drawn at random: as many as have about `MOST_VOTES` votes."""
    count = max(1, round(len(image_ids) * MOST_VOTES / votes))
    return np.random.default_rng(seed).choice(np.sort(image_ids), count, replace=False)


def campaign_retest(campaign: Campaign, *, seed: int) -> Interval:
    """Return the SRCC of both answers to hidden repeats over all annotators (one query); NaN with too few."""
    first: list[int] = []
    second: list[int] = []
    people: list[int] = []
    for annotator, pairs in repeat_pairs(campaign).items():
        first += pairs.first_scores
        second += pairs.second_scores
        people += [annotator] * len(pairs.first_scores)
    return retest_srcc(first, second, people, seed=seed)
