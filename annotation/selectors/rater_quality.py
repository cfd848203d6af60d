"""Quality figures of each annotator of a campaign, for its reviewers.

Reviewers use them to talk with annotators, not to rank them.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from math import isnan, sqrt
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q
from django.utils.translation import gettext

from annotation.answers import standing_sql
from annotation.measures.intervals import Interval, wilson_interval
from annotation.models import Annotation, Campaign, Image, ScreeningDecision
from annotation.raters.attention import GOLD_TOLERANCE, ScoreSpread, gold_hits, score_spread
from annotation.raters.screening import (
    FEWEST_SHOWN,
    SCORES,
    SESSION_DRIFT,
    WATCH,
    WEEKS_DRIFT,
    Finding,
    Verdict,
    bt500_finding,
    drift_finding,
    gold_finding,
    repeats_finding,
    same_score_finding,
    scores_finding,
    skips_finding,
    speed_finding,
    verdict_of,
    watch_finding,
)
from annotation.raters.self_agreement import SelfAgreement, self_agreement
from annotation.selectors.activity import Median
from annotation.selectors.panel import PanelFigures, PanelOverview, panel_overview
from annotation.selectors.repeats import repeat_pairs
from annotation.selectors.screening import live_decisions

LATEST = 50  # number of latest answers and skips used for flags: about 15 minutes of work
# SOS² = a·(x − lowest)·(highest − x) with a = .2 is a common spread *between* people (Hoßfeld et al., 2011). If the two
# answers of one person differ as much as the answers of two people in the middle of the scale, they carry little
# information.
_SOS_A = 0.2

_LATEST = f"""
SELECT annotator.id, latest.score, latest.skip_reason = '', latest.input
FROM unnest(%(annotators)s::bigint[]) AS annotator (id) CROSS JOIN LATERAL (
  SELECT answer.id, answer.score, answer.skip_reason, answer.viewing ->> 'input' AS input
  FROM annotation_annotation answer
  WHERE answer.campaign_id = %(campaign)s AND answer.annotator_id = annotator.id
    AND {standing_sql("answer")}
  ORDER BY answer.id DESC LIMIT %(count)s
) latest
ORDER BY annotator.id, latest.id
"""  # noqa: S608  # made of constants


@dataclass(frozen=True)
class Latest:
    """An annotator's last `LATEST` answers and skips."""

    scores: list[int]
    """Oldest first."""
    skips: int
    inputs: Counter[str]
    """How often each kind of input was used, skips included."""

    @property
    def skip_share(self) -> float:
        """Return the share of skips; 0 when there are no answers and skips."""
        return self.skips / max(1, self.skips + len(self.scores))


