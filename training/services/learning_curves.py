"""State changes of a learning curve: request, claim, progress, end. Its state is stored in the database only.

As with training runs, a claim returns an attempt number, and every write checks it.
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import Campaign, User
from training.evaluation.stored_words import CURVE_STALE
from training.models import LearningCurve

# A running process writes after each fit, which takes under a second for hundreds of photos and up to a minute for
# thousands. After this time without a heartbeat, its curve is stale. A worker that lives notices the end of its process
# at once.
STALE_SECONDS = 600
MAX_ATTEMPTS = 3
State = LearningCurve.State


class CurveEndedError(Exception):
    """The curve has ended or another attempt works on it. The process must stop."""


def curve_request(*, campaign: Campaign, by: User | None = None) -> LearningCurve:
    """Return the campaign's queued or running curve; create one if there is none.

    The caller announces it to the workers on commit. If that message is lost, the sweep finds the curve.
    """
    live = LearningCurve.objects.filter(campaign=campaign, state__in=LearningCurve.LIVE)
    for _ in range(5):
        if (found := live.first()) is not None:
            return found
        try:
            with transaction.atomic():
                return LearningCurve.objects.create(campaign=campaign, requested_by=by)
        except IntegrityError:
            continue  # another request was first, and its curve may have ended since
    raise RuntimeError(
        gettext("Learning curves of %(campaign)s start and end too fast to request one.") % {"campaign": campaign}
    )


def curve_claim(*, curve_id: int) -> int | None:
    """Claim a queued curve and return the attempt number, or None if it is not queued."""
    with transaction.atomic():
        claimed = LearningCurve.objects.filter(pk=curve_id, state=State.QUEUED).update(
            state=State.RUNNING, attempt=F("attempt") + 1, heartbeat_at=timezone.now(), progress=0.0
        )
        # The update has locked the row, so this is the new number.
        return LearningCurve.objects.values_list("attempt", flat=True).get(pk=curve_id) if claimed else None


def curve_write(*, curve_id: int, attempt: int, progress: float) -> None:
    """Write progress and a heartbeat. Raises CurveEndedError if the attempt is not the current one."""
    current = LearningCurve.objects.filter(pk=curve_id, attempt=attempt, state=State.RUNNING)
    if not current.update(heartbeat_at=timezone.now(), progress=progress):
        raise CurveEndedError(
            gettext("Attempt %(attempt)s of learning curve %(curve_id)s is over.")
            % {"attempt": attempt, "curve_id": curve_id}
        )


@transaction.atomic
def curve_finish(*, curve_id: int, attempt: int, state: str, message: str = "", **fields: Any) -> bool:
    """End the curve; a result replaces the earlier ones. Return False, without a write, if the attempt is over."""
    current = LearningCurve.objects.filter(pk=curve_id, attempt=attempt, state=State.RUNNING)
    if not current.update(state=state, message=message, finished_at=timezone.now(), **fields):
        return False
    campaign = LearningCurve.objects.values_list("campaign", flat=True).get(pk=curve_id)
    earlier = LearningCurve.objects.filter(campaign=campaign, pk__lt=curve_id).exclude(state__in=LearningCurve.LIVE)
    (earlier if state == State.DONE else earlier.filter(state=State.FAILED)).delete()
    return True


def curves_requeue_stale() -> int:
    """Requeue each curve without a heartbeat for STALE_SECONDS, or end it after MAX_ATTEMPTS; return their number."""
    oldest = timezone.now() - timedelta(seconds=STALE_SECONDS)
    stale = LearningCurve.objects.filter(state=State.RUNNING, heartbeat_at__lt=oldest)
    failed = stale.filter(attempt__gte=MAX_ATTEMPTS).update(
        state=State.FAILED,
        finished_at=timezone.now(),
        message=CURVE_STALE % {"seconds": STALE_SECONDS, "attempts": MAX_ATTEMPTS},
    )
    return failed + stale.update(state=State.QUEUED, heartbeat_at=None, progress=0.0)


def curves_queued() -> list[int]:
    """Return the ids of the queued curves, the oldest first."""
    return list(LearningCurve.objects.filter(state=State.QUEUED).order_by("pk").values_list("pk", flat=True))
