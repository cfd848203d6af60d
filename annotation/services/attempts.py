"""Lifting the limits on attempts."""

from django.db import transaction

from annotation.access.attempts import refusal_lift
from annotation.language.lazy import english
from annotation.models import AttemptCount, AuditKind, User
from annotation.services.audit import audit_record


@transaction.atomic
def attempts_lift(*, row_id: int, by: User) -> bool:
    """Let somebody try again who has tried too often. False when there is no such count any more."""
    row = AttemptCount.objects.filter(pk=row_id).first()
    if row is None or not refusal_lift(pk=row.pk):
        return False
    user = User.objects.filter(name_key=row.name).first() if row.name else None
    what = english(AttemptCount.Kind(row.kind).label)
    audit_record(kind=AuditKind.LOGIN_UNLOCKED, by=by, user=user, what=what)
    return True