@dataclass(frozen=True)
class RaterQuality:
    """Quality figures of one annotator."""

    annotator_id: int
    username: str
    is_simulated: bool
    is_imported: bool
    """Known only from imported votes."""
    answers: int
    """Votes."""
    skips: int
    unsure: int
    seconds: float | None
    """Median time from showing the photo to the answer; None when it is unknown."""
    latest: Latest
    repeats: SelfAgreement | None
    gold: Interval | None
    """Share of correct answers to gold photos."""
    spread: ScoreSpread | None
    scale_length: int
    """Points from the lowest score to the highest."""
    overview: PanelOverview
    """The group that the annotator is compared with."""
    decisions: list[ScreeningDecision]
    """Live decisions of reviewers, the one about votes first."""

    @property
    def panel(self) -> PanelFigures | None:
        """Return the comparison with the others; None without blind votes."""
        return self.overview.figures.get(self.annotator_id)

    @property
    def rank(self) -> Interval | None:
        """Return the rank correlation with the others; None for fewer than `FEWEST_SHOWN` photos."""
        panel = self.panel
        is_known = panel is not None and panel.rank.n >= FEWEST_SHOWN and not isnan(panel.rank.value)
        return panel.rank if panel is not None and is_known else None

    @property
    def watch(self) -> Interval | None:
        """Return the share of labels that equal the others' majority; None for fewer than `FEWEST_SHOWN` photos."""
        panel = self.panel
        if panel is None or panel.watch.n < FEWEST_SHOWN:
            return None
        return wilson_interval(panel.watch.hits, panel.watch.n)

    @property
    def model(self) -> PanelFigures | None:
        """Return the figures of the panel model; None for fewer than `FEWEST_SHOWN` votes."""
        return self.panel if self.panel is not None and self.panel.votes >= FEWEST_SHOWN else None

    @property
    def is_shown(self) -> bool:
        """Return whether there are enough answers to show shares and times."""
        return self.answers >= FEWEST_SHOWN

    @property
    def unsure_share(self) -> float:
        """Return the share of answers that are unsure about the watch; 0 without answers."""
        return self.unsure / max(1, self.answers)

    @property
    def skip_share(self) -> float:
        """Return the share of skips among the standing answers and skips."""
        return self.skips / max(1, self.answers + self.skips)

    @property
    def input(self) -> str:
        """Return the most common input device of the latest answers, '' when it is unknown."""
        return self.latest.inputs.most_common(1)[0][0] if self.latest.inputs else ""

    @property
    def verdict(self) -> Verdict:
        """Return what the findings say together."""
        return verdict_of(self.findings)

    @property
    def needed(self) -> int | None:
        """Return about how many answers would give a verdict; None when there is one, or when this is unknown."""
        if self.verdict != Verdict.UNKNOWN:
            return None
        return min((one.needed for one in self.findings if one.rule in (SCORES, WATCH) and one.needed), default=None)

    @property
    def flags(self) -> list[str]:
        """Return the evidence of the rules that flag the annotator, as text. Most annotators have none."""
        return [one.evidence for one in self.findings if one.verdict == Verdict.FLAGGED]

    @cached_property
    def findings(self) -> list[Finding]:
        """Return the verdict of each rule."""
        latest, panel, overview = self.latest, self.panel, self.overview
        findings = []
        if panel is not None:
            findings = [
                scores_finding(panel.rank, overview.rank_median, panel.information),
                watch_finding(panel.watch, overview.watch_median),
                speed_finding(panel.seconds, panel.fast, panel.times, overview.seconds_median),
            ]
        findings += [
            same_score_finding(self.spread, len(latest.scores)),
            gold_finding(self.gold),
            repeats_finding(self.repeats, self.loosest_repeatability),
            skips_finding(latest.skips, len(latest.scores) + latest.skips),
        ]
        if panel is not None:
            length = self.scale_length
            findings += [
                drift_finding(SESSION_DRIFT, panel.session_slope, panel.session_span, length, gettext("100 answers")),
                drift_finding(WEEKS_DRIFT, panel.weeks_slope, panel.weeks_span, length, gettext("week")),
                bt500_finding(panel.bt500),
            ]
        return findings

    @property
    def loosest_repeatability(self) -> float:
        """Return the repeatability, in points, above which one person's answers differ like those of two people."""
        return sqrt(_SOS_A) * self.scale_length / 2


@dataclass(frozen=True)
class RaterParts:
    """What the figures of all annotators are made of. It changes with answers only, so it can be stored."""

    totals: list[dict[str, Any]]
    latest: dict[int, Latest]
    repeats: dict[int, SelfAgreement | None]
    gold: dict[int, Interval | None]
    overview: PanelOverview


def rater_parts(campaign: Campaign) -> RaterParts:
    """Return what the figures of everybody who ever answered or skipped are made of (six queries)."""
    totals = _totals(campaign)
    tolerance = gold_tolerance(campaign)
    return RaterParts(
        totals=totals,
        latest=_latest(campaign, [row["annotator"] for row in totals]),
        repeats={pk: self_agreement(*pairs) for pk, pairs in repeat_pairs(campaign).items()},
        gold={pk: gold_hits(*columns, tolerance=tolerance) for pk, columns in _gold_answers(campaign).items()},
        overview=panel_overview(campaign),
    )


