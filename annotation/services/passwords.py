"""Passwords: users change their own, and a one-time link sets one. Nobody sets the password of somebody else.

The database stores only the SHA-256 of the secret of a link, as with invitations.
"""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.language.lazy import gettext_lazy
from annotation.models import AuditKind, PasswordLink, User
from annotation.services.audit import audit_record
from annotation.services.tokens import tokens_revoke

LINK_HOURS = 72
#: The same message for all links that do not work, so that guessing a link reveals nothing.
NOT_VALID = gettext_lazy(
    "This link is not valid. It may have expired, been used or been replaced by a newer link. "
    "Ask the person who sent it for a new one."
)


class PasswordLinkError(ValueError):
    """The link cannot be created or used. The message is a sentence for the user."""


def user_password_set(*, user: User, password: str) -> None:
    """Change a password and end the user's sessions. Raises ValidationError, by field, when the password is weak."""
    password_check(password=password, user=user)
    user.set_password(password)
    user.save(update_fields=["password"])


def password_check(*, password: str, user: User) -> None:
    """Raise ValidationError, by field, when the password is weak or like the user's name or address."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


@transaction.atomic
def password_link_create(*, user: User, by: User) -> tuple[PasswordLink, str]:
    """Create a link that is valid for LINK_HOURS hours. Return it with its secret, which is not stored.

    Earlier links of the user end. Raises PasswordLinkError for a deactivated user.
    """
    if not user.is_active:
        raise PasswordLinkError(
            gettext("%(username)s is deactivated. Reactivate the account first.") % {"username": user.username}
        )
    now, secret = timezone.now(), secrets.token_urlsafe(32)
    user.password_links.filter(ended_at=None).update(ended_at=now)
    link = PasswordLink.objects.create(
        user=user, token_sha256=_hash(secret), created_by=by, expires_at=now + timedelta(hours=LINK_HOURS)
    )
    audit_record(kind=AuditKind.PASSWORD_LINK_CREATED, by=by, user=user, after={"expires_at": link.expires_at})
    return link, secret


def password_link_send(*, link: PasswordLink, url: str) -> None:
    """Send the address of a link to the user's email address. Raises OSError when the mail server does not take it."""
    hours = f"{LINK_HOURS} hours"
    send_mail(
        subject="Set your password",
        message=f"Hello {link.user.username},\n\nopen this link to set your password:\n\n{url}\n\n"
        f"The link works once, for {hours}. If you did not expect it, ignore it and tell your admin.\n",
        from_email=None,
        recipient_list=[link.user.email],
    )


def password_link_find(*, secret: str) -> PasswordLink | None:
    """Return the link with this secret and its user, if it is still valid. Otherwise None."""
    return (
        PasswordLink.objects.select_related("user")
        .filter(token_sha256=_hash(secret), ended_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        .first()
    )


@transaction.atomic
def password_link_use(*, link: PasswordLink, password: str) -> User:
    """Set the password of the link's user. All sessions and API tokens of the user end, and the link ends.

    Raises PasswordLinkError when the link is no longer valid, and ValidationError, by field, when the password is weak.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=link.user_id)
    now = timezone.now()
    still_valid = PasswordLink.objects.filter(pk=link.pk, ended_at=None, expires_at__gt=now)
    if not user.is_active or not still_valid.update(ended_at=now):
        raise PasswordLinkError(NOT_VALID)
    user_password_set(user=user, password=password)
    tokens_revoke(user=user)
    return user


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
