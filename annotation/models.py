"""Campaigns, photos, and the answers of annotators.

`Annotation` is append-only. `Image` stores counters for speed; `annotation.services.queue.counters_rebuild` computes
them again from the assignments and annotations.
"""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property

from annotation import answers
from annotation.photos import storage

# ImageNet classes that show a watch or a clock.
DEFAULT_SYNSETS = {
    409: "analog clock",
    530: "digital clock",
    531: "digital watch",
    826: "stopwatch",
    892: "wall clock",
}


def default_synsets() -> list[int]:
    """Return the five ImageNet class indices of watches and clocks."""
    return list(DEFAULT_SYNSETS)


def default_lane_shares() -> dict[str, float]:
    """Return the shares of the queue lanes of a new campaign: every photo is drawn uniformly at random."""
    return {"random": 1.0}


class User(AbstractUser):
    """A person, or a program that acts as an annotator. Pages label such programs as simulated."""

    is_simulated = models.BooleanField(
        "simulated", default=False, help_text="A program that acts as an annotator, for demos and tests."
    )
    key_bindings = models.JSONField(
        default=dict, blank=True, help_text="Keys of the annotate page that the user has changed: {action: key}."
    )


class Role(models.TextChoices):
    """What a member may do in a campaign; each role includes the ones before it."""

    ANNOTATOR = "annotator", "annotator"
    REVIEWER = "reviewer", "reviewer"
    ADMIN = "admin", "admin"

    @property
    def rank(self) -> int:
        """Return 0 for annotator, 1 for reviewer, 2 for admin."""
        return list(Role).index(self)


class Campaign(models.Model):
    """A set of photos that people and models rate, with its settings."""

    class State(models.TextChoices):
        ACTIVE = "active", "active"
        PAUSED = "paused", "paused"
        CLOSED = "closed", "closed"

    class Mode(models.TextChoices):
        BLIND = "blind", "blind: the prediction is never shown"
        REVEAL = "reveal", "reveal: the prediction and the other annotators' mean are shown after the answer"
        PRELABEL = (
            "prelabel",
            "prelabel: the prediction is shown before the answer; such answers are left out of evaluation",
        )

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    instructions = models.TextField(blank=True, help_text="Shown to annotators before they start.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.REVEAL)
    scale_min = models.PositiveSmallIntegerField("lowest score", default=1)
    scale_max = models.PositiveSmallIntegerField("highest score", default=10, validators=[MaxValueValidator(100)])
    synsets = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(999)]),
        default=default_synsets,
        help_text="ImageNet class indices that count as a watch. The watch probability is their sum.",
    )
    watch_threshold = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="The model decides 'watch' when the watch probability is above this value.",
    )
    reject_at = models.FloatField("rejected up to", default=5.0)
    pending_at = models.FloatField("pending up to", default=6.0)
    votes_per_image = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    holdout_votes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text="More votes make the evaluation more precise."
    )
    holdout_fraction = models.FloatField(
        default=0.2,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.9)],
        help_text="Share of photos in the holdout, drawn at random at import.",
    )
    seed = models.PositiveBigIntegerField(default=20260101, help_text="Seed of the random holdout draw.")
    repeat_share = models.FloatField(
        "hidden repeats",
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.3)],
        help_text="Share of photos that are shown to an annotator a second time, unmarked, to measure self-agreement.",
    )
    gold_share = models.FloatField(
        "gold photos",
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.3)],
        help_text="Share of gold photos, whose answer is known. Each annotator gets each gold photo once.",
    )
    anchoring_share = models.FloatField(
        "anchoring experiment",
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text="Share of photos that show the prediction before the answer, to measure its influence.",
    )
    lane_shares = models.JSONField(
        "queue lanes",
        default=default_lane_shares,
        help_text="Share of each queue lane among the rated photos: {lane: share}. The shares add up to 1.",
    )
    break_minutes = models.PositiveSmallIntegerField(
        "break after", default=30, help_text="Minutes of rating before the page suggests a break. 0 means never."
    )
    lease_seconds = models.PositiveIntegerField(default=300, validators=[MinValueValidator(10)])
    train_after = models.PositiveIntegerField(
        default=200,
        help_text="Number of new answers to learn from that starts a training run automatically. 0 means never.",
    )
    promote_automatically = models.BooleanField(
        default=False,
        help_text="Promote a challenger that passes the promotion rule; the models page states the rule.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(scale_max__gt=F("scale_min")), name="campaign_scale_ascends"),
            models.CheckConstraint(condition=Q(pending_at__gte=F("reject_at")), name="campaign_classes_ascend"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def bins(self) -> int:
        """Return K, the number of opinion scores on the scale."""
        return self.scale_max - self.scale_min + 1

    @property
    def scores(self) -> range:
        """Return the opinion scores of the scale, lowest first."""
        return range(self.scale_min, self.scale_max + 1)

    @cached_property
    def has_simulated_annotators(self) -> bool:
        """Return whether any member is a program. Every page of the campaign then says so."""
        return self.memberships.filter(user__is_simulated=True).exists()


class Membership(models.Model):
    """A user's role in a campaign."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.ANNOTATOR)
    joined_at = models.DateTimeField(auto_now_add=True)
    practised_at = models.DateTimeField(
        null=True, blank=True, help_text="When the member finished the practice photos."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.campaign}"


class Invitation(models.Model):
    """A link that lets people join a campaign. The database stores only a hash of its secret."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="invitations")
    token_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.ANNOTATOR)
    note = models.CharField(max_length=120, blank=True, help_text="Who the link is for.")
    places = models.PositiveIntegerField(default=1, help_text="How many people can join with this link.")
    used = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(used__lte=F("places")), name="invitation_places")]


