"""Members of campaigns, and the site's users."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotation.models import Assignment, Campaign, Membership, Role, User
from annotation.services import queue


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
            raise MemberError(f"{user.username} is deactivated. Reactivate the account first.")
        return Membership.objects.create(campaign=campaign, user=user, role=role)
    if role != Role.ADMIN:
        _admin_left(membership, by)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def member_remove(*, membership: Membership, by: User | None = None) -> None:
    """Remove a member from a campaign. The answers stay; the leased photos go back to the queue.

    Raises MemberError when the campaign would have no admin left.
    """
    _members_lock(membership.campaign)
    _admin_left(membership, by)
    member_leases_return(membership=membership)
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


def user_create(*, username: str, password: str, is_simulated: bool = False) -> User:
    """Create an account. Raises ValidationError, by field, when the name is taken or the password is weak."""
    user = User(username=username, is_simulated=is_simulated)
    user.clean_fields(exclude=["password"])
    user.validate_unique()
    _password_check(password, user)
    user.set_password(password)
    user.save()
    return user


def user_password_set(*, user: User, password: str) -> None:
    """Change a password and end the user's sessions. Raises ValidationError when the password is weak."""
    _password_check(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])


@transaction.atomic
def user_active_set(*, user: User, active: bool, by: User) -> None:
    """Activate or deactivate an account, effective with the next request.

    Raises MemberError for the user's own account and for the last active superuser.
    """
    if not active and user.pk == by.pk:
        raise MemberError("You cannot deactivate your own account.")
    # Lock every superuser, so that two of them cannot deactivate each other at the same time.
    superusers = list(User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk"))
    if not active and superusers == [user]:
        raise MemberError(f"{user.username} is the last superuser and cannot be deactivated.")
    user.is_active = active
    user.save(update_fields=["is_active"])


def user_simulated_set(*, user: User, simulated: bool) -> None:
    """Mark an account as a program that acts as an annotator, or as a person."""
    user.is_simulated = simulated
    user.save(update_fields=["is_simulated"])


def _password_check(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def _members_lock(campaign: Campaign) -> None:
    """Lock the campaign, so that changes to its members run one after the other."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def _admin_left(membership: Membership, by: User | None) -> None:
    others = Membership.objects.filter(campaign=membership.campaign, role=Role.ADMIN, user__is_active=True).exclude(
        pk=membership.pk
    )
    if membership.role == Role.ADMIN and not others.exists():
        subject = "You are" if by is not None and by.pk == membership.user_id else f"{membership.user.username} is"
        raise MemberError(f"{subject} the campaign's last admin. Make somebody else an admin first.")


def practice_finish(*, campaign: Campaign, annotator: User) -> None:
    """Record that the annotator has finished the practice photos. Only the first time is stored."""
    Membership.objects.filter(campaign=campaign, user=annotator, practised_at=None).update(practised_at=timezone.now())
