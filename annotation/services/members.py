"""Who takes part: members of campaigns, and the site's users."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotation.models import Assignment, Campaign, Membership, Role, User
from annotation.services import queue


class MemberError(Exception):
    """The change is refused; the message says why."""


@transaction.atomic
def member_set(*, campaign: Campaign, user: User, role: Role, by: User | None = None) -> Membership:
    """Give a user a role in a campaign, as a new member or in place of the role before.

    Raises MemberError when the campaign would be left without an admin, or the user is deactivated.
    `by` is who asked; nobody can take the role of admin from the last one, also not from themselves.
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
    """End a membership. What the member said stays; photos the member holds go back to the queue.

    Raises MemberError when the campaign would be left without an admin.
    """
    _members_lock(membership.campaign)
    _admin_left(membership, by)
    member_leases_return(membership=membership)
    membership.delete()


def member_leases_return(*, membership: Membership) -> int:
    """Give every photo that the member holds back to the queue; return how many there were.

    What is on the member's screen stays there, and an answer to it is kept.
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
    """Make an account. Raises ValidationError, by field, when the name is taken or the password weak."""
    user = User(username=username, is_simulated=is_simulated)
    user.clean_fields(exclude=["password"])
    user.validate_unique()
    _password_check(password, user)
    user.set_password(password)
    user.save()
    return user


def user_password_set(*, user: User, password: str) -> None:
    """Replace a password, which ends the user's sessions. Raises ValidationError when it is weak."""
    _password_check(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])


@transaction.atomic
def user_active_set(*, user: User, active: bool, by: User) -> None:
    """Let a user in, or keep the user out from the next request on. Raises MemberError where that locks the site."""
    if not active and user.pk == by.pk:
        raise MemberError("You cannot deactivate your own account.")
    # Locks every superuser, so that two of them cannot deactivate each other at the same time.
    superusers = list(User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk"))
    if not active and superusers == [user]:
        raise MemberError(f"{user.username} is the last superuser and cannot be deactivated.")
    user.is_active = active
    user.save(update_fields=["is_active"])


def user_simulated_set(*, user: User, simulated: bool) -> None:
    """Mark an account as a program that plays an annotator, or as a person."""
    user.is_simulated = simulated
    user.save(update_fields=["is_simulated"])


def _password_check(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def _members_lock(campaign: Campaign) -> None:
    """Make changes to the members of a campaign wait for each other."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def _admin_left(membership: Membership, by: User | None) -> None:
    others = Membership.objects.filter(campaign=membership.campaign, role=Role.ADMIN, user__is_active=True).exclude(
        pk=membership.pk
    )
    if membership.role == Role.ADMIN and not others.exists():
        whose = "You are" if by is not None and by.pk == membership.user_id else f"{membership.user.username} is"
        raise MemberError(f"{whose} the campaign's last admin. Give another member the role admin first.")


def practice_finish(*, campaign: Campaign, annotator: User) -> None:
    """Note that the annotator has been through the practice photos; the first time counts."""
    Membership.objects.filter(campaign=campaign, user=annotator, practised_at=None).update(practised_at=timezone.now())