class ImportBatch(models.Model):
    """One import of photos, from an upload or the command line."""

    class State(models.TextChoices):
        RECEIVING = "receiving", "receiving files"
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    source = models.CharField(max_length=500, help_text="Folder or zip that the files come from.")
    total = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    @property
    def done(self) -> int:
        """Return how many files have been processed."""
        return self.added + self.duplicates + self.rejected


class ImportRejection(models.Model):
    """A file that was not imported, and why."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rejections")
    name = models.CharField(max_length=500)
    reason = models.TextField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["batch", "name"], name="rejection_once")]


#: Photos that annotators are asked to rate: rated photos without a problem.
QUEUED = Q(problem="", role="rated")


class Image(models.Model):
    """One photo of a campaign. Its original bytes are in the photo storage, named by their SHA-256."""

    class Split(models.TextChoices):
        TRAIN = "train", "train"
        HOLDOUT = "holdout", "holdout"

    class Role(models.TextChoices):
        RATED = "rated", "rated"
        PRACTICE = "practice", "practice: shown before the first rated photo; answers are not saved"
        EXAMPLE = "example", "example: shown with the instructions"
        GOLD = "gold", "gold: its answer is known; annotators are not told which photos are gold"

    TAUGHT = answers.TAUGHT

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="images")
    batch = models.ForeignKey(ImportBatch, models.SET_NULL, null=True, blank=True, related_name="images")
    name = models.CharField(max_length=500, help_text="File name at import.")
    sha256 = models.CharField(max_length=64)
    suffix = models.CharField(max_length=5, help_text="File extension for the detected format, with the dot.")
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="Pixels, as shown (EXIF orientation applied).")
    height = models.PositiveIntegerField(help_text="Pixels, as shown (EXIF orientation applied).")
    phash = models.BigIntegerField(help_text="64-bit perceptual hash, as a signed number.")
    group = models.UUIDField(default=uuid.uuid4, db_index=True, help_text="Near-duplicates have the same group.")
    split = models.CharField(max_length=7, choices=Split.choices, default=Split.TRAIN)
    votes_needed = models.PositiveSmallIntegerField(default=3)
    open_slots = models.SmallIntegerField(default=3, help_text="Counter: votes needed minus votes and live leases.")
    vote_count = models.PositiveIntegerField(default=0, help_text="Counter: annotators with a standing answer.")
    queue_position = models.FloatField(help_text="Uniform in [0, 1). The queue starts its search at a random position.")
    role = models.CharField(
        max_length=8, choices=Role.choices, default=Role.RATED, help_text="Only rated photos are in the queue."
    )
    expected_watch = models.CharField(
        max_length=6, blank=True, help_text="Known answer of a practice, example or gold photo."
    )
    expected_score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Known answer of a practice, example or gold photo."
    )
    guidance = models.CharField(max_length=300, blank=True, help_text="Explanation of a practice or example photo.")
    problem = models.TextField(blank=True, help_text="Why the photo is out of the queue, e.g. reported as damaged.")
    details = models.JSONField(
        default=dict, blank=True, help_text="Other values, e.g. the known degradation of a demo photo."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "sha256"], name="image_once")]
        indexes = [
            models.Index(
                fields=["campaign", "queue_position"],
                condition=QUEUED & Q(open_slots__gt=0),
                name="image_open",
            ),
            models.Index(fields=["campaign", "role"], condition=~Q(role="rated"), name="image_special"),
            models.Index(fields=["campaign", "split"], name="image_split"),
            models.Index(fields=["campaign", "id"], name="image_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def photo_name(self) -> str:
        """Return the name of the original bytes in the photo storage."""
        return storage.photo_name(self.sha256, self.suffix)

    @property
    def thumbnail_name(self) -> str:
        """Return the name of the thumbnail in the photo storage."""
        return storage.thumbnail_name(self.sha256)


class Assignment(models.Model):
    """A lease of one photo to one annotator, with its current state."""

    class State(models.TextChoices):
        LEASED = "leased", "leased"
        DONE = "done", "done"
        SKIPPED = "skipped", "skipped"
        EXPIRED = "expired", "expired"
        RETURNED = "returned", "returned"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="assignments")
    image = models.ForeignKey(Image, models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=8, choices=State.choices, default=State.LEASED)
    lane = models.CharField(max_length=40, default="random", help_text="The queue lane that chose the photo.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why the lane chose the photo, as text for people.")
    acquisition_probability = models.FloatField(
        null=True,
        blank=True,
        help_text="Probability of this photo in this draw. Empty when nothing was drawn.",
    )
    saw_prediction = models.BooleanField(default=False, help_text="The prediction was shown before the answer.")
    is_repeat = models.BooleanField(
        default=False, help_text="A hidden repeat: the annotator answered this photo before."
    )
    is_anchored = models.BooleanField(
        default=False, help_text="Drawn into the anchoring experiment: the prediction is shown before the answer."
    )
    leased_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "annotator", "is_repeat"], name="assignment_once")]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="leased"), name="assignment_leased"),
            models.Index(fields=["campaign"], condition=Q(state="skipped"), name="assignment_skipped"),
            models.Index(
                fields=["annotator", "campaign"],
                condition=Q(state__in=["leased", "expired", "returned"]),
                name="assignment_unanswered",
            ),
        ]


class QueueLane(models.Model):
    """When and how workers last wrote the priorities of a queue lane. The lane `random` has no priorities."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="queue_lanes")
    name = models.CharField(max_length=40)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0.0, help_text="Duration of the last refresh.")
    photos = models.PositiveIntegerField(default=0, help_text="Number of photos with a priority.")
    seed = models.PositiveBigIntegerField(default=0, help_text="Random seed of the last refresh.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the input of the last refresh.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name"], name="queue_lane_once")]

    def __str__(self) -> str:
        return self.name


