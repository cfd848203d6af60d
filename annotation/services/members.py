"""Members of campaigns, and the site's users."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import Assignment, AuditKind, Campaign, ImportedAnnotator, Membership, PasswordLink, Role, User
from annotation.services import queue
from annotation.services.audit import audit_changes, audit_record
from annotation.services.passwords import password_check, password_link_create
from annotation.services.sessions import sessions_end
from annotation.services.tokens import tokens_revoke


class MemberError(Exception):
    """The change is not allowed. The message says why."""


@transaction.atomic
def member_set(*, campaign: Campaign, user: User, role: Role, by: User | None = None) -> Membership:
    """Add a user to a campaign with a role, or change the role of a member.

    `by` is the user who makes the change. Raises MemberError when the campaign would have no admin left, or the user is
    deactivated.
    """
    _members_lock(campaign)
    membership = Membership.objects.filter(campaign=campaign, user=user).first()
    if membership is None:
        if not user.is_active:
            raise MemberError(
                gettext("%(username)s is deactivated. Reactivate the account first.") % {"username": user.username}
            )
        audit_record(kind=AuditKind.MEMBER_ADDED, by=by, user=user, campaign=campaign, after={"role": role})
        return Membership.objects.create(campaign=campaign, user=user, role=role)
    if role != Role.ADMIN:
        _admin_left(membership, by)
    before = membership.role
    membership.role = role
    membership.save(update_fields=["role"])
    audit_changes(
        kind=AuditKind.ROLE_CHANGED,
        before={"role": before},
        after={"role": str(role)},
        by=by,
        user=user,
        campaign=campaign,
    )
    return membership


@transaction.atomic
def member_remove(*, membership: Membership, by: User | None = None) -> None:
    """Remove a member from a campaign. The answers stay; the leased photos go back to the queue.

    Raises MemberError when the campaign would have no admin left.
    """
    _members_lock(membership.campaign)
    _admin_left(membership, by)
    member_leases_return(membership=membership)
    audit_record(
        kind=AuditKind.MEMBER_REMOVED,
        by=by,
        user=membership.user,
        campaign=membership.campaign,
        before={"role": membership.role},
    )
    membership.delete()


def member_leases_return(*, membership: Membership) -> int:
    """Return all leased photos of the member to the queue, and return how many there were.

    The member's page keeps showing them, and an answer to one of them is still recorded.
    """
    held = Assignment.objects.filter(
        campaign=membership.campaign, annotator=membership.user, state=Assignment.State.LEASED
    )
    return queue.leases_return(
        campaign=membership.campaign,
        annotator=membership.user,
        image_ids=list(held.values_list("image_id", flat=True)),
    )


@transaction.atomic
def user_create(*, username: str, password: str | None, email: str = "", is_simulated: bool = False) -> User:
    """Create an account. Without a password nobody can log in until the user sets one with a link.

    Raises ValidationError, by field, when somebody has the name in any case or Unicode form, or the password is weak.
    """
    user = User(username=username, email=email, is_simulated=is_simulated)
    user.clean_fields(exclude=["password"])
    user.clean()
    if password is None:
        user.set_unusable_password()
    else:
        password_check(password=password, user=user)
        user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody else has just taken the name
        user.clean()
        raise
    return user


@transaction.atomic
def user_create_with_link(*, by: User, **fields: Any) -> tuple[PasswordLink, str]:
    """Create an account and a link with which the person sets the password. Return the link and its secret.

    fields: those of `user_create` but the password. Raises ValidationError as `user_create` does.
    """
    return password_link_create(user=user_create(password=None, **fields), by=by)


@transaction.atomic
def user_active_set(*, user: User, active: bool, by: User) -> None:
    """Activate or deactivate an account, effective with the next request.

    A deactivated user's sessions end and tokens are revoked, so that both stay useless after a reactivation. Raises
    MemberError for the user's own account, for the last active superuser, for an anonymised user, and for somebody who
    is known only from imported votes.
    """
    if not active and user.pk == by.pk:
        raise MemberError(gettext("You cannot deactivate your own account."))
    if active and user.anonymised_at is not None:
        raise MemberError(gettext("%(username)s is anonymised and stays deactivated.") % {"username": user.username})
    if active and ImportedAnnotator.objects.filter(user=user).exists():
        raise MemberError(
            gettext("%(username)s is known only from imported votes and cannot log in.") % {"username": user.username}
        )
    # Lock every superuser, so that two of them cannot deactivate each other at the same time.
    superusers = list(User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk"))
    if not active and superusers == [user]:
        raise MemberError(
            gettext("%(username)s is the last superuser and cannot be deactivated.") % {"username": user.username}
        )
    if user.is_active == active:
        return
    user.is_active = active
    user.save(update_fields=["is_active"])
    _access_changed(user=user, by=by)


@transaction.atomic
def _access_changed(*, user: User, by: User) -> None:
    """Record that `is_active` has changed. End the sessions and revoke the tokens of a deactivated user."""
    kind = AuditKind.ACCOUNT_REACTIVATED if user.is_active else AuditKind.ACCOUNT_DEACTIVATED
    audit_record(kind=kind, by=by, user=user)
    if not user.is_active:
        sessions_end(user=user)
        tokens_revoke(user=user)


@transaction.atomic
def user_simulated_set(*, user: User, simulated: bool) -> None:
    """Mark an account as a program that acts as an annotator, or as a person."""
    before = {"simulated": user.is_simulated}
    user.is_simulated = simulated
    user.save(update_fields=["is_simulated"])
    audit_changes(kind=AuditKind.ACCOUNT_CHANGED, before=before, after={"simulated": simulated}, user=user)


def _members_lock(campaign: Campaign) -> None:
    """Lock the campaign, so that changes to its members run one after the other."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def _admin_left(membership: Membership, by: User | None) -> None:
    others = Membership.objects.filter(campaign=membership.campaign, role=Role.ADMIN, user__is_active=True).exclude(
        pk=membership.pk
    )
    if membership.role == Role.ADMIN and not others.exists():
        if by is not None and by.pk == membership.user_id:
            raise MemberError(gettext("You are the campaign's last admin. Make somebody else an admin first."))
        raise MemberError(
            gettext("%(username)s is the campaign's last admin. Make somebody else an admin first.")
            % {"username": membership.user.username}
        )


def practice_finish(*, campaign: Campaign, annotator: User) -> None:
    """Record that the annotator has finished the practice photos. Only the first time is stored."""
    Membership.objects.filter(campaign=campaign, user=annotator, practised_at=None).update(practised_at=timezone.now())
