"""The audit: who changed what, and when. A trigger of the database refuses to change or delete rows."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from annotation.models.campaigns import Campaign


class AuditKind(models.TextChoices):
    """What happened. The field has no choices, so that a new kind needs no migration."""

    ACCOUNT_CREATED = "account_created", "account created"
    ACCOUNT_CHANGED = "account_changed", "account changed"
    ACCOUNT_DEACTIVATED = "account_deactivated", "account deactivated"
    ACCOUNT_REACTIVATED = "account_reactivated", "account reactivated"
    PASSWORD_CHANGED = "password_changed", "password changed"
    PASSWORD_LINK_CREATED = "password_link_created", "password link created"
    LOGIN_FAILED = "login_failed", "login failed"
    LOGIN_LOCKED = "login_locked", "login locked"
    LOGIN_UNLOCKED = "login_unlocked", "login unlocked"
    SESSIONS_ENDED = "sessions_ended", "sessions ended"
    TOKEN_CREATED = "token_created", "API token created"
    TOKEN_REVOKED = "token_revoked", "API token revoked"
    CAMPAIGN_CREATED = "campaign_created", "campaign created"
    SETTINGS_CHANGED = "settings_changed", "settings changed"
    MEMBER_ADDED = "member_added", "member added"
    ROLE_CHANGED = "role_changed", "role changed"
    MEMBER_REMOVED = "member_removed", "member removed"
    INVITATION_CREATED = "invitation_created", "invitation created"
    INVITATION_REVOKED = "invitation_revoked", "invitation revoked"
    SCREENING = "screening", "screening decision"
    SCREENING_UNDONE = "screening_undone", "screening decision undone"
    EXPORT = "export", "export"
    VOTE_IMPORT = "vote_import", "votes imported"
    PROMOTION = "promotion", "promotion"
    MODEL_NOTE = "model_note", "note on a model version"
    MODEL_FILES = "model_files", "files of model versions deleted"
    ACCOUNT_ANONYMISED = "account_anonymised", "account anonymised"
    WITHDRAWAL = "withdrawal", "photo withdrawn"
    WITHDRAWAL_UNDONE = "withdrawal_undone", "withdrawal undone"
    PHOTOS_DELETED = "photos_deleted", "photos deleted"
    PHOTOS_MOVED = "photos_moved", "photos moved"
    NEAR_DUPLICATES = "near_duplicates", "near-duplicates joined"
    RETENTION = "retention", "originals and device data deleted"
    ADJUDICATION = "adjudication", "decision about a disputed photo"
    ADJUDICATION_UNDONE = "adjudication_undone", "decision undone"
    VOTES_REQUESTED = "votes_requested", "photos sent for more votes"
    VOTES_REQUEST_UNDONE = "votes_request_undone", "request for more votes undone"
    ADMIN_SITE = "admin_site", "change in Django's admin"


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
        return [(name, before.get(name), after.get(name)) for name in {**before, **after}]
