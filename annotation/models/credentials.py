"""What lets somebody act as a user: sessions, API tokens, and links that set a password.

The database stores only the SHA-256 of a token or link. Both have 256 random bits, so a hash without salt is enough.
"""

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy


class UserSession(models.Model):
    """Whose session it is, and when and with which browser it was last used. Deleted with the session."""

    session = models.OneToOneField(Session, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    browser = models.CharField(max_length=300, blank=True, help_text="The header User-Agent.")
    address = models.GenericIPAddressField(null=True, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text="Written at most every five minutes.")

    class Meta:
        ordering = ["-seen_at"]


class ApiToken(models.Model):
    """A secret with which a program uses the API as a user."""

    class Scope(models.TextChoices):
        READ = "read", gettext_lazy("read")
        ANNOTATE = "annotate", gettext_lazy("annotate")
        ADMIN = "admin", gettext_lazy("admin")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, help_text="What uses the token.")
    token_sha256 = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Written at most once a minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    @property
    def is_valid(self) -> bool:
        """Return whether the token has neither expired nor been revoked."""
        return self.revoked_at is None and self.expires_at > timezone.now()


class PasswordLink(models.Model):
    """A link with which a user sets a new password, once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="password_links")
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was used, or replaced by a newer link.")

    class Meta:
        ordering = ["-id"]
