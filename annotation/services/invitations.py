"""Links that let people join a campaign.

The secret of a link is shown once, to the admin who created it. The database stores only its SHA-256. The secret has
256 random bits, so a hash without salt or stretching is safe from guessing, and a look-up by hash leaks no timing.
"""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext

from annotation.language.lazy import gettext_lazy
from annotation.models import AuditKind, Campaign, Invitation, Membership, Role, User
from annotation.services.audit import audit_record
from annotation.services.members import member_set, user_create

#: Not admin: somebody who finds a link must not become an admin. Admins are added one by one on the members page.
ROLES = (Role.ANNOTATOR, Role.REVIEWER)
MOST_PLACES = 500
MOST_DAYS = 90
#: The same message for unknown and for expired links, so that guessing a link reveals nothing.
NOT_VALID = gettext_lazy(
    "This invitation is not valid. It may have expired, been used up or been revoked. "
    "Ask the person who sent it for a new one."
)


class InvitationError(ValueError):
    """The invitation cannot be created or used. The message is a sentence for the user."""


@transaction.atomic
def invitation_create(
    *, campaign: Campaign, by: User, role: Role, places: int, days: int, note: str = ""
) -> tuple[Invitation, str]:
    """Create an invitation for `places` people, valid for `days` days. Return it with its secret, which is not stored.

    Raises InvitationError for the role admin, and for numbers outside 1 … MOST_PLACES and 1 … MOST_DAYS.
    """
    if role not in ROLES:
        raise InvitationError(gettext("A link can invite annotators or reviewers. Add admins by user name."))
    if not 1 <= places <= MOST_PLACES:
        raise InvitationError(
            gettext("The number of uses must be 1 to %(most_places)s, not %(places)s.")
            % {"most_places": MOST_PLACES, "places": places}
        )
    if not 1 <= days <= MOST_DAYS:
        raise InvitationError(
            gettext("The number of days must be 1 to %(most_days)s, not %(days)s.")
            % {"most_days": MOST_DAYS, "days": days}
        )
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        campaign=campaign,
        token_sha256=_hash(secret),
        role=role,
        note=note.strip()[:120],
        places=places,
        expires_at=timezone.now() + timedelta(days=days),
        created_by=by,
    )
    audit_record(
        kind=AuditKind.INVITATION_CREATED,
        by=by,
        campaign=campaign,
        what=f"invitation {invitation.pk}",
        after={"role": role, "places": places, "expires_at": invitation.expires_at},
    )
    return invitation, secret


@transaction.atomic
def invitation_revoke(*, invitation: Invitation) -> bool:
    """Revoke a link. False when it was already revoked. Members who joined with it stay."""
    if not Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return False
    audit_record(kind=AuditKind.INVITATION_REVOKED, campaign=invitation.campaign, what=f"invitation {invitation.pk}")
    return True


def invitation_find(*, secret: str, user: User | AnonymousUser) -> Invitation | None:
    """Return the invitation with this secret and its campaign, if it is still valid or the user is a member.

    Otherwise None. It takes the same single query whether the invitation ever existed or not.
    """
    invitations = Invitation.objects.filter(token_sha256=_hash(secret)).select_related("campaign")
    member = Membership.objects.filter(campaign=OuterRef("campaign"), user=user.pk)
    return invitations.filter(_usable() | Exists(member)).first()


@transaction.atomic
def invitation_accept(*, invitation: Invitation, user: User) -> Membership:
    """Add the user to the campaign with the invited role, and count one use.

    A member whose role includes the invited one keeps it, and no use is counted. When two people use the last place at
    the same time, only one succeeds. Raises InvitationError when the invitation is no longer valid.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=invitation.campaign_id)
    member = Membership.objects.filter(campaign=campaign, user=user).first()
    if member is not None and Role(member.role).rank >= Role(invitation.role).rank:
        return member
    if not Invitation.objects.filter(_usable(), pk=invitation.pk).update(used=F("used") + 1):
        raise InvitationError(NOT_VALID)
    return member_set(campaign=campaign, user=user, role=Role(invitation.role))


@transaction.atomic
def invitation_accept_new(*, invitation: Invitation, username: str, password: str) -> User:
    """Create an account and add it to the campaign, in one transaction.

    Raises InvitationError as `invitation_accept` does, and ValidationError, by field, as `user_create` does.
    """
    user = user_create(username=username, password=password)
    invitation_accept(invitation=invitation, user=user)
    return user


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _usable() -> Q:
    return Q(revoked_at=None, expires_at__gt=timezone.now(), used__lt=F("places"))
