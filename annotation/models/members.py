"""Members of campaigns, their roles, and invitation links."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign


class Role(models.TextChoices):
    """What a member may do in a campaign; each role includes the ones before it."""

    ANNOTATOR = "annotator", _("annotator")
    REVIEWER = "reviewer", _("reviewer")
    ADMIN = "admin", _("admin")

    @property
    def rank(self) -> int:
        """Return 0 for annotator, 1 for reviewer, 2 for admin."""
        return list(Role).index(self)


class Membership(models.Model):
    """A user's role in a campaign."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.ANNOTATOR)
    joined_at = models.DateTimeField(auto_now_add=True)
    practised_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the member finished the practice photos.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("member"), _("members")
        constraints = [models.UniqueConstraint(fields=["campaign", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.campaign}"


class Invitation(models.Model):
    """A link that lets people join a campaign. The database stores only a hash of its secret."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="invitations")
    token_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.ANNOTATOR)
    note = models.CharField(max_length=120, blank=True, help_text=_("Who the link is for."))
    places = models.PositiveIntegerField(default=1, help_text=_("How many people can join with this link."))
    used = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(used__lte=F("places")), name="invitation_places")]
