"""Model versions, and what they and the detectors compute for each photo."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from annotation.models import Campaign, Image
from inference.decision_models import DecisionCheck as DecisionCheck
from inference.decision_models import DecisionRule as DecisionRule
from inference.decision_models import DecisionRun as DecisionRun
from inference.postgres.bit_field import BitField

# Columns of ModelVersion that may change after the insert.
_MUTABLE = {"is_champion", "note", "files_deleted_at"}


#: `recipe["name"]` of the shipped prior, which nobody has trained on the answers of the campaign.
PRIOR_NAME = "shipped prior"


class ModelVersion(models.Model):
    """A pair of trained heads. It never changes, except for `is_champion`, the note, and the deletion of its files."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="model_versions")
    number = models.PositiveIntegerField(help_text="1, 2, … within the campaign; 1 is the shipped prior.")
    backbone = models.CharField(
        max_length=80, help_text="Key of the backbone whose features it reads: name and checksum."
    )
    folder = models.CharField(max_length=200, help_text="Folder of its files, relative to MODELS_ROOT.")
    checksum = models.CharField(max_length=64, help_text="SHA-256 of heads.onnx.")
    recipe = models.JSONField(default=dict, help_text="Losses, settings, seed, code version.")
    data_fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Fingerprint of the annotations it was trained on."
    )
    figures = models.JSONField(default=dict, blank=True, help_text="Metrics measured during training.")
    watch_threshold = models.FloatField(
        null=True,
        help_text="The version decides 'watch' above this watch probability; null: the campaign's threshold.",
    )
    class_stretch = models.FloatField(
        default=1.0,
        help_text="For the quality class, a predicted mean m counts as class_shift + class_stretch·m: predicted means "
        "are less spread than mean opinion scores.",
    )
    class_shift = models.FloatField(default=0.0)
    is_champion = models.BooleanField(default=False)
    note = models.TextField(blank=True, max_length=4000, help_text="What reviewers say about it.")
    files_deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="When its files were deleted to save space; empty: it has them."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("model version"), gettext_lazy("model versions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="model_version_number"),
            models.UniqueConstraint(fields=["campaign"], condition=Q(is_champion=True), name="one_champion"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.number}"

    @property
    def path(self) -> Path:
        """Return the folder with heads.onnx, heads.safetensors and card.json."""
        return Path(settings.MODELS_ROOT) / self.folder

    @property
    def deletion_text(self) -> str:
        """Return when its files were deleted, as a sentence; "" if it has them."""
        if self.files_deleted_at is None:
            return ""
        when = timezone.localtime(self.files_deleted_at)
        return f"The files of version {self.number} were deleted on {when:%-d %b %Y} to save space."

    @cached_property
    def synsets(self) -> list[int]:
        """Return the classes that it counts as a watch, in the order of `synset_probabilities`; [] if unknown.

        Versions from before the recipe had them are looked up in their card.
        """
        return list(self.recipe.get("synsets") or self._heads_card.get("synsets") or [])

    @cached_property
    def bins(self) -> int | None:
        """Return the number of scores that it predicts; None if unknown."""
        return self.recipe.get("bins") or self._heads_card.get("bins")

    @cached_property
    def _heads_card(self) -> dict[str, Any]:
        try:
            heads: dict[str, Any] = json.loads((self.path / "card.json").read_text())["heads"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # missing or damaged files are reported where they are used
        return heads

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row, or change the columns that may change. Raises ValidationError for any other change."""
        if not self._state.adding:
            fields = set(kwargs.get("update_fields") or ["everything"])
            if not fields <= _MUTABLE:
                raise ValidationError("A model version never changes; train a new one.")
        super().save(*args, **kwargs)


class PhotoWork(models.Model):
    """The state of one photo in the work queue of one algorithm."""

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")
        CANCELLED = "cancelled", gettext_lazy("cancelled")

    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(blank=True, help_text="Why it failed.")
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # No foreign keys: they only say whose turn it is, and an import may be deleted.
    turn_campaign = models.PositiveBigIntegerField(
        default=0, help_text="Id of the photo's campaign when it was queued."
    )
    turn_import = models.PositiveBigIntegerField(
        default=0, help_text="Id of the photo's import when it was queued; 0 for none."
    )

    class Meta:
        abstract = True


def _queue_indexes(key: str, name: str) -> list[models.Index]:
    """Return the indexes of a work queue: of the queued photos by turn, and of the claimed ones by time."""
    turns = [key, "turn_campaign", "turn_import", "id"]
    return [
        models.Index(fields=turns, condition=Q(state="queued"), name=f"{name}_queued"),
        models.Index(fields=[key, "claimed_at"], condition=Q(state="running"), name=f"{name}_claimed"),
    ]


class Feature(PhotoWork):
    """Features of one photo from one backbone, and the photo's state in the features queue."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="features")
    backbone = models.CharField(max_length=80)
    vector = models.BinaryField(null=True, help_text="Little-endian float16, one number per feature.")

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("feature"), gettext_lazy("features")
        constraints = [models.UniqueConstraint(fields=["image", "backbone"], name="feature_once")]
        indexes = _queue_indexes("backbone", "feature")


class Signature(models.Model):
    """256 bits computed from the features of a photo. Similar photos differ in few bits.

    Derived data: the sweep computes missing rows (`inference.services.similarity`).
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", help_text="The campaign of the photo.")
    image = models.ForeignKey(Image, models.CASCADE, related_name="signatures")
    key = models.CharField(max_length=100, help_text="Backbone key and the seed of the projection.")
    bits = BitField(length=256)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "key"], name="signature_once")]
        indexes = [models.Index(fields=["campaign", "key"], name="signature_campaign")]


class ComparedPhoto(models.Model):
    """A photo whose hash and features were compared with those of its campaign, to find near-duplicates.

    Derived data: the sweep compares the photos without a row (`inference.services.near_duplicates`).
    """

    image = models.ForeignKey(Image, models.CASCADE, related_name="comparisons")
    key = models.CharField(max_length=100, help_text="Backbone key and version of the rule.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "key"], name="compared_once")]

    def __str__(self) -> str:
        return f"{self.image_id} compared"


class QualityClass(models.TextChoices):
    """The three quality classes, by predicted quality or by distortions."""

    REJECTED = "rejected", gettext_lazy("rejected")
    PENDING = "pending", gettext_lazy("pending")
    ACCEPTED = "accepted", gettext_lazy("accepted")


class Distortion(PhotoWork):
    """Measurements of the four distortion detectors for one photo; numbers are null until the state is done."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="distortions")
    version = models.PositiveSmallIntegerField(help_text="Version of the algorithm (inference.distortion).")
    blur = models.FloatField(null=True, help_text="0 … 1, larger is worse. The same holds for the next three.")
    noise = models.FloatField(null=True)
    exposure = models.FloatField(null=True)
    compression = models.FloatField(null=True)
    laplacian_variance = models.FloatField(null=True, help_text="Variance of the Laplacian; larger is sharper.")
    quality = models.FloatField(null=True, help_text="Combined quality, 0 … 100; larger is better.")
    quality_class = models.CharField(max_length=8, choices=QualityClass.choices, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("distortion"), gettext_lazy("distortions")
        constraints = [models.UniqueConstraint(fields=["image", "version"], name="distortion_once")]
        indexes = [
            *_queue_indexes("version", "distortion"),
            # One for each order of the gallery. The photo is the last column, for keyset pagination.
            *(
                models.Index(fields=["version", name, "image"], name=f"distortion_{name}")
                for name in ("quality", "blur", "noise", "exposure", "compression")
            ),
        ]


def quality_class_sql(mean: str, reject_at: Any, pending_at: Any) -> Case:
    """Return an expression for the quality class of a predicted mean; null without a prediction.

    `mean` is its path in the query; `reject_at` and `pending_at` are the class limits on predicted means, numbers or
    expressions. The class is not stored, so it follows the campaign's class limits at once.
    """
    return Case(
        When(**{f"{mean}__lte": reject_at}, then=Value(QualityClass.REJECTED.value)),
        When(**{f"{mean}__lte": pending_at}, then=Value(QualityClass.PENDING.value)),
        When(**{f"{mean}__isnull": False}, then=Value(QualityClass.ACCEPTED.value)),
        output_field=models.CharField(),
    )


class PredictionQuerySet(models.QuerySet["Prediction"]):
    """Predictions with values that are not stored."""

    def with_quality_class(self) -> "PredictionQuerySet":
        """Add `quality_class`: rejected, pending or accepted by the campaign's present class limits.

        Each version has its own limits on predicted means, as `inference.selectors.class_limits` says.
        """
        version = "model_version__"
        limits = (
            (F(f"{version}campaign__{limit}") - F(f"{version}class_shift")) / F(f"{version}class_stretch")
            for limit in ("reject_at", "pending_at")
        )
        return self.annotate(quality_class=quality_class_sql("quality_mean", *limits))


class Prediction(models.Model):
    """Prediction of one model version for one photo."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="predictions")
    watch_probability = models.FloatField()
    synset_probabilities = ArrayField(models.FloatField(), help_text="In the order of the version's synsets.")
    quality_mean = models.FloatField(help_text="On the campaign's scale.")
    quality_std = models.FloatField(help_text="On the campaign's scale.")
    distribution = ArrayField(models.FloatField(), help_text="Probability of each opinion score, lowest first.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("prediction"), gettext_lazy("predictions")
        constraints = [models.UniqueConstraint(fields=["image", "model_version"], name="prediction_once")]
        # The photo is the last column, for keyset pagination in the gallery.
        indexes = [
            models.Index(fields=["model_version", "quality_mean", "image"], name="prediction_quality"),
            models.Index(fields=["model_version", "watch_probability", "image"], name="prediction_watch"),
            models.Index(fields=["model_version", "id"], name="prediction_newest"),
        ]


class Disagreement(models.Model):
    """Difference between a version's prediction and the independent votes for one photo.

    Derived data, stored so that the gallery can sort by it (`inference.services.disagreements`).
    """

    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="disagreements")
    image = models.ForeignKey(Image, models.CASCADE, related_name="disagreements")
    quality = models.FloatField(help_text="|predicted mean - MOS|, in points of the campaign's scale.")
    watch = models.FloatField(null=True, help_text="|watch probability - share of yes among yes and no|, 0 … 1.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "model_version"], name="disagreement_once")]
        indexes = [
            models.Index(fields=["model_version", "quality", "image"], name="disagreement_quality"),
            models.Index(fields=["model_version", "watch", "image"], name="disagreement_watch"),
        ]


class DisagreementMark(models.Model):
    """Which annotations and predictions the disagreements of one version were computed from.

    Ids and counts are enough, because neither kind of row ever changes. Only decisions about annotators change which
    annotations count.
    """

    model_version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="disagreement_mark")
    annotation_id = models.PositiveBigIntegerField(default=0, help_text="Largest annotation id included.")
    annotations = models.PositiveBigIntegerField(
        default=0, help_text="Number of annotations of the campaign up to that id."
    )
    excluded = ArrayField(
        models.BigIntegerField(), default=list, help_text="Annotators whom a reviewer had excluded, ascending."
    )
    prediction_id = models.PositiveBigIntegerField(default=0, help_text="Largest prediction id included.")
    predictions = models.PositiveBigIntegerField(
        default=0, help_text="Number of predictions of the version up to that id."
    )


class WatchVoter(models.Model):
    """How well a version decides about watches, as one more annotator beside people; and what it was computed from.

    Only photos of the holdout count, because the version has learned from the others. Derived data.
    """

    model_version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="watch_voter")
    fit_id = models.PositiveBigIntegerField(help_text="Id of the fit of the people's consensus that it continues.")
    threshold = models.FloatField(help_text="The campaign's threshold at that time.")
    predictions = models.PositiveIntegerField(help_text="Predictions of the version at that time.")
    photos = models.PositiveIntegerField(help_text="Photos of the holdout with watch labels of people.")
    sensitivity = models.FloatField(null=True, help_text="Probability of 'watch' for a watch. Empty: too few photos.")
    specificity = models.FloatField(null=True, help_text="Probability of 'no watch' without a watch.")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model_version} as a voter"


class PersonalFit(models.Model):
    """What the personal lines of a campaign's annotators have in common, and what they were computed from.

    Derived data (`inference.services.personal_lines`). The lines belong to one version, because they start from its
    predictions and read the features of its backbone.
    """

    model_version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="personal_fit")
    annotation_id = models.PositiveBigIntegerField(help_text="Newest annotation of the campaign at that time.")
    answers = models.PositiveIntegerField(help_text="Answers that the lines were learned from.")
    feature_mean = models.BinaryField(help_text="Little-endian float32, one number per feature.")
    feature_spread = models.BinaryField(help_text="Standard deviations, in the same form.")
    centre = models.FloatField(help_text="Mean predicted score of the answered photos.")
    vote_variance = models.FloatField(help_text="Variance of a vote around everybody's mean, in squared points.")
    surprising = models.FloatField(help_text="An answer so many deviations from the expected score gets a hint.")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"personal lines of {self.model_version}"


class PersonalLine(models.Model):
    """What one annotator would answer, beyond what the version predicts; see `inference.personal.line`.

    Only the annotator gets to see anything of it, and only about photos that they have answered.
    """

    fit = models.ForeignKey(PersonalFit, models.CASCADE, related_name="lines")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    answers = models.PositiveIntegerField(help_text="Answers that it was learned from.")
    bias = models.FloatField(help_text="In points of the campaign's scale.")
    gain = models.FloatField(help_text="What the annotator's gain differs from 1.")
    deviation = models.FloatField(help_text="Standard deviation of the answers around the expected ones, in points.")
    weights = models.BinaryField(help_text="Little-endian float32, one number per feature. Empty: too few answers.")
    image_ids = ArrayField(models.BigIntegerField(), help_text="The photos that it was learned from, ascending.")
    left_out = ArrayField(models.FloatField(), help_text="Their expected scores without the answers to them.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fit", "annotator"], name="personal_line_once")]

    def __str__(self) -> str:
        return f"personal line of {self.annotator_id}"


class WatchWithModel(models.Model):
    """The probability of a watch from the votes of people and of one model version. Never used to evaluate a model."""

    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="watch_with_model")
    probability = models.FloatField(help_text="0 … 1")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model_version", "image"], name="watch_with_model_once")]

    def __str__(self) -> str:
        return f"watch label of {self.image_id} with {self.model_version_id}"
