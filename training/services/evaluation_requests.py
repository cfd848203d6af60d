"""Requests to evaluate the versions of a campaign, or its champion only. Their state is stored in the database only.

The champion is evaluated again by itself when the watch threshold or a class limit has changed, and when the holdout
votes have changed: after `QUIET` without a new vote, but at least every `LONGEST` while people vote. All versions are
evaluated only on request, because each comparison with the champion is a look at the holdout.

A request whose message was lost is found by the sweep. A worker claims it; a claim without a sign for STALE_SECONDS is
stale, and another worker may claim it.
"""

from datetime import datetime, timedelta

from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from annotation.models import Campaign, Image
from annotation.selectors.votes import votes_of
from inference.models import ModelVersion
from inference.selectors import fits_scale
from training.models import Evaluation, EvaluationRequest
from training.selectors.versions import newest_evaluations, settings_changed_since, votes_changed_since
from training.services.evaluations import evaluations_refresh

QUIET, LONGEST = timedelta(minutes=10), timedelta(hours=1)
STALE_SECONDS = 600  # one version takes some seconds
MAX_ATTEMPTS = 3


def evaluations_request(*, campaign: Campaign, champion_only: bool = False) -> None:
    """Store that all versions or the champion are to be evaluated. The caller announces it to the workers on commit.

    A request during an evaluation is kept: the answers and settings may have changed since it began. A request for the
    champion does not replace a waiting one for all versions.
    """
    fresh = {"requested_at": timezone.now(), "attempts": 0, "message": "", "champion_only": champion_only}
    if champion_only and EvaluationRequest.objects.filter(campaign=campaign).exists():
        return
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
    champion_only = row.filter(champion_only=True).exists()

    def sign() -> None:
        row.update(claimed_at=timezone.now())

    try:
        campaign = Campaign.objects.get(pk=campaign_id)
        problems = evaluations_refresh(campaign=campaign, champion_only=champion_only, progress=sign)
    except Exception as error:
        row.update(claimed_at=None, message=f"{type(error).__name__}: {error}")
        raise
    row.filter(requested_at=requested_at).delete()
    row.update(claimed_at=None)  # a new request, made during the evaluation
    return problems


def champions_request() -> list[int]:
    """Request an evaluation of each champion whose votes or settings have changed; return the campaigns' ids."""
    champions = ModelVersion.objects.filter(is_champion=True).exclude(campaign__state=Campaign.State.CLOSED)
    versions = [one for one in champions.select_related("campaign") if fits_scale(one, one.campaign)]
    newest = newest_evaluations(versions)
    due = [one.campaign for one in versions if _is_due(one, newest.get(one.pk))]
    for campaign in due:
        evaluations_request(campaign=campaign, champion_only=True)
    return [campaign.pk for campaign in due]


def _is_due(champion: ModelVersion, evaluation: Evaluation | None) -> bool:
    """Return whether the champion is to be evaluated again (at most two queries)."""
    if evaluation is not None and settings_changed_since(evaluation):
        return True
    votes = votes_of(champion.campaign, split=Image.Split.HOLDOUT, for_evaluation=True)
    last = votes.aggregate(last=Max("created_at"))["last"]
    now = timezone.now()
    if evaluation is None:
        return last is not None and now - last >= QUIET
    if not votes_changed_since(evaluation):
        return False
    return last is None or now - last >= QUIET or now - evaluation.created_at >= LONGEST


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
