"""Anonymising a user: the answers stay, the person goes. This cannot be undone."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import (
    Annotation,
    AttemptCount,
    AuditKind,
    HourlyUse,
    ImportedAnnotator,
    Membership,
    PhotoComment,
    ScreeningDecision,
    User,
)
from annotation.services.audit import audit_addresses_forget, audit_record
from annotation.services.members import MemberError, member_leases_return
from annotation.services.sessions import sessions_end
from annotation.services.tokens import tokens_revoke
from annotation.services.vote_import_names import import_names_forget
from annotation.signals import user_anonymised

_NAME_COUNTED = 150  # letters of a name that `AttemptCount` has


@transaction.atomic
def user_anonymise(*, user: User, by: User) -> User:
    """Remove everything about the person and deactivate the account. Return the user with the new name.

    Answers, memberships and audit records stay, under a name such as annotator-17. The photos that the person holds
    return to the queue. Raises MemberError for the user's own account, and for one that is anonymised already.
    """
    if user.pk == by.pk:
        raise MemberError(gettext("You cannot anonymise your own account."))
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.anonymised_at is not None:
        raise MemberError(gettext("%(username)s is anonymised already.") % {"username": user.username})
    for membership in Membership.objects.filter(user=user).select_related("campaign", "user"):
        member_leases_return(membership=membership)
    _access_remove(user)
    _devices_remove(user)
    import_names_forget(user=user)
    # With another name in the file, a later import of the same person's votes makes a new annotator.
    ImportedAnnotator.objects.filter(user=user).update(name=f"anonymised {user.pk}")
    ScreeningDecision.objects.filter(annotator=user).update(reason="")  # reviewers may write names there
    PhotoComment.objects.filter(author=user).update(text="")  # people may write about themselves there
    _admin_log_rename(user, name := _free_name(user))
    for field in ("first_name", "last_name", "email", "time_zone", "theme", "language"):
        setattr(user, field, "")
    user.username, user.key_bindings, user.session_goal, user.last_login = name, {}, 0, None
    user.is_active = user.is_staff = user.is_superuser = False
    user.anonymised_at = timezone.now()
    user.save()
    user_anonymised.send(sender=User, user_id=user.pk)
    audit_record(kind=AuditKind.ACCOUNT_ANONYMISED, by=by, user=user)
    return user


def _access_remove(user: User) -> None:
    sessions_end(user=user)
    tokens_revoke(user=user)
    user.api_tokens.all().delete()  # their names too
    user.password_links.all().delete()
    user.saved_views.all().delete()  # their names too
    user.groups.clear()
    user.user_permissions.clear()
    AttemptCount.objects.filter(name=user.name_key[:_NAME_COUNTED]).delete()
    HourlyUse.objects.filter(user=user).delete()
    user.password = make_password(None)  # not `set_password`, which would be recorded as a change by the person


def _devices_remove(user: User) -> None:
    """Remove the addresses from the audit, and what answers say about screens and input devices."""
    audit_addresses_forget(user=user)
    Annotation.objects.filter(annotator=user).exclude(viewing={}).update(viewing={})


def _admin_log_rename(user: User, name: str) -> None:
    """Put the new name into the log of Django's admin."""
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    entries.update(object_repr=name, change_message="")


def _free_name(user: User) -> str:
    """Return annotator- and the number of the account, or a longer name if somebody has this one."""
    name = f"annotator-{user.pk}"
    while User.objects.filter(name_key=name).exclude(pk=user.pk).exists():
        name += "-x"
    return name
