"""The figures of a campaign's methods report."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from annotation.answers import SKIP, VOTE, independent_vote, independent_vote_sql, of_excluded
from annotation.exchange.methods_report import MethodsFigures, votes_fingerprint
from annotation.measures.agreement.report import ScoreAgreement, score_agreement
from annotation.measures.opinion import image_histograms, mos_interval, sos_parameter
from annotation.measures.vote_variance import vote_variance
from annotation.measures.votes import VoteTable
from annotation.models import Adjudication, Annotation, Assignment, Campaign, Image, User
from annotation.selectors.campaign_quality import MOST_VOTES, photos_drawn
from annotation.selectors.consensus import newest_fit
from annotation.selectors.votes import vote_table


def _number_sql(*keys: str) -> str:
    """Return the number at this place of the viewing conditions as SQL, NULL when something else is there."""
    *first, last = keys
    place = " -> ".join(["viewing", *first])
    return f"CASE WHEN jsonb_typeof({place} -> {last}) = 'number' THEN ({place} ->> {last})::float END"


_WITHDRAWN = "SELECT id FROM annotation_image WHERE campaign_id = %(campaign)s AND withdrawn_at IS NOT NULL"
# percentile_disc gives a value that was recorded.
_VIEWING = f"""
WITH counted AS (
  SELECT answer.viewing, answer.milliseconds FROM annotation_annotation answer
  WHERE answer.campaign_id = %(campaign)s AND answer.id %% %(step)s = 0 AND {independent_vote_sql("answer")}
    AND answer.image_id NOT IN ({_WITHDRAWN})
), sizes AS (
  SELECT milliseconds, viewing <> '{{}}' AS recorded,
    {_number_sql("'viewport'", "0")} AS width, {_number_sql("'viewport'", "1")} AS height,
    {_number_sql("'shown'", "0")} AS shown_width, {_number_sql("'shown'", "1")} AS shown_height,
    {_number_sql("'zoomed'")} > 0 AS zoomed
  FROM counted
)
SELECT count(*), count(*) FILTER (WHERE recorded), count(*) FILTER (WHERE zoomed),
  percentile_disc(.5) WITHIN GROUP (ORDER BY width), percentile_disc(.5) WITHIN GROUP (ORDER BY height),
  percentile_disc(.5) WITHIN GROUP (ORDER BY shown_width), percentile_disc(.5) WITHIN GROUP (ORDER BY shown_height),
  percentile_cont(.5) WITHIN GROUP (ORDER BY milliseconds) / 1000
FROM sizes
"""  # noqa: S608  # made of constants
_KINDS = f"""
SELECT kind.name, left(answer.viewing ->> kind.name, 20), count(*)
FROM annotation_annotation answer CROSS JOIN (VALUES ('pixel_ratio'), ('scheme'), ('input')) AS kind (name)
WHERE answer.campaign_id = %(campaign)s AND answer.id %% %(step)s = 0
  AND answer.viewing ->> kind.name IS NOT NULL AND {independent_vote_sql("answer")}
  AND answer.image_id NOT IN ({_WITHDRAWN})
