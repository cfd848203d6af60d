"""Which photos have enough votes, and how many votes and hours a campaign still needs."""

import math
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce, Greatest
from numpy.typing import NDArray

from annotation.consensus.enough_votes import StopRule, votes_forecast
from annotation.models import LIVE, QUEUED, Annotation, Campaign, ConsensusFit, Image
from annotation.selectors.activity import Median

# The pace is the median time of this many newest answers.
_RECENT = 2000
_HOUR = 3_600_000  # milliseconds


@dataclass(frozen=True)
class PhotosToStop:
    """The rated photos of the training split without a problem, as columns [N]."""

    image_ids: NDArray[np.int64]
    votes: NDArray[np.int64]
    """Annotators with a standing answer."""
    needed: NDArray[np.int64]
    leases: NDArray[np.int64]
    """Live leases."""
    consensus_votes: NDArray[np.int64]
    """Votes that the stored consensus uses; 0 without one."""
    errors: NDArray[np.float64]
    """Standard error of the corrected MOS, points; NaN without one."""
    posterior: NDArray[np.float64]
    """Probability of a watch; NaN when unknown."""
    extra: NDArray[np.int64]
    """Votes that a reviewer has asked for; such photos do not stop."""

    def reached(self, rule: StopRule) -> NDArray[np.bool_]:
        """Return which photos have enough votes by a rule [N]."""
        found: NDArray[np.bool_] = rule.reached(self.consensus_votes, self.errors, self.posterior) & (self.extra == 0)
        return found

    def usual(self, campaign: Campaign) -> NDArray[np.int64]:
        """Return how many votes each photo gets without a rule [N]."""
        return campaign.votes_per_image + self.extra


@dataclass(frozen=True)
class Forecast:
    """How much work a campaign still needs."""

    votes: int
    hours: float | None
    """At the present pace; None when no answer has a time."""
    seconds_per_answer: float | None
    answers: int
    """Number of answers that the pace comes from."""
    stopped: int
    """Photos that have enough votes by the campaign's targets."""
    photos: int
    """Photos that can stop."""
    is_by_target: bool
    """Whether the votes come from targets; otherwise each photo needs a fixed number."""

    @property
    def minutes(self) -> int:
        """Return the hours as whole minutes, rounded up; 0 when they are unknown."""
        return math.ceil(60 * (self.hours or 0))


def stop_rule(campaign: Campaign) -> StopRule:
    """Return the targets of a campaign."""
    return StopRule(campaign.target_half_width, campaign.target_watch, campaign.fewest_votes, campaign.most_votes)


def photos_to_stop(campaign: Campaign) -> PhotosToStop:
    """Return the photos that can stop (one query)."""
    rows = (
        Image.objects.filter(LIVE, QUEUED, campaign=campaign, split=Image.Split.TRAIN)
        .order_by("pk")
        .values_list(
            "pk",
            "vote_count",
            "votes_needed",
            F("votes_needed") - F("vote_count") - F("open_slots"),
            "extra_votes",
            "consensus__votes",
            "consensus__corrected_error",
            "consensus__watch_posterior",
        )
    )
    columns = np.array(list(rows), dtype=np.float64).reshape(-1, 8)
    whole = np.nan_to_num(columns[:, :6]).astype(np.int64)
    return PhotosToStop(
        image_ids=whole[:, 0],
        votes=whole[:, 1],
        needed=whole[:, 2],
        leases=whole[:, 3],
        extra=whole[:, 4],
        consensus_votes=whole[:, 5],
        errors=columns[:, 6],
        posterior=columns[:, 7],
    )


def votes_still_needed(campaign: Campaign) -> Forecast:
    """Return the votes and hours that the photos in the queue still need (up to five queries).

    The photos are read only for a campaign with targets.
    """
    rule = stop_rule(campaign)
    missing = Greatest(F("votes_needed") - F("vote_count"), 0)
    is_train = Q(split=Image.Split.TRAIN)
    total = Image.objects.filter(LIVE, QUEUED, campaign=campaign).aggregate(
        train=Coalesce(Sum(missing, filter=is_train), 0),
        holdout=Coalesce(Sum(missing, filter=~is_train), 0),
        photos=Count("pk", filter=is_train),
    )
    votes, stopped = int(total["train"] + total["holdout"]), 0
    if rule.is_on:
        photos = photos_to_stop(campaign)
        reached = photos.reached(rule)
        stopped = int(reached.sum())
        fit = ConsensusFit.objects.filter(campaign=campaign).first()
        if fit is not None:
            usual = photos.usual(campaign)
            further = votes_forecast(
                rule,
                votes=photos.votes,
                usual=usual,
                reached=reached,
                errors=photos.errors,
                spread=fit.quality_spread,
            )
            # Freed votes are all that a photo gets beyond its usual number.
            freed = min(int(further.sum()), int(np.maximum(usual.sum() - photos.votes.sum(), 0)))
            votes = int(total["holdout"]) + freed
    newest = Annotation.objects.filter(campaign=campaign, milliseconds__gt=0).order_by("-pk")[:_RECENT]
    pace = Annotation.objects.filter(pk__in=newest.values("pk")).aggregate(median=Median("milliseconds"))["median"]
    answers = min(newest.count(), _RECENT)
    return Forecast(
        votes=votes,
        hours=None if pace is None else votes * pace / _HOUR,
        seconds_per_answer=None if pace is None else pace / 1000,
        answers=answers,
        stopped=stopped,
        photos=int(total["photos"]),
        is_by_target=rule.is_on,
    )
