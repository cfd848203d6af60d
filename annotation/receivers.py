"""What happens whenever an account, a login or Django's admin changes something, whichever code did it."""

import json
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from annotation.access.sessions import SessionStore
from annotation.models import AuditKind, User
from annotation.services.audit import audit_login_failed, audit_record
from annotation.services.sessions import sessions_end
from annotation.signals import login_locked


@receiver(post_save, sender=User)
def user_saved(instance: User, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Record a new account and a new password, also those that Django's commands make. A new password ends sessions."""
    if raw:  # a fixture
        return
    if created:
        marks = {"simulated": instance.is_simulated, "staff": instance.is_staff, "superuser": instance.is_superuser}
        audit_record(
            kind=AuditKind.ACCOUNT_CREATED,
            user=instance,
            after={name: True for name, has in marks.items() if has} or None,
        )
    elif getattr(instance, "_password", None) is not None:  # set by set_password, until Django has saved it
        audit_record(kind=AuditKind.PASSWORD_CHANGED, user=instance)
        sessions_end(user=instance)


@receiver(user_login_failed)
def login_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record a failed login."""
    audit_login_failed(username=str(credentials.get("username", "")))


@receiver(login_locked)
def login_was_locked(username: str, **kwargs: Any) -> None:
    """Record a login that was refused after too many attempts."""
    audit_login_failed(username=username, kind=AuditKind.LOGIN_LOCKED)


@receiver(user_logged_in)
def logged_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Store whose session it is, so that it is in the user's list of sessions at once."""
    now: datetime = timezone.now()
    session = request.session
    if session.session_key is None:  # a session of another user was here before
        session.create()
    if isinstance(session, SessionStore):
        session.seen(user.pk, now)


@receiver(post_save, sender=LogEntry)
def admin_changed(instance: LogEntry, created: bool, **kwargs: Any) -> None:
    """Record a change in Django's admin, with the names of the changed fields."""
    if not created:
        return
    by = instance.user if isinstance(instance.user, User) else None
    what = f"{instance.content_type}: {instance.object_repr}"
    if instance.content_type and instance.content_type.model_class() is User:
        what = f"{instance.content_type} {instance.object_id}"  # not the name, which may be removed later
    audit_record(kind=AuditKind.ADMIN_SITE, by=by, what=what, after=_admin_change(instance))


def _admin_change(entry: LogEntry) -> dict[str, Any]:
    """Return what was done, and the names of the changed fields. The texts of Django would also name people."""
    try:
        changes = json.loads(entry.change_message or "[]")
    except ValueError:
        changes = []
    details = [detail for change in changes if isinstance(change, dict) for detail in change.values()]
    fields = sorted({name for detail in details for name in detail.get("fields", [])})
    return {"action": entry.get_action_flag_display(), **({"fields": fields} if fields else {})}
