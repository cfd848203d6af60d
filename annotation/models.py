"""Campaigns, photos, and what people said about them.

`Annotation` is append-only. Counters on `Image` are kept for speed only and can be rebuilt from the
assignments and annotations (`annotation.services.queue.counters_rebuild`).
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
    """A person, or a program that plays one and is labelled as such wherever it appears."""

    is_simulated = models.BooleanField(
        "simulated", default=False, help_text="A program that plays an annotator, for demos and tests."
    )
    key_bindings = models.JSONField(
        default=dict, blank=True, help_text="Keys of the annotate page that the person has changed: {action: key}."
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
    """One question put to people and models about one set of photos."""

    class State(models.TextChoices):
        ACTIVE = "active", "active"
        PAUSED = "paused", "paused"
        CLOSED = "closed", "closed"

    class Mode(models.TextChoices):
        BLIND = "blind", "blind: the prediction is never shown"
        REVEAL = "reveal", "reveal: the prediction and the others' mean are shown after the answer"
        PRELABEL = "prelabel", "prelabel: the prediction is shown before the answer (kept out of evaluation)"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    instructions = models.TextField(blank=True, help_text="What annotators read before they begin.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.REVEAL)
    scale_min = models.PositiveSmallIntegerField("lowest score", default=1)
    scale_max = models.PositiveSmallIntegerField("highest score", default=10, validators=[MaxValueValidator(100)])
    synsets = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(999)]),
        default=default_synsets,
        help_text="ImageNet class indices whose probabilities are added up to the watch probability.",
    )
    watch_threshold = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="A photo shows a watch above this watch probability.",
    )
    reject_at = models.FloatField("rejected up to", default=5.0)
    pending_at = models.FloatField("pending up to", default=6.0)
    votes_per_image = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    holdout_votes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text="Votes per holdout photo; more make evaluation sharper."
    )
    holdout_fraction = models.FloatField(
        default=0.2, validators=[MinValueValidator(0.0), MaxValueValidator(0.9)], help_text="Drawn at import."
    )
    seed = models.PositiveBigIntegerField(default=20260101, help_text="Fixes the holdout draw.")
    repeat_share = models.FloatField(
        "hidden repeats",
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.3)],
        help_text="Share of photos that come to an annotator a second time, unmarked, to measure self-agreement.",
    )
    gold_share = models.FloatField(
        "gold photos",
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.3)],
        help_text="Share of photos whose answer is known, while there are gold photos the annotator has not seen.",
    )
    anchoring_share = models.FloatField(
        "anchoring experiment",
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text="Share of photos that show the prediction first, to measure how much it sways people.",
    )
    lane_shares = models.JSONField(
        "queue lanes",
        default=default_lane_shares,
        help_text="Share of each queue lane among the rated photos: {lane: share}; the shares add up to 1.",
    )
    break_minutes = models.PositiveSmallIntegerField(
        "break after", default=30, help_text="Minutes of rating after which the page suggests a break; 0: never."
    )
    lease_seconds = models.PositiveIntegerField(default=300, validators=[MinValueValidator(10)])
    train_after = models.PositiveIntegerField(
        default=200, help_text="New annotations that start a training run by themselves; 0: never."
    )
    promote_automatically = models.BooleanField(
        default=False,
        help_text="Promote a challenger whose rank correlation on the holdout is better with 95 % confidence.",
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
        """Return whether a program plays one of the members, which every page of the campaign says."""
        return self.memberships.filter(user__is_simulated=True).exists()


class Membership(models.Model):
    """A user's role in a campaign."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.ANNOTATOR)
    joined_at = models.DateTimeField(auto_now_add=True)
    practised_at = models.DateTimeField(null=True, blank=True, help_text="When the practice photos were finished.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.campaign}"


class Invitation(models.Model):
    """A link with which people join a campaign by themselves. Only a hash of its secret is kept."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="invitations")
    token_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.ANNOTATOR)
    note = models.CharField(max_length=120, blank=True, help_text="Whom it is for.")
    places = models.PositiveIntegerField(default=1, help_text="So many people can join with it.")
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
    source = models.CharField(max_length=500, help_text="Folder or zip the files come from.")
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
        """Return how many files have been looked at."""
        return self.added + self.duplicates + self.rejected


class ImportRejection(models.Model):
    """A file that was not imported, and why."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rejections")
    name = models.CharField(max_length=500)
    reason = models.TextField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["batch", "name"], name="rejection_once")]


