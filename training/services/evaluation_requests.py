"""Requests to evaluate all versions of a campaign. Their state is stored in the database only.

A request whose message was lost is found by the sweep. A worker claims it; a claim without a sign for STALE_SECONDS is
stale, and another worker may claim it.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from annotation.models import Campaign
from training.models import EvaluationRequest
from training.services.evaluations import evaluations_refresh

STALE_SECONDS = 600  # one version takes some seconds
MAX_ATTEMPTS = 3


def evaluations_request(*, campaign: Campaign) -> None:
    """Store that all versions are to be evaluated. The caller announces it to the workers on commit.

    A request during an evaluation is kept: the answers and settings may have changed since it began.
    """
    fresh = {"requested_at": timezone.now(), "attempts": 0, "message": ""}
    EvaluationRequest.objects.update_or_create(
        campaign=campaign, defaults=fresh, create_defaults={**fresh, "claimed_at": None}
    )


def evaluations_perform(*, campaign_id: int) -> list[str]:
    """Claim the campaign's request and evaluate its versions; return the messages of `evaluations_refresh`.

    Does nothing without a request, and when another worker has claimed it. After an unexpected error, the request is
    kept with the message, and the error is raised again.
    """
    requested_at = _claim(campaign_id)
    if requested_at is None:
        return []
    row = EvaluationRequest.objects.filter(campaign=campaign_id)

    def sign() -> None:
        row.update(claimed_at=timezone.now())

    try:
        problems = evaluations_refresh(campaign=Campaign.objects.get(pk=campaign_id), progress=sign)
    except Exception as error:
        row.update(claimed_at=None, message=f"{type(error).__name__}: {error}")
        raise
    row.filter(requested_at=requested_at).delete()
    row.update(claimed_at=None)  # a new request, made during the evaluation
    return problems


def evaluations_due() -> list[int]:
    """Return the ids of campaigns with a request that a worker can claim."""
    return list(_claimable().values_list("campaign_id", flat=True))


def _claim(campaign_id: int) -> datetime | None:
    """Claim the request of a campaign and return when it was made, or None if there is none to claim."""
    now = timezone.now()
    if not _claimable().filter(campaign=campaign_id).update(claimed_at=now, attempts=F("attempts") + 1):
        return None
    return EvaluationRequest.objects.filter(campaign=campaign_id).values_list("requested_at", flat=True).first()


def _claimable() -> QuerySet[EvaluationRequest]:
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    unclaimed = Q(claimed_at=None) | Q(claimed_at__lt=stale)
    return EvaluationRequest.objects.filter(unclaimed, attempts__lt=MAX_ATTEMPTS)