GROUP BY 1, 2 ORDER BY 3 DESC
"""  # noqa: S608  # made of constants
_MOST_KINDS = 4
# Reading the viewing conditions of 400,000 votes takes longer than everything else together.
_MOST_VIEWED = 20_000


def _silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""


def methods_figures(
    campaign: Campaign, *, lane_labels: Mapping[str, str], tell: Callable[[str, int, int], None] = _silent
) -> MethodsFigures:
    """Return the figures of the report, from the campaign's rows (eleven queries).

    `lane_labels`: the name of each queue lane for people. `tell`: called with step, done and total.
    """
    tell(gettext_noop("reading the votes"), 0, 4)
    votes = vote_table(campaign, independent=True)
    tell(gettext_noop("counting answers"), 1, 4)
    live, independent = Q(image__withdrawn_at=None), independent_vote()
    rows = Annotation.objects.filter(campaign=campaign).aggregate(
        answers=Count("pk"),
        withdrawn=Count("pk", filter=~live),
        corrected=Count("pk", filter=live & Q(superseded_by__isnull=False, is_repeat=False) & ~independent),
        skipped=Count("pk", filter=live & SKIP),
        repeats=Count("pk", filter=live & Q(is_repeat=True)),
        exposed=Count("pk", filter=live & VOTE & Q(saw_prediction=True) & ~independent),
        first_at=Min("created_at", filter=live & independent),
        last_at=Max("created_at", filter=live & independent),
    )
    screened = (
        Annotation.objects.filter(live, of_excluded(), campaign=campaign)
        .blind_votes()
        .aggregate(people=Count("annotator", distinct=True), votes=Count("pk"))
    )
    tell(gettext_noop("reading viewing conditions"), 2, 4)
    viewing = _viewing(campaign, len(votes))
    tell(gettext_noop("measuring agreement"), 3, 4)
    precision = _precision(campaign, votes)
    rated = Q(role=Image.Role.RATED, problem="")
    photos = campaign.images.aggregate(
        photos=Count("pk", filter=rated),
        holdout=Count("pk", filter=rated & Q(split=Image.Split.HOLDOUT)),
        practice_photos=Count("pk", filter=Q(role=Image.Role.PRACTICE, problem="")),
    )
    holdout = photos.pop("holdout")
    people, given = np.unique(votes.annotator_ids, return_counts=True)
    simulated = User.objects.filter(pk__in=people.tolist(), is_simulated=True).values_list("pk", flat=True)
    simulated_ids = np.array(list(simulated), dtype=np.int64)
    _, received = np.unique(votes.image_ids, return_counts=True)
    return MethodsFigures(
        campaign=campaign.name,
        instructions=campaign.instructions,
        lowest=campaign.scale_min,
        highest=campaign.scale_max,
        mode=campaign.get_mode_display(),
        made_at=timezone.now(),
        people=len(people),
        simulated_people=len(simulated_ids),
        simulated_votes=int(np.isin(votes.annotator_ids, simulated_ids).sum()),
        votes_a_person=_range(given),
        rated_photos=len(received),
        votes_a_photo=_range(received),
        holdout_share=holdout / max(1, photos["photos"]),
        lane_shares=_lane_shares(campaign, lane_labels),
        repeat_share=campaign.repeat_share,
        gold_share=campaign.gold_share if campaign.images.filter(role=Image.Role.GOLD, problem="").exists() else 0.0,
        anchoring_share=campaign.anchoring_share,
        counted=len(votes),
        screened_people=screened["people"],
        screened_votes=screened["votes"],
        **_weighted(votes),
        fingerprint=votes_fingerprint(votes),
        **rows,
        **photos,
        **viewing,
        **precision,
        **_corrected(campaign),
        **_decisions(campaign),
    )


def _weighted(votes: VoteTable) -> dict[str, Any]:
    """Return whose votes count for a part, how many these votes are, and their lowest and highest weight."""
    part = votes.weights < 1
    weights = votes.weights[part]
    return {
        "weighted_people": len(np.unique(votes.annotator_ids[part])),
        "weighted_votes": int(part.sum()),
        "weights": (float(weights.min()), float(weights.max())) if len(weights) else (1.0, 1.0),
    }


def _range(counts: NDArray[np.intp]) -> tuple[float, int, int]:
    return (float(np.median(counts)), int(counts.min()), int(counts.max())) if len(counts) else (0.0, 0, 0)


def _lane_shares(campaign: Campaign, labels: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """Return each lane's label and its share of the answered assignments, the largest first."""
    counts = (
        Assignment.objects.filter(campaign=campaign, state=Assignment.State.DONE, is_repeat=False)
        .values_list("lane")
        .annotate(count=Count("pk"))
        .order_by("-count", "lane")
    )
    found = list(counts)
    total = sum(count for _, count in found)
    return tuple((labels.get(lane, lane), count / total) for lane, count in found)