#: Photos that the open queue hands out until they have their votes.
QUEUED = Q(problem="", role="rated")


class Image(models.Model):
    """One photo of a campaign: the original bytes, kept by content."""

    class Split(models.TextChoices):
        TRAIN = "train", "train"
        HOLDOUT = "holdout", "holdout"

    class Role(models.TextChoices):
        RATED = "rated", "rated"
        PRACTICE = "practice", "practice: shown before the first rated photo; answers are not kept"
        EXAMPLE = "example", "example: shown with the instructions"
        GOLD = "gold", "gold: its answer is known; it is mixed in unmarked"

    TAUGHT = answers.TAUGHT

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="images")
    batch = models.ForeignKey(ImportBatch, models.SET_NULL, null=True, blank=True, related_name="images")
    name = models.CharField(max_length=500, help_text="File name at import.")
    sha256 = models.CharField(max_length=64)
    suffix = models.CharField(max_length=5, help_text="File ending by content, with the dot.")
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="Pixels, as shown (EXIF orientation applied).")
    height = models.PositiveIntegerField(help_text="Pixels, as shown (EXIF orientation applied).")
    phash = models.BigIntegerField(help_text="64-bit perceptual hash, as a signed number.")
    group = models.UUIDField(default=uuid.uuid4, db_index=True, help_text="Near-duplicates share one.")
    split = models.CharField(max_length=7, choices=Split.choices, default=Split.TRAIN)
    votes_needed = models.PositiveSmallIntegerField(default=3)
    open_slots = models.SmallIntegerField(default=3, help_text="Kept: votes needed less votes and live leases.")
    vote_count = models.PositiveIntegerField(default=0, help_text="Kept: annotators with a standing answer.")
    queue_position = models.FloatField(help_text="Uniform in [0, 1); the queue probes it at random.")
    role = models.CharField(
        max_length=8, choices=Role.choices, default=Role.RATED, help_text="Only rated photos are in the open queue."
    )
    expected_watch = models.CharField(max_length=6, blank=True, help_text="Known answer; unless the photo is rated.")
    expected_score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Known answer; unless the photo is rated."
    )
    guidance = models.CharField(max_length=300, blank=True, help_text="What a practice or example photo teaches.")
    problem = models.TextField(blank=True, help_text="Why nobody is asked about it any more, e.g. reported broken.")
    details = models.JSONField(default=dict, blank=True, help_text="E.g. the known degradation of a demo photo.")
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
        """Return the name of the small copy for galleries in the photo storage."""
        return storage.thumbnail_name(self.sha256)


