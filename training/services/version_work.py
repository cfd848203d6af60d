"""Work on model versions that people request and a worker does: exports and comparisons.

The state is in the database only. A worker claims a row; a claim without a sign for STALE_SECONDS is stale, and another
worker may claim the row. A request whose message was lost is found by the sweep.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from annotation.models import User
from training.evaluation.stored_words import WORKER_ENDED
from training.models import VersionWork

STALE_SECONDS = 600
MAX_ATTEMPTS = 3

Work = TypeVar("Work", bound=VersionWork)
#: Called with the share that is done, 0 … 1, and what is being done.
Report = Callable[[float, str], None]


class WorkImpossible(RuntimeError):
    """The work cannot be done; the message is for the person who asked for it."""


def work_request(model: type[Work], *, by: User | None, **key: Any) -> Work:
    """Store a request for the row with this key and return it. A request that is waiting or running stays.

    The caller announces it to the workers on commit.
    """
    fresh: dict[str, Any] = {
        "requested_at": timezone.now(),
        "requested_by": by,
        "claimed_at": None,
        "attempts": 0,
        "progress": 0.0,
        "stage": "",
        "message": "",
        "made_at": None,
    }
    rows = model._default_manager
    row, created = rows.get_or_create(**key, defaults=fresh)
    if not created:
        rows.filter(pk=row.pk).exclude(made_at=None, message="").update(**fresh)
        row.refresh_from_db()
    return row


def work_perform(model: type[Work], pk: int, make: Callable[[Work, Report], dict[str, Any]]) -> None:
    """Claim the row and let `make` do its work, which returns the fields to store. Do nothing if it is not to be done.

    The message of WorkImpossible is stored. Of any other error, the message is stored, and it is raised again. When
    another worker has taken the row over, nothing is stored.
    """
    if not _claimable(model).filter(pk=pk).update(claimed_at=timezone.now(), attempts=F("attempts") + 1):
        return
    row = model._default_manager.get(pk=pk)
    own = model._default_manager.filter(pk=pk, attempts=row.attempts, requested_at=row.requested_at)

    def report(share: float, stage: str) -> None:
        own.update(progress=share, stage=stage, claimed_at=timezone.now())

    try:
        fields = make(row, report)
    except WorkImpossible as error:
        own.update(message=str(error))
    except Exception as error:
        own.update(message=f"{type(error).__name__}: {error}")
        raise
    else:
        own.update(**fields, progress=1.0, stage="", made_at=timezone.now())


def work_due(model: type[Work]) -> list[int]:
    """Return the ids of rows that a worker can claim. Rows that were claimed too often get a message."""
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    given_up = _live(model).filter(claimed_at__lt=stale, attempts__gte=MAX_ATTEMPTS)
    given_up.update(message=WORKER_ENDED % {"attempts": MAX_ATTEMPTS})
    return list(_claimable(model).values_list("pk", flat=True))


def _live(model: type[Work]) -> QuerySet[Work]:
    return model._default_manager.filter(made_at=None, message="")


def _claimable(model: type[Work]) -> QuerySet[Work]:
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    return _live(model).filter(Q(claimed_at=None) | Q(claimed_at__lt=stale), attempts__lt=MAX_ATTEMPTS)
