"""What people do with many photos at once: saved views, selections, and bulk actions."""

import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from annotation.models.campaigns import Campaign
from annotation.models.photos import Image

VIEW_NAME_LENGTH = 60


def selection_key() -> str:
    """Return a short random key for the address of a selection."""
    return secrets.token_urlsafe(8)


class SavedView(models.Model):
    """An order and filters of the gallery that a person has given a name."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="saved_views", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", db_index=False)
    name = models.CharField(max_length=VIEW_NAME_LENGTH)
    query = models.TextField(blank=True, help_text="The query string of the gallery.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "campaign", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name


class PhotoSelection(models.Model):
    """Some photos of a campaign, as a filter of the gallery. Rows never change, so an address keeps its meaning."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="photo_selections")
    key = models.CharField(max_length=16, unique=True, default=selection_key)
    image_ids = ArrayField(models.BigIntegerField(), help_text="Ascending.")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the ids: the same photos get the same key.")
    what = models.CharField(max_length=100, help_text="How the photos were chosen, in words.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "fingerprint"], name="photo_selection_once")]

    def __str__(self) -> str:
        return f"{len(self.image_ids)} photos, {self.what}"


class BulkAction(models.Model):
    """One action on many photos, by a request or by a worker. `Claims` finds the queued and the lost ones."""

    class Kind(models.TextChoices):
        TAG = "tag", gettext_lazy("add a tag")
        UNTAG = "untag", gettext_lazy("remove a tag")
        MORE_VOTES = "more_votes", gettext_lazy("ask for more votes")
        FEWER_VOTES = "fewer_votes", gettext_lazy("take back a request for votes")
        PRACTICE = "practice", gettext_lazy("make practice photos")
        RATED = "rated", gettext_lazy("make ordinary photos")
        WITHDRAW = "withdraw", gettext_lazy("withdraw")
        RESTORE = "restore", gettext_lazy("put back")

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="bulk_actions", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    text = models.CharField(max_length=300, blank=True, help_text="The tag, or the reason of a withdrawal.")
    number = models.PositiveSmallIntegerField(default=0, help_text="How many votes are asked for.")
    image_ids = ArrayField(models.BigIntegerField(), help_text="The photos, ascending.")
    position = models.PositiveIntegerField(default=0, help_text="So many of them are finished.")
    changed = models.PositiveIntegerField(default=0, help_text="So many of these have changed.")
    refused = models.JSONField(default=dict, help_text="{why photos were left out: how many}")
    undoes = models.OneToOneField("self", models.CASCADE, null=True, related_name="undone_by")
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    step = models.CharField(max_length=40, blank=True, help_text="What a worker does now.")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True, help_text="Why it failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["campaign", "-id"], name="bulk_action_of_campaign"),
            models.Index(fields=["id"], condition=Q(state__in=["queued", "running"]), name="bulk_action_unfinished"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {len(self.image_ids)} photos"

    @property
    def is_unfinished(self) -> bool:
        """Return whether a worker has it, or will get it."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)


class BulkChange(models.Model):
    """A photo that a bulk action has changed, so that the action can be undone."""

    action = models.ForeignKey(BulkAction, models.CASCADE, related_name="changes")
    image = models.ForeignKey(Image, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.image_id} by action {self.action_id}"