class QueuePriority(models.Model):
    """The priority of one photo in a queue lane: the open photo with the highest priority comes first.

    The rows are derived data. A claim deletes the rows of the photos that it leases, and workers rewrite all rows of a
    lane. The foreign keys have no database constraint: the check would lock each photo's row while a worker writes a
    million rows, and claims skip locked photos. Claims ignore a row whose photo is gone.
    """

    lane = models.ForeignKey(QueueLane, models.CASCADE, db_constraint=False, db_index=False, related_name="priorities")
    image = models.ForeignKey(Image, models.CASCADE, db_constraint=False, db_index=False, related_name="priorities")
    priority = models.FloatField(help_text="Higher comes first.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "lane"], name="priority_once")]
        indexes = [models.Index(fields=["lane", "-priority"], name="priority_order")]


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Named filters for answers. `annotation.answers` defines each of them and says where it is used."""

    def standing(self) -> "AnnotationQuerySet":
        """Return the latest answer or skip of each annotator to each photo, without answers to hidden repeats."""
        return self.filter(answers.STANDING)

    def skips(self) -> "AnnotationQuerySet":
        """Return the standing skips."""
        return self.filter(answers.SKIP)

    def votes(self) -> "AnnotationQuerySet":
        """Return the standing answers without skips."""
        return self.filter(answers.VOTE)

    def independent_votes(self) -> "AnnotationQuerySet":
        """Return the votes given before the annotator saw a prediction."""
        return self.filter(answers.INDEPENDENT_VOTE)

    def votes_for_evaluation(self) -> "AnnotationQuerySet":
        """Return the independent votes on photos whose expected answer is not shown to annotators."""
        return self.filter(answers.VOTE_FOR_EVALUATION)

    def repeat_answers(self) -> "AnnotationQuerySet":
        """Return the standing answers to hidden repeats, without skips."""
        return self.filter(answers.REPEAT_ANSWER)

    def first_answers(self) -> "AnnotationQuerySet":
        """Return the first answer of each annotator to each photo, even if corrected later; no repeats, no skips."""
        return self.filter(answers.FIRST_ANSWER)


class Annotation(models.Model):
    """One answer or skip of one annotator for one photo. Rows are never changed or deleted.

    A correction is a new row that `supersedes` the previous one. The standing answer of an annotator is the row that
    no other row supersedes. An answer to a hidden repeat does not supersede the first answer and is not a vote: it
    only measures self-agreement.
    """

    class Watch(models.TextChoices):
        YES = "yes", "watch"
        NO = "no", "no watch"
        UNSURE = "unsure", "unsure"

    client_id = models.UUIDField(
        unique=True, help_text="Chosen by the client, so that the same answer sent twice is recorded once."
    )
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="annotations")
    image = models.ForeignKey(Image, models.PROTECT, related_name="annotations")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="annotations")
    watch = models.CharField("watch label", max_length=6, choices=Watch.choices, blank=True)
    score = models.PositiveSmallIntegerField("opinion score", null=True, blank=True)
    skip_reason = models.CharField(max_length=200, blank=True, help_text="Set when the annotator skipped the photo.")
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    saw_prediction = models.BooleanField(default=False, help_text="Such answers are never used for evaluation.")
    is_repeat = models.BooleanField(default=False, help_text="Answer to a hidden repeat; it is not a vote.")
    is_anchored = models.BooleanField(
        default=False, help_text="Part of the anchoring experiment: the prediction was shown before the answer."
    )
    surplus = models.BooleanField(default=False, help_text="Arrived when the photo no longer needed this answer.")
    milliseconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="Time from showing the photo to the answer."
    )
    viewing = models.JSONField(default=dict, blank=True, help_text="Viewport, pixel ratio, zoom, input device.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "annotator", "is_repeat"], condition=Q(supersedes=None), name="annotation_first_once"
            ),
            models.CheckConstraint(
                condition=Q(skip_reason="", score__isnull=False) & ~Q(watch="")
                | ~Q(skip_reason="") & Q(score=None, watch=""),
                name="annotation_answers_or_skips",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "annotator", "-id"], name="annotation_history"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row. Raises ValidationError when the row exists already."""
        if not self._state.adding:
            raise ValidationError("Annotations cannot be changed. Record a new one that supersedes this one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise ValidationError: annotations cannot be deleted."""
        raise ValidationError("Annotations cannot be deleted.")