class Assignment(models.Model):
    """A lease of one photo to one annotator, and what became of it."""

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
    lane = models.CharField(max_length=40, default="random", help_text="Which lane of the queue chose the photo.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why the lane chose it, for people.")
    acquisition_probability = models.FloatField(
        null=True,
        blank=True,
        help_text="With which the draw had to give this photo to this annotator; empty where nothing was drawn.",
    )
    saw_prediction = models.BooleanField(default=False, help_text="The prediction was shown before the answer.")
    is_repeat = models.BooleanField(default=False, help_text="A hidden repeat: the annotator had answered before.")
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
    """The last time that workers wrote the priorities of a queue lane. The lane `random` needs none."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="queue_lanes")
    name = models.CharField(max_length=40)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0.0, help_text="What the last refresh took.")
    photos = models.PositiveIntegerField(default=0, help_text="Photos that were given a priority.")
    seed = models.PositiveBigIntegerField(default=0, help_text="Of the random numbers of the last refresh.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what the priorities were made of.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name"], name="queue_lane_once")]

    def __str__(self) -> str:
        return self.name


class QueuePriority(models.Model):
    """The place of one photo in a queue lane: the open photo with the highest priority comes first.

    Derived: a row is deleted when its photo is handed out, and workers write all rows of a lane anew. The foreign keys
    are not checked by the database: a check would lock each photo's row while a million rows are written, and claims
    would pass over locked photos. A row without its photo is never found by a claim.
    """

    lane = models.ForeignKey(QueueLane, models.CASCADE, db_constraint=False, db_index=False, related_name="priorities")
    image = models.ForeignKey(Image, models.CASCADE, db_constraint=False, db_index=False, related_name="priorities")
    priority = models.FloatField(help_text="Higher comes first.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "lane"], name="priority_once")]
        indexes = [models.Index(fields=["lane", "-priority"], name="priority_order")]


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Which answers count, by name; `annotation.answers` defines each and says who asks for it."""

    def standing(self) -> "AnnotationQuerySet":
        """Return what annotators said last, answers and skips, without the answers to hidden repeats."""
        return self.filter(answers.STANDING)

    def skips(self) -> "AnnotationQuerySet":
        """Return the standing skips."""
        return self.filter(answers.SKIP)

    def votes(self) -> "AnnotationQuerySet":
        """Return the answers that count: standing, and no skips."""
        return self.filter(answers.VOTE)

    def independent_votes(self) -> "AnnotationQuerySet":
        """Return the votes given before the annotator saw a prediction."""
        return self.filter(answers.INDEPENDENT_VOTE)

    def votes_for_evaluation(self) -> "AnnotationQuerySet":
        """Return the independent votes on photos whose expected answer nobody is taught."""
        return self.filter(answers.VOTE_FOR_EVALUATION)

    def repeat_answers(self) -> "AnnotationQuerySet":
        """Return the standing answers to hidden repeats, without skips."""
        return self.filter(answers.REPEAT_ANSWER)

    def first_answers(self) -> "AnnotationQuerySet":
        """Return what annotators answered at first, corrected since or not, without hidden repeats and skips."""
        return self.filter(answers.FIRST_ANSWER)


class Annotation(models.Model):
    """What one annotator said about one photo at one time. Rows are never changed or deleted.

    A correction is a new row that `supersedes` the one before it. The standing answer of an
    annotator is the row that no other row supersedes. Answers to hidden repeats stand beside it and
    are no votes: they only measure how well the annotator agrees with themselves.
    """

    class Watch(models.TextChoices):
        YES = "yes", "watch"
        NO = "no", "no watch"
        UNSURE = "unsure", "unsure"

    client_id = models.UUIDField(unique=True, help_text="Made by the sender, so that sending twice records once.")
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="annotations")
    image = models.ForeignKey(Image, models.PROTECT, related_name="annotations")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="annotations")
    watch = models.CharField("watch label", max_length=6, choices=Watch.choices, blank=True)
    score = models.PositiveSmallIntegerField("opinion score", null=True, blank=True)
    skip_reason = models.CharField(max_length=200, blank=True, help_text="Set when the annotator passed.")
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    saw_prediction = models.BooleanField(default=False, help_text="Such answers never enter evaluation.")
    is_repeat = models.BooleanField(default=False, help_text="Answers a hidden repeat; such answers are no votes.")
    is_anchored = models.BooleanField(default=False, help_text="Given in the anchored share of the experiment.")
    surplus = models.BooleanField(default=False, help_text="Came after its lease had gone to somebody else.")
    milliseconds = models.PositiveIntegerField(null=True, blank=True, help_text="From shown to answered.")
    viewing = models.JSONField(default=dict, blank=True, help_text="Viewport, pixel ratio, zoom, kind of input.")
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
        """Insert the row. Raises ValidationError when it is in the table already."""
        if not self._state.adding:
            raise ValidationError("Annotations are never changed; record a new one that supersedes this one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises ValidationError: annotations stay."""
        raise ValidationError("Annotations are never deleted.")
