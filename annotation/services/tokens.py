"""API tokens: create, check and revoke them. The secret is shown once; the database stores its SHA-256."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import ApiToken, AuditKind, User
from annotation.services.audit import audit_record

#: Tokens begin with it, so that programs that look for leaked secrets can find them.
PREFIX = "iqs_"
MOST_DAYS = 366
MOST_TOKENS = 50  # valid ones of one user
#: How old `last_used_at` gets before a request writes it again.
USED_EVERY = timedelta(minutes=1)


class TokenError(ValueError):
    """The token cannot be created. The message is a sentence for the user."""


@transaction.atomic
def token_create(*, user: User, name: str, scope: ApiToken.Scope, days: int) -> tuple[ApiToken, str]:
    """Create a token that is valid for `days` days. Return it with its secret, which is not stored.

    Raises TokenError for an empty name, days outside 1 … MOST_DAYS, and a user who has MOST_TOKENS valid tokens.
    """
    if not name.strip():
        raise TokenError(gettext("Enter a name, so that you can tell your tokens apart."))
    if not 1 <= days <= MOST_DAYS:
        raise TokenError(
            gettext("The number of days must be 1 to %(most_days)s, not %(days)s.")
            % {"most_days": MOST_DAYS, "days": days}
        )
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # so that two requests do not pass the limit
    if user.api_tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).count() >= MOST_TOKENS:
        raise TokenError(
            gettext("You have %(most_tokens)s valid tokens. Revoke one that you do not need.")
            % {"most_tokens": MOST_TOKENS}
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name.strip()[:80],
        token_sha256=_hash(secret),
        scope=scope,
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit_record(
        kind=AuditKind.TOKEN_CREATED,
        user=user,
        what=_what(token),
        after={"scope": token.scope, "expires_at": token.expires_at},
    )
    return token, secret


@transaction.atomic
def token_revoke(*, user: User, token_id: int) -> bool:
    """Revoke a token of the user, effective with the next request. False when there is no such valid token."""
    token = user.api_tokens.select_for_update().filter(pk=token_id, revoked_at=None).first()
    if token is None:
        return False
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    audit_record(kind=AuditKind.TOKEN_REVOKED, user=user, what=_what(token))
    return True


@transaction.atomic
def tokens_revoke(*, user: User) -> int:
    """Revoke all valid tokens of the user and return how many there were."""
    valid = user.api_tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).values_list("pk", flat=True)
    return sum(token_revoke(user=user, token_id=token) for token in list(valid))


def token_use(*, secret: str) -> ApiToken | None:
    """Return the valid token with this secret and its active user, and store when it was used. Otherwise None."""
    if not secret.startswith(PREFIX):
        return None
    token = ApiToken.objects.select_related("user").filter(token_sha256=_hash(secret)).first()
    if token is None or not token.is_valid or not token.user.is_active:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _what(token: ApiToken) -> str:
    """Return what audit records call the token. Its name may be the name of a person."""
    return f"API token {token.pk}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
