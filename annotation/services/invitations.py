"""Links with which people join a campaign by themselves.

A link's secret is shown once, to the admin who made it; the database keeps its SHA-256. The secret has 256 random
bits, so that a hash without salt or stretching cannot be searched, and a look-up by the hash gives no timing away.
"""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from annotation.models import Campaign, Invitation, Membership, Role, User
from annotation.services.members import member_set, user_create

#: Admins are named on the Members page, one by one: whoever finds a link must not get a campaign with it.
ROLES = (Role.ANNOTATOR, Role.REVIEWER)
MOST_PLACES = 500
MOST_DAYS = 90
#: One sentence for links that never were, and for those that were: a guess learns nothing from it.
NOT_VALID = (
    "This invitation is not valid. It may have expired, been used up or been revoked. "
    "Ask the person who sent it for a new one."
)


class InvitationError(ValueError):
    """The invitation cannot be made or used; the message is a sentence for the person who tried."""


@transaction.atomic
def invitation_make(
    *, campaign: Campaign, by: User, role: Role, places: int, days: int, note: str = ""
) -> tuple[Invitation, str]:
    """Make an invitation for `places` people that runs `days` days; return it with its secret, which is not kept.

    Raises InvitationError for the role of admin and for places and days outside 1 … MOST_PLACES and 1 … MOST_DAYS.
    """
    if role not in ROLES:
        raise InvitationError("A link can invite annotators and reviewers only. Add admins by name.")
    if not 1 <= places <= MOST_PLACES:
        raise InvitationError(f"Max uses must be from 1 to {MOST_PLACES}, not {places}.")
    if not 1 <= days <= MOST_DAYS:
        raise InvitationError(f"An invitation must expire after 1 to {MOST_DAYS} days, not {days}.")
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
    return invitation, secret


def invitation_revoke(*, invitation: Invitation) -> bool:
    """Make a link worthless; False when it was revoked before. Who joined with it stays."""
    return bool(Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=timezone.now()))


def invitation_find(*, secret: str, user: User | AnonymousUser) -> Invitation | None:
    """Return the invitation with this secret, with its campaign, if it can still be used or the user is a member.

    None for every other secret, after the same single query, whether there ever was such an invitation or not.
    """
    invitations = Invitation.objects.filter(token_sha256=_hash(secret)).select_related("campaign")
    member = Membership.objects.filter(campaign=OuterRef("campaign"), user=user.pk)
    return invitations.filter(_usable() | Exists(member)).first()


@transaction.atomic
def invitation_accept(*, invitation: Invitation, user: User) -> Membership:
    """Let the user join with the invited role, and take one place for it.

    A member whose role includes the invited one keeps it, and takes no place. Of two people who go for the last place
    one gets it. Raises InvitationError when the invitation cannot be used any more.
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
    """Make an account and let it join; neither happens without the other.

    Raises InvitationError as `invitation_accept` does, and ValidationError, by field, as `user_create` does.
    """
    user = user_create(username=username, password=password)
    invitation_accept(invitation=invitation, user=user)
    return user


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _usable() -> Q:
    return Q(revoked_at=None, expires_at__gt=timezone.now(), used__lt=F("places"))