def rater_qualities(campaign: Campaign, parts: RaterParts | None = None) -> list[RaterQuality]:
    """Return the figures of everybody who ever answered or skipped, most answers first.

    One query with `parts`, for the decisions of reviewers; otherwise seven.
    """
    parts = parts or rater_parts(campaign)
    decisions = live_decisions(campaign)
    return [
        RaterQuality(
            annotator_id=row["annotator"],
            username=row["annotator__username"],
            is_simulated=row["annotator__is_simulated"],
            is_imported=row["imported"] is not None,
            answers=row["answers"],
            skips=row["skips"],
            unsure=row["unsure"],
            seconds=None if row["milliseconds"] is None else row["milliseconds"] / 1000,
            latest=parts.latest[row["annotator"]],
            repeats=parts.repeats.get(row["annotator"]),
            gold=parts.gold.get(row["annotator"]),
            spread=score_spread(
                parts.latest[row["annotator"]].scores, lowest=campaign.scale_min, highest=campaign.scale_max
            ),
            scale_length=campaign.scale_max - campaign.scale_min,
            overview=parts.overview,
            decisions=decisions.get(row["annotator"], []),
        )
        for row in parts.totals
    ]


def gold_tolerance(campaign: Campaign) -> int:
    """Return the allowed difference from a gold photo's score: one point on ten, in proportion on longer scales."""
    return max(GOLD_TOLERANCE, round((campaign.scale_max - campaign.scale_min) / 9))


def _totals(campaign: Campaign) -> list[dict[str, Any]]:
    is_answer = Q(skip_reason="")
    rows = (
        Annotation.objects.filter(campaign=campaign)
        .standing()
        .values("annotator", "annotator__username", "annotator__is_simulated", imported=F("annotator__imported_as__id"))
        .annotate(
            answers=Count("pk", filter=is_answer),
            skips=Count("pk", filter=~is_answer),
            unsure=Count("pk", filter=Q(watch=Annotation.Watch.UNSURE)),
            milliseconds=Median("milliseconds", filter=is_answer),
        )
        .order_by("-answers", "annotator__username")
    )
    return [dict(row) for row in rows]


def _latest(campaign: Campaign, annotator_ids: list[int]) -> dict[int, Latest]:
    """Return the latest answers and skips of each annotator, by the index annotation_history."""
    scores: dict[int, list[int]] = defaultdict(list)
    skips: Counter[int] = Counter()
    inputs: dict[int, Counter[str]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, {"campaign": campaign.pk, "annotators": annotator_ids, "count": LATEST})
        for pk, score, is_answer, kind in cursor.fetchall():
            if is_answer:
                scores[pk].append(score)
            else:
                skips[pk] += 1
            if kind:
                inputs[pk][kind] += 1
    return {pk: Latest(scores[pk], skips[pk], inputs[pk]) for pk in annotator_ids}


def _gold_answers(campaign: Campaign) -> dict[int, tuple[list[Any], ...]]:
    """Return {annotator id: (scores, expected scores or None, labels, expected labels)} of the votes on gold photos."""
    votes = (
        Annotation.objects.filter(
            campaign=campaign, image__campaign=campaign, image__role=Image.Role.GOLD, image__withdrawn_at=None
        )
        .votes()
        .exclude(image__expected_score=None, image__expected_watch="")
    )
    found: dict[int, tuple[list[Any], ...]] = defaultdict(lambda: ([], [], [], []))
    for annotator, *values in votes.values_list(
        "annotator", "score", F("image__expected_score"), "watch", F("image__expected_watch")
    ):
        for column, value in zip(found[annotator], values, strict=True):
            column.append(value)
    return found
