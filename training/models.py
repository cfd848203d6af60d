"""Training runs, evaluations and promotions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from annotation.models import Campaign, FiguresRow
from inference.models import ModelVersion


class TrainingRun(models.Model):
    """A request to train a model version on the annotations of a campaign, with its progress and result."""

    class Trigger(models.TextChoices):
        BUTTON = "button", gettext_lazy("button")
        SCHEDULE = "schedule", gettext_lazy("schedule")
        COUNT = "count", gettext_lazy("new annotations")
        COMMAND = "command", gettext_lazy("command line")
        API = "api", gettext_lazy("API")
        BACKBONE = "backbone", gettext_lazy("another backbone")
        DRIFT = "drift", gettext_lazy("drift of photos")

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        SKIPPED = "skipped", gettext_lazy("skipped: nothing new")
        CANCELLED = "cancelled", gettext_lazy("cancelled")
        FAILED = "failed", gettext_lazy("failed")

    LIVE = (State.QUEUED, State.RUNNING)

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="training_runs")
    number = models.PositiveIntegerField(default=0, editable=False, help_text="1, 2, … within the campaign.")
    trigger = models.CharField(max_length=8, choices=Trigger.choices)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, help_text="Why the run was requested, if the trigger does not say it.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    seed = models.PositiveBigIntegerField(default=1)
    recipe = models.JSONField(default=dict, blank=True, help_text="Recipe with its version and settings.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the frozen answers.")
    annotation_count = models.PositiveIntegerField(default=0, help_text="Number of frozen answers.")
    histogram_count = models.PositiveIntegerField(
        default=0, help_text="Photos with an imported histogram of votes, which it learned from too."
    )
    label_count = models.PositiveIntegerField(
        default=0, help_text="Photos with an imported watch label, which it learned from too."
    )
    decision_count = models.PositiveIntegerField(
        default=0, help_text="Photos where a reviewer's decision stood in place of the votes."
    )
    exposed_decision_count = models.PositiveIntegerField(
        default=0,
        help_text="Those of them that were decided or changed when predictions were, or may have been, visible.",
    )
    last_annotation_id = models.BigIntegerField(default=0, help_text="Newest annotation when the answers were frozen.")
    # Fencing: the process that works on the run has an attempt number and may write only while it is the current one.
    attempt = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    stage = models.CharField(max_length=120, blank=True, help_text="What the run is doing now.")
    steps = models.JSONField(
        default=list, blank=True, help_text="When each step of the newest attempt began: [{name, at}]."
    )
    history = models.JSONField(default=list, blank=True, help_text="Loss per epoch: [{epoch, train, validation}].")
    peak_memory = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Bytes of the training process at most; empty if nobody watched it."
    )
    message = models.TextField(blank=True, help_text="How the run ended, and why.")
    challenger = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, blank=True, related_name="runs")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("training run"), gettext_lazy("training runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(state__in=["queued", "running"]), name="one_live_run"
            ),
            models.UniqueConstraint(fields=["campaign", "number"], name="run_number_of_a_campaign"),
        ]

    def __str__(self) -> str:
        return f"run {self.number} of {self.campaign}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the run; a new one gets the next number. Raises IntegrityError if another request took it just now."""
        if self._state.adding and not self.number:
            runs = TrainingRun.objects.filter(campaign=self.campaign_id)
            self.number = (runs.aggregate(last=Max("number"))["last"] or 0) + 1
        super().save(*args, **kwargs)

    @property
    def duration(self) -> timedelta | None:
        """Return how long the newest attempt has worked; None before it began."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def log(self) -> Path:
        """Return the path of the log of the newest attempt. Runs of the command line have none."""
        return self.folder / f"attempt-{self.attempt}.log"

    @property
    def folder(self) -> Path:
        """Return the folder with the frozen answers and the logs of the run."""
        return Path(settings.MODELS_ROOT) / "runs" / str(self.pk)

    @property
    def checkpoint_folder(self) -> Path:
        """Return the folder with the state of unfinished learning, from which a later attempt continues."""
        return self.folder / "checkpoint"


class HoldoutLook(models.Model):
    """A comparison of a challenger with the champion on the holdout votes of that time.

    The promotion rule needs a clearer result at each further look at one holdout (`training.evaluation.looks`). The
    rows stay when the versions are deleted. The same comparison, made again, is the same look.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="holdout_looks")
    version = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, related_name="+")
    against = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, related_name="+")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the holdout votes.")
    image_ids = ArrayField(models.BigIntegerField(), help_text="The photos that were compared.")
    number = models.PositiveIntegerField(help_text="1 for the first look at this holdout with this champion.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "against", "fingerprint"], name="one_look_per_comparison")
        ]

    def __str__(self) -> str:
        return f"look {self.number} of {self.campaign}"


