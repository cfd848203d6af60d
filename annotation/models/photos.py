"""Photos of a campaign, and the imports that brought them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Collate, Lower
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from annotation import answers
from annotation.models.campaigns import Campaign
from annotation.photos import storage
from annotation.photos.decoding_version import DECODING_VERSION


class ImportBatch(models.Model):
    """One import of photos, from an upload or the command line."""

    class State(models.TextChoices):
        RECEIVING = "receiving", gettext_lazy("receiving files")
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    source = models.CharField(max_length=500, help_text="Folder or zip that the files come from.")
    total = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    repaired = models.PositiveIntegerField(
        default=0, help_text="Of the duplicates: photos whose stored files were missing or damaged and were replaced."
    )
    rejected = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0, help_text="Number of complete files of an upload.")
    message = models.TextField(blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("import"), gettext_lazy("imports")
        ordering = ["-id"]

    @property
    def title(self) -> str:
        """Return what pages call the import: the day of an upload, or the folder or zip without its path."""
        if self.source == "upload":
            return gettext("Upload of %(time)s") % {
                "time": date_format(timezone.localtime(self.created_at), "j M Y, H:i")
            }
        name = self.source.rstrip("/").rpartition("/")[2]
        if name != self.source:
            return name if name.lower().endswith(".zip") else gettext("Folder %(name)s") % {"name": name}
        return f"{name[:1].upper()}{name[1:]}"

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
        verbose_name, verbose_name_plural = gettext_lazy("rejected file"), gettext_lazy("rejected files")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["batch", "name"], name="rejection_once")]


#: `Image.problem` of a withdrawn photo.
WITHDRAWN_PROBLEM = "This photo was withdrawn."
#: `Image.problem` of a photo without an original in a campaign that was opened again.
DELETED_PROBLEM = "The original of this photo was deleted for good."
#: Photos that somebody can still see, or could see again.
LIVE = Q(withdrawn_at=None)
#: Photos whose original is kept.
HAS_ORIGINAL = Q(withdrawn_at=None, original_deleted_at=None)
#: `Image.problem` of photos that models learn from and are measured on: not lost, damaged or reported. Photos whose
#: originals were deleted at the end of the retention time stay: nothing was wrong with them.
SOUND_PROBLEMS = ("", DELETED_PROBLEM)
#: Photos that are left out of learning and of evaluation. Few: they have an index.
UNSOUND = ~Q(problem__in=SOUND_PROBLEMS)
#: Photos that annotators are asked to rate: rated photos without a problem.
QUEUED = Q(problem="", role="rated")

#: The file name of a photo without its folders, in lower case, for the search. The collation "C" lets the index find
#: names by their beginning in every database.
FILE_NAME = Collate(Lower(Func(F("name"), Value("^.*/"), Value(""), function="regexp_replace")), "C")


class Image(models.Model):
    """One photo of a campaign. Its original bytes are in the photo storage, named by their SHA-256."""

    class Split(models.TextChoices):
        TRAIN = "train", gettext_lazy("train")
        HOLDOUT = "holdout", gettext_lazy("holdout")
        NEITHER = "neither", gettext_lazy("neither: a copy of a photo of the other split")

    class Role(models.TextChoices):
        RATED = "rated", gettext_lazy("rated")
        PRACTICE = "practice", gettext_lazy("practice: shown before the first rated photo; answers are not saved")
        EXAMPLE = "example", gettext_lazy("example: shown with the instructions")
        GOLD = "gold", gettext_lazy("gold: its answer is known; annotators are not told which photos are gold")

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
    extra_votes = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Of the votes needed: those that a reviewer has asked for (`VoteRequest`)."
    )
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
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="Withdrawn photos are shown to nobody and used for nothing. See `Withdrawal`."
    )
    original_deleted_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the original is kept.")
    decoding = models.PositiveSmallIntegerField(
        default=DECODING_VERSION,
        help_text="Version of the decoding that made what is stored about the photo (annotation.photos).",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("photo"), gettext_lazy("photos")
        constraints = [models.UniqueConstraint(fields=["campaign", "sha256"], name="image_once")]
        indexes = [
            models.Index(
                fields=["campaign", "queue_position"],
                condition=QUEUED & Q(open_slots__gt=0),
                name="image_open",
            ),
            models.Index(fields=["campaign", "role"], condition=~Q(role="rated"), name="image_special"),
            models.Index(fields=["campaign", "split"], name="image_split"),
            models.Index(fields=["campaign"], condition=Q(withdrawn_at__isnull=False), name="image_withdrawn"),
            models.Index(fields=["campaign"], condition=UNSOUND, name="image_unsound"),
            models.Index(fields=["campaign", "id"], name="image_newest"),
            models.Index(fields=["campaign", "vote_count", "id"], name="image_votes"),
            models.Index(fields=["id"], condition=Q(decoding__lt=DECODING_VERSION), name="image_decoded_before"),
            models.Index(F("campaign"), FILE_NAME, name="image_file_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_file_problem(self) -> bool:
        """Return whether it is out of the queue because its original is missing or damaged."""
        return self.problem.startswith(storage.FILE_PROBLEM)

    @property
    def photo_name(self) -> str:
        """Return the name of the original bytes in the photo storage."""
        return storage.photo_name(self.sha256, self.suffix)

    @property
    def thumbnail_name(self) -> str:
        """Return the name of the thumbnail in the photo storage."""
        return storage.thumbnail_name(self.sha256)


class Withdrawal(models.Model):
    """Why a photo was withdrawn. Deleted when the photo is put back; kept when the files are deleted."""

    image = models.OneToOneField(Image, models.CASCADE, related_name="withdrawal")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    problem = models.TextField(blank=True, help_text="`Image.problem` before; it comes back with the photo.")

    files_deleted_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the photo can be put back.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["at"], condition=Q(files_deleted_at=None), name="withdrawal_with_files")]

    def __str__(self) -> str:
        return f"{self.image} withdrawn"
