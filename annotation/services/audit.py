"""The one way to write audit records."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from annotation.access.current_request import current_address, current_user
from annotation.models import AuditKind, AuditRecord, Campaign, User

#: A failed login is recorded once in this time for each account and address, so that a program that guesses passwords
#: does not fill the table.
FAILED_EVERY = timedelta(minutes=1)
_UNKNOWN_NAME = "a name without an account"  # not the name itself: people type passwords into the wrong field


def audit_record(
    *,
    kind: AuditKind,
    by: User | None = None,
    user: User | None = None,
    campaign: Campaign | None = None,
    what: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditRecord:
    """Record that somebody did something. Call it in the transaction that does it.

    by: who did it. Default: who sent the present request; nobody outside a request, in commands and workers.
    user: the account it is about. what: the thing it is about, in words; longer than 300 characters is cut.
    before, after: the values that changed, JSON. Never put a password, a secret or the name of a person there.
    """
    return AuditRecord.objects.create(
        kind=kind,
        by=by or current_user(),
        user=user,
        campaign=campaign,
        what=what.replace("\0", "")[:300],
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        address=current_address(),
    )


def audit_changes(
    *, kind: AuditKind, before: Mapping[str, Any], after: Mapping[str, Any], **about: Any
) -> AuditRecord | None:
    """Record the values that differ between `before` and `after`; None when they are the same.

    about: the other arguments of `audit_record`.
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return None
    return audit_record(
        kind=kind,
        before={name: before[name] for name in names if name in before},
        after={name: after[name] for name in names if name in after},
        **about,
    )


@transaction.atomic
def audit_login_failed(*, username: str, kind: AuditKind = AuditKind.LOGIN_FAILED) -> None:
    """Record a failed or locked login, at most once a minute for each account and address."""
    user = User.objects.filter(name_key=username).first()
    same = AuditRecord.objects.filter(
        kind=kind, user=user, address=current_address(), at__gt=timezone.now() - FAILED_EVERY
    )
    if not same.exists():
        audit_record(kind=kind, user=user, what="" if user else _UNKNOWN_NAME)


def audit_addresses_forget(*, user: AbstractBaseUser) -> int:
    """Remove the addresses from the records by or about a user, and return their number. The records stay."""
    records = AuditRecord.objects.exclude(address=None)
    return records.filter(by=user.pk).update(address=None) + records.filter(user=user.pk).update(address=None)