class Evaluation(models.Model):
    """Metrics of a model version on the holdout votes of that time."""

    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="evaluations")
    run = models.ForeignKey(TrainingRun, models.SET_NULL, null=True, blank=True, related_name="evaluations")
    against = models.ForeignKey(
        ModelVersion,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The champion that it was compared with.",
    )
    image_count = models.PositiveIntegerField()
    vote_count = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the holdout votes.")
    settings = models.JSONField(
        default=dict,
        help_text="The campaign's scale, class limits and watch threshold at that time. Empty in old evaluations.",
    )
    metrics = models.JSONField(help_text="{name: {value, low, high, n, groups, error}} with 95 % bootstrap intervals.")
    differences = models.JSONField(
        default=dict, blank=True, help_text="Differences from the champion, in the same form, from a paired bootstrap."
    )
    look = models.ForeignKey(
        HoldoutLook,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="evaluations",
        help_text="Empty without a champion to compare with, and for versions that are older than the champion.",
    )
    findings = models.JSONField(
        default=list,
        blank=True,
        help_text="Faults of the challenger or of the votes: [{kind, decision, text}], some with annotators.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("evaluation"), gettext_lazy("evaluations")
        ordering = ["-id"]


class EvaluationRequest(models.Model):
    """A request to evaluate all versions of a campaign. The row is deleted when a worker has done it."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="evaluation_request")
    requested_at = models.DateTimeField()
    champion_only = models.BooleanField(
        default=False, help_text="Evaluate the champion only, because votes or settings have changed."
    )
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="Last sign of the worker that evaluates.")
    attempts = models.PositiveSmallIntegerField(default=0)
    message = models.TextField(blank=True, help_text="Why the last attempt failed.")

    def __str__(self) -> str:
        return f"evaluation of all versions of {self.campaign}"


class Promotion(models.Model):
    """The audit record of a champion change. Rows are never changed."""

    class Kind(models.TextChoices):
        AUTOMATIC = "automatic", gettext_lazy("automatic promotion")
        MANUAL = "manual", gettext_lazy("promotion")
        ROLLBACK = "rollback", gettext_lazy("rollback")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="promotions")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(ModelVersion, models.PROTECT, null=True, blank=True, related_name="+")
    evaluation = models.ForeignKey(Evaluation, models.SET_NULL, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("change of champion"), gettext_lazy("changes of champion")
        ordering = ["-id"]


class DriftCheck(models.Model):
    """A comparison of the photos of one week with those that the champion has learned from. Derived data."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="drift_checks")
    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    since = models.DateTimeField(help_text="Photos that were imported after this time are new.")
    photos = models.JSONField(help_text="Test of the features: the fields of training.evaluation.drift.Drift.")
    scores = models.JSONField(help_text="The same for the predicted scores.")
    weeks = models.JSONField(help_text="Mean predicted score of each week's photos: [{week, mean, low, high, n}].")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"drift of {self.campaign}"


class VersionWork(models.Model):
    """Something about model versions that a worker makes on request, with its progress."""

    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="Last sign of the worker that makes it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    stage = models.CharField(max_length=120, blank=True, help_text="What the worker is doing now.")
    message = models.TextField(blank=True, help_text="Why it failed.")
    made_at = models.DateTimeField(null=True, blank=True, help_text="When it was finished.")

    class Meta:
        abstract = True

    @property
    def is_live(self) -> bool:
        """Return whether a worker is to make it or makes it now."""
        return self.made_at is None and not self.message

    @property
    def percent(self) -> int:
        """Return the progress in whole percent."""
        return round(100 * self.progress)


class VersionExport(VersionWork):
    """A zip of a version for other programs: one ONNX file, its card, and example programs. Derived data."""

    version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="export")
    byte_size = models.PositiveBigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the zip.")

    def __str__(self) -> str:
        return f"export of {self.version}"

    @property
    def path(self) -> Path:
        """Return where the zip is."""
        return Path(settings.MODELS_ROOT) / f"{self.version.campaign_id}/exports/v{self.version.number}.zip"


class VersionComparison(VersionWork):
    """Two versions of a campaign on the same holdout photos. Derived data."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="version_comparisons")
    first = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    second = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    result = models.JSONField(default=dict, blank=True, help_text="The fields of training.evaluation.version_pair.")

    class Meta:
        ordering = ["-requested_at"]
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="one_comparison_of_a_pair")]

    def __str__(self) -> str:
        return f"{self.first} beside {self.second}"


class StoredCalibration(FiguresRow):
    """The figures of the calibration page of one version and one choice of filters. Derived data."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="stored_calibrations", db_index=False)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    filters = models.JSONField(
        default=dict, blank=True, help_text="The fields of training.evaluation.calibration.filters.Filters."
    )
    filters_key = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the filters.")
    asked_at = models.DateTimeField(
        default=timezone.now,
        help_text="When a page last showed it, to the hour. Rows that nobody asks for are deleted.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "filters_key"], name="calibration_once")]
        indexes = [models.Index(fields=["campaign", "-asked_at"], name="calibration_asked")]

    def __str__(self) -> str:
        return f"calibration of {self.version}"


class StoredTrend(FiguresRow):
    """Every metric of a campaign's versions on the same photos. Derived data."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="stored_trend")

    def __str__(self) -> str:
        return f"versions of {self.campaign} over time"


class StoredChoice(FiguresRow):
    """Whether a campaign's choice of photos pays, for the page Next photos. Derived data."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="stored_choice")

    def __str__(self) -> str:
        return f"choice of photos of {self.campaign}"


class LearningCurve(models.Model):
    """A request to measure the learning curve of a campaign, with its progress and result. Derived data.

    A campaign keeps its newest result until a newer one is there.
    """

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")

    LIVE = (State.QUEUED, State.RUNNING)

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="learning_curves")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    seed = models.PositiveBigIntegerField(default=1)
    # Fencing, as in TrainingRun.
    attempt = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0.0, help_text="0 … 1")
    message = models.TextField(blank=True, help_text="Why it failed, or what is missing.")
    result = models.TextField(
        blank=True, help_text="training.evaluation.curve_gain.CurveReport as text. Empty with too few answers."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(state__in=["queued", "running"]), name="one_live_curve"
            )
        ]

    def __str__(self) -> str:
        return f"learning curve of {self.campaign}"

    @property
    def log(self) -> Path:
        """Return the path of the log of the process that measures it."""
        return Path(settings.MODELS_ROOT) / "curves" / f"{self.pk}.log"
