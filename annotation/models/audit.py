"""The audit: who changed what, and when. A trigger of the database refuses to change or delete rows."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext

from annotation.language.lazy import gettext_lazy
from annotation.models.campaigns import Campaign


class AuditKind(models.TextChoices):
    """What happened. The field has no choices, so that a new kind needs no migration."""

    ACCOUNT_CREATED = "account_created", gettext_lazy("account created")
    ACCOUNT_CHANGED = "account_changed", gettext_lazy("account changed")
    ACCOUNT_DEACTIVATED = "account_deactivated", gettext_lazy("account deactivated")
    ACCOUNT_REACTIVATED = "account_reactivated", gettext_lazy("account reactivated")
    PASSWORD_CHANGED = "password_changed", gettext_lazy("password changed")
    PASSWORD_LINK_CREATED = "password_link_created", gettext_lazy("password link created")
    LOGIN_FAILED = "login_failed", gettext_lazy("login failed")
    LOGIN_LOCKED = "login_locked", gettext_lazy("login locked")
    LOGIN_UNLOCKED = "login_unlocked", gettext_lazy("login unlocked")
    SESSIONS_ENDED = "sessions_ended", gettext_lazy("sessions ended")
    TOKEN_CREATED = "token_created", gettext_lazy("API token created")
    TOKEN_REVOKED = "token_revoked", gettext_lazy("API token revoked")
    CAMPAIGN_CREATED = "campaign_created", gettext_lazy("campaign created")
    SETTINGS_CHANGED = "settings_changed", gettext_lazy("settings changed")
    MEMBER_ADDED = "member_added", gettext_lazy("member added")
    ROLE_CHANGED = "role_changed", gettext_lazy("role changed")
    MEMBER_REMOVED = "member_removed", gettext_lazy("member removed")
    INVITATION_CREATED = "invitation_created", gettext_lazy("invitation created")
    INVITATION_REVOKED = "invitation_revoked", gettext_lazy("invitation revoked")
    SCREENING = "screening", gettext_lazy("screening decision")
    SCREENING_UNDONE = "screening_undone", gettext_lazy("screening decision undone")
    EXPORT = "export", gettext_lazy("export")
    VOTE_IMPORT = "vote_import", gettext_lazy("votes imported")
    PROMOTION = "promotion", gettext_lazy("promotion")
    MODEL_NOTE = "model_note", gettext_lazy("note on a model version")
    MODEL_FILES = "model_files", gettext_lazy("files of model versions deleted")
    ACCOUNT_ANONYMISED = "account_anonymised", gettext_lazy("account anonymised")
    WITHDRAWAL = "withdrawal", gettext_lazy("photo withdrawn")
    WITHDRAWAL_UNDONE = "withdrawal_undone", gettext_lazy("withdrawal undone")
    PHOTOS_DELETED = "photos_deleted", gettext_lazy("photos deleted")
    PHOTOS_MOVED = "photos_moved", gettext_lazy("photos moved")
    NEAR_DUPLICATES = "near_duplicates", gettext_lazy("near-duplicates joined")
    RETENTION = "retention", gettext_lazy("originals and device data deleted")
    ADJUDICATION = "adjudication", gettext_lazy("decision about a disputed photo")
    ADJUDICATION_UNDONE = "adjudication_undone", gettext_lazy("decision undone")
    VOTES_REQUESTED = "votes_requested", gettext_lazy("photos sent for more votes")
    VOTES_REQUEST_UNDONE = "votes_request_undone", gettext_lazy("request for more votes undone")
    DECISION_RULE = "decision_rule", gettext_lazy("what the model may decide")
    ADMIN_SITE = "admin_site", gettext_lazy("change in Django's admin")


class AuditRecord(models.Model):
    """One thing that somebody did. Rows are never changed or deleted; only the address can be removed."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: a command, a worker, or somebody who has not logged in.",
    )
    kind = models.CharField(max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="The account it is about."
    )
    # Without a constraint, so that the rows stay when a campaign is deleted.
    campaign = models.ForeignKey(Campaign, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    what = models.CharField(max_length=300, blank=True, help_text="The thing it is about, in words.")
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["campaign", "-id"], name="audit_of_a_campaign")]

    @property
    def label(self) -> str:
        """Return the kind in words."""
        return AuditKind(self.kind).label if self.kind in AuditKind.values else self.kind

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """Return (name, value before, value after) of each value. None: there was none."""
        before, after = self.before or {}, self.after or {}
        return [(name, _shown(before.get(name)), _shown(after.get(name))) for name in {**before, **after}]


def _shown(value: object) -> object:
    """Return a value as people read it: yes and no in place of Python's words."""
    if not isinstance(value, bool):
        return value
    return gettext("yes") if value else gettext("no")