def _viewing(campaign: Campaign, votes: int) -> dict[str, Any]:
    """Return the recorded viewing conditions of the counted votes, or of every n-th of many (two queries)."""
    values = {"campaign": campaign.pk, "step": 1 + votes // _MOST_VIEWED}
    with connection.cursor() as cursor:
        cursor.execute(_VIEWING, values)
        looked_at, recorded, zoomed, *sizes, seconds = cursor.fetchone() or [0, 0, 0, None, None, None, None, None]
        cursor.execute(_KINDS, values)
        kinds = cursor.fetchall()
    width, height, shown_width, shown_height = sizes
    return {
        "viewing_votes": looked_at,
        "viewing_share": recorded / max(1, looked_at),
        "zoomed_share": zoomed / max(1, recorded),
        "viewport": None if width is None or height is None else (round(width), round(height)),
        "shown": None if shown_width is None or shown_height is None else (round(shown_width), round(shown_height)),
        "pixel_ratios": _kinds(kinds, "pixel_ratio"),
        "schemes": _kinds(kinds, "scheme"),
        "inputs": _kinds(kinds, "input"),
        "seconds": None if seconds is None else float(seconds),
    }


def _kinds(rows: list[tuple[str, str, int]], name: str) -> str:
    """Return the most common values with their shares, as text."""
    found = [(value, count) for kind, value, count in rows if kind == name]
    total = sum(count for _, count in found)
    shares = [f"{value} ({100 * count / total:.0f} %)" for value, count in found[:_MOST_KINDS]]
    rest = sum(count for _, count in found[_MOST_KINDS:])
    return ", ".join([*shares, f"others ({100 * rest / total:.0f} %)"] if rest else shares)


def _precision(campaign: Campaign, votes: VoteTable) -> dict[str, Any]:
    """Return the width of the intervals, the SOS parameter and the agreement."""
    image_ids, histograms = image_histograms(
        votes.image_ids, votes.scores, lowest=campaign.scale_min, highest=campaign.scale_max
    )
    variance = vote_variance(histograms)
    low, high = mos_interval(histograms, campaign.scale_min, variance)
    received = histograms.sum(axis=1)
    sure = votes.watch >= 0
    place = np.searchsorted(image_ids, votes.image_ids[sure])
    yes = np.bincount(place, votes.watch[sure], len(image_ids))
    no = np.bincount(place, 1 - votes.watch[sure], len(image_ids))
    pairs = float(((yes + no) * (yes + no - 1)).sum())
    equal = float((yes * (yes - 1) + no * (no - 1)).sum())
    return {
        "mean_width": float(np.mean(high - low)) if len(image_ids) else float("nan"),
        "single_votes": int((received == 1).sum()),
        "variance": variance.mean,
        "degrees": variance.degrees if variance.is_known else float("nan"),
        "sos_a": sos_parameter(histograms),
        "agreement": _agreement(campaign, votes),
        "watch_pairs": equal / pairs if pairs else float("nan"),
    }


def _agreement(campaign: Campaign, votes: VoteTable) -> ScoreAgreement:
    """Return how far people agree about the scores. Many votes are drawn as for the page Campaign quality."""
    if len(votes) > MOST_VOTES:
        votes = votes.of_images(photos_drawn(np.unique(votes.image_ids), votes=len(votes), seed=campaign.seed))
    return score_agreement(votes, lowest=campaign.scale_min, highest=campaign.scale_max, seed=campaign.seed)


def _corrected(campaign: Campaign) -> dict[str, Any]:
    """Return what the newest fit of the panel model says (one query)."""
    fit = newest_fit(campaign)
    figures = fit.figures if fit else {}
    error = figures.get("typical_error")
    return {
        "corrected_at": fit.made_at if fit else None,
        "corrected_votes": fit.votes if fit else 0,
        "bias_spread": fit.bias_spread if fit else float("nan"),
        "corrected_error": float("nan") if error is None else float(error),
        "moved_by_weights": figures.get("moved_by_weights"),
        "moved_by_weights_most": figures.get("moved_by_weights_most"),
    }


def _decisions(campaign: Campaign) -> dict[str, Any]:
    """Return how many decisions about disputed photos count (one query)."""
    counting = Adjudication.objects.filter(campaign=campaign, image__withdrawn_at=None, undone_at=None)
    found = counting.aggregate(decisions=Count("pk"), exposed_decisions=Count("pk", filter=Q(saw_prediction=True)))
    return {**found, "decisions_train": campaign.decisions_as_labels}
