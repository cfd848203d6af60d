"""Imported votes: the imports, the people who gave the votes, and votes that are known only summed up."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from annotation.consensus.labels import majority_label
from annotation.models.campaigns import Campaign
from annotation.models.photos import Image, ImportBatch


class VoteImport(models.Model):
    """One import of one file of votes. Either all rows of the file are stored, or none."""

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="vote_imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    batch = models.ForeignKey(
        ImportBatch,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="label_imports",
        help_text="The import of photos that brought the file.",
    )
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    format = models.CharField(max_length=30, help_text="Name of the exchange format.")
    source = models.CharField(max_length=500, help_text="Name of the file.")
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the file's bytes. Empty until its rows are stored."
    )
    scale_min = models.PositiveSmallIntegerField(help_text="Lowest score of the file.")
    scale_max = models.PositiveSmallIntegerField(help_text="Highest score of the file.")
    is_simulated = models.BooleanField(default=False, help_text="Programs gave the votes, not people.")
    leaves_out_unknown = models.BooleanField(
        default=False, help_text="Votes on photos that the campaign does not have are left out. Otherwise they stop it."
    )
    step = models.CharField(max_length=40, blank=True, help_text="What it does now.")
    done = models.PositiveBigIntegerField(default=0, help_text="Of the present step.")
    total = models.PositiveBigIntegerField(default=0, help_text="Of the present step.")
    rows = models.PositiveIntegerField(default=0, help_text="Rows that were stored.")
    photos = models.PositiveIntegerField(default=0, help_text="Photos with these rows.")
    annotators = models.PositiveIntegerField(default=0, help_text="People who gave the votes. 0 if nobody knows.")
    left_out = models.PositiveIntegerField(default=0, help_text="Rows about photos that the campaign does not have.")
    message = models.TextField(blank=True, help_text="Why it failed.")
    summary = models.TextField(
        blank=True, help_text="What the votes are like, as JSON. Derived; empty until it is counted."
    )
    problems = models.JSONField(default=list, blank=True, help_text="The first lines that are wrong: [[line, why], …]")
    created_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(scale_max__gt=F("scale_min")), name="vote_import_scale_ascends"),
            models.UniqueConstraint(
                fields=["campaign", "sha256"], condition=~Q(sha256=""), name="vote_import_of_a_file_once"
            ),
        ]

    def __str__(self) -> str:
        return self.source


class ImportedAnnotator(models.Model):
    """A person who is known only from imported votes of one campaign. The user cannot log in and is no member."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="imported_annotators")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="imported_as")
    name = models.CharField(max_length=500, help_text="As in the file.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name"], name="imported_annotator_once")]

    def __str__(self) -> str:
        return self.name


class AggregatedVotes(models.Model):
    """What a file says about one photo: how often each score was given, or only the mean, or whether it shows a watch.

    Nobody knows who said so, so they are no answers: they are shown, analysed and exported as aggregated votes. The
    scores are on the scale of the import.
    """

    vote_import = models.ForeignKey(VoteImport, models.CASCADE, related_name="aggregated_votes")
    image = models.ForeignKey(
        Image,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="aggregated_votes",
        help_text="Empty while the campaign does not have the photo.",
    )
    name = models.CharField(max_length=500, help_text="Name of the photo in the file.")
    counts = ArrayField(
        models.PositiveIntegerField(), null=True, blank=True, help_text="Votes for each score, lowest first."
    )
    votes = models.PositiveIntegerField(null=True, blank=True, help_text="Empty if the file does not say it.")
    mos = models.FloatField(
        null=True, blank=True, help_text="Mean of the votes. Empty if the file has only a watch label of the photo."
    )
    sos = models.FloatField(
        null=True, blank=True, help_text="Standard deviation of the votes over n − 1. Empty if it is not known."
    )

    watch_yes = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Votes that the photo shows a watch: 1 for a label. Empty if the file says nothing about it. "
        "With 0 for both, the file says 'unsure'.",
    )
    watch_no = models.PositiveIntegerField(null=True, blank=True, help_text="Votes that it shows none, as above.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vote_import", "name"], name="aggregated_votes_once"),
            models.CheckConstraint(
                condition=Q(mos__isnull=False) | Q(watch_yes__isnull=False), name="aggregated_votes_say_something"
            ),
            models.CheckConstraint(
                condition=Q(watch_yes__isnull=True, watch_no__isnull=True)
                | Q(watch_yes__isnull=False, watch_no__isnull=False),
                name="aggregated_votes_watch_whole",
            ),
            models.CheckConstraint(
                condition=Q(mos__isnull=False) | Q(counts__isnull=True, votes__isnull=True, sos__isnull=True),
                name="aggregated_votes_have_a_mean",
            ),
        ]

    def __str__(self) -> str:
        return f"aggregated votes on {self.name}"

    @property
    def watch(self) -> str:
        """Return yes, no, or unsure with as many votes for each; empty if the file says nothing about it."""
        if self.watch_yes is None or self.watch_no is None:
            return ""
        return majority_label(self.watch_yes, self.watch_no) or "unsure"
