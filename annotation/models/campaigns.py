"""Campaigns and their addresses."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Exists, F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# ImageNet classes that show a watch or a clock.
DEFAULT_SYNSETS = {
    409: "analog clock",
    530: "digital clock",
    531: "digital watch",
    826: "stopwatch",
    892: "wall clock",
}


@cache
def synset_names() -> tuple[str, ...]:
    """Return the names of the 1,000 ImageNet classes in the order of their numbers, as torchvision has them."""
    return tuple((Path(__file__).parent / "imagenet_classes.txt").read_text().splitlines())


def synset_name(synset: int) -> str:
    """Return the name of an ImageNet class; for a number that is no class, the number in words."""
    names = synset_names()
    return names[synset] if 0 <= synset < len(names) else (gettext("ImageNet class %(synset)s") % {"synset": synset})


def default_synsets() -> list[int]:
    """Return the five ImageNet class indices of watches and clocks."""
    return list(DEFAULT_SYNSETS)


def default_lane_shares() -> dict[str, float]:
    """Return the shares of the queue lanes of a new campaign (docs/reference/choosing-photos.md)."""
    return {"watch_margin": 0.4, "fewest_votes": 0.2, "random": 0.2, "holdout": 0.1, "anchors": 0.1}


def default_backbone() -> str:
    """Return the name of the backbone of new campaigns, the setting `IQS_BACKBONE`."""
    name: str = settings.IQS_BACKBONE
    return name


class Campaign(models.Model):
    """A set of photos that people and models rate, with its settings."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    class Mode(models.TextChoices):
        BLIND = "blind", _("blind: the prediction is never shown")
        REVEAL = (
            "reveal",
            _("reveal: the prediction and the other annotators' mean are shown after the answer"),
        )
        PRELABEL = (
            "prelabel",
            _("prelabel: the prediction is shown before the answer; such answers are left out of evaluation"),
        )

    class Backbone(models.TextChoices):
        """The bundled backbones that the settings page offers. A command can set others (`campaign_backbone`)."""

        SHARPEST = (
            "efficientnet_lite2@260+384",
            _("sharpest: EfficientNet-Lite2, each photo in two sizes; learns most from the same votes"),
        )
        SHARP = "efficientnet_lite2", _("sharp: EfficientNet-Lite2, each photo in one size; takes a third of the time")
        FAST = "efficientnet_lite0", _("fast: EfficientNet-Lite0; takes least time for each photo")

    class PromotionRule(models.TextChoices):
        """What a challenger needs to become champion: the name of a metric, or none worse."""

        RPS = "quality_rps", _("better Quality RPS; SRCC and watch F1 not worse")
        SRCC = "quality_srcc", _("better Quality SRCC; RPS and watch F1 not worse")
        F1 = "watch_f1", _("better Watch F1; RPS and SRCC not worse")
        NOT_WORSE = "not_worse", _("none of RPS, SRCC and watch F1 worse")

    class WatchAim(models.TextChoices):
        FIXED = "fixed", _("fixed: as entered here")
        F1 = "f1", _("best F1")
        COST = "cost", _("least cost of mistakes")
        MISSES = "misses", _("few missed watches")

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    instructions = models.TextField(blank=True, help_text=_("Shown to annotators before they start."))
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.REVEAL)
    scale_min = models.PositiveSmallIntegerField(_("lowest score"), default=1)
    scale_max = models.PositiveSmallIntegerField(_("highest score"), default=10, validators=[MaxValueValidator(100)])
    synsets = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(999)]),
        default=default_synsets,
        help_text=_("ImageNet class indices that count as a watch. The watch probability is their sum."),
    )
    watch_threshold = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_(
            "The model decides 'watch' when the watch probability is above this value. A version that has "
            "learned from enough labels has its own threshold, unless the aim is 'fixed'."
        ),
    )
    watch_aim = models.CharField(
        _("aim of the watch threshold"),
        max_length=6,
        choices=WatchAim.choices,
        default=WatchAim.F1,
        help_text=_(
            "Each training run chooses the threshold of its version for this aim, on photos that it has not "
            "learned from. 'Fixed' holds at once; another aim holds from the next version on."
        ),
    )
    watch_miss_cost = models.FloatField(
        _("cost of a missed watch"),
        default=1.0,
        validators=[MinValueValidator(0.01), MaxValueValidator(1000.0)],
        help_text=_("In false alarms. Only for the aim 'least cost of mistakes'."),
    )
    watch_misses = models.FloatField(
        _("largest share missed"),
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text=_("Of the watches, for example 0.05. Only for the aim 'few missed watches'."),
    )
    reject_at = models.FloatField(_("rejected up to"), default=5.0)
    pending_at = models.FloatField(_("pending up to"), default=6.0)
    votes_per_image = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    holdout_votes = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("More votes make the evaluation more precise."),
    )
    target_half_width = models.FloatField(
        _("MOS interval within ± (points)"),
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(100.0)],
        help_text=_("A photo stops when the 95 % interval of its corrected MOS is this narrow. 0: no target."),
    )
    target_watch = models.FloatField(
        _("watch label with probability"),
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.9999)],
        help_text=_(
            "A photo stops when one watch label is this probable, for example 0.95. 0: no target. With both "
            "targets, a photo needs both."
        ),
    )
    fewest_votes = models.PositiveSmallIntegerField(
        _("fewest votes"),
        default=2,
        validators=[MinValueValidator(1)],
        help_text=_("No photo stops with fewer votes."),
    )
    most_votes = models.PositiveSmallIntegerField(
        _("most votes"),
        default=10,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Votes that stopped photos do not need go to other photos, up to this number. Holdout photos keep "
            "their fixed number."
        ),
    )
    holdout_fraction = models.FloatField(
        default=0.2,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.9)],
        help_text=_("Share of photos in the holdout, drawn at random at import."),
    )
    seed = models.PositiveBigIntegerField(default=20260101, help_text=_("Seed of the random holdout draw."))
    repeat_share = models.FloatField(
        _("hidden repeats"),
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.3)],
        help_text=_(
            "Share of photos that are shown to an annotator a second time, unmarked, to measure self-agreement."
        ),
    )
    gold_share = models.FloatField(
        _("gold photos"),
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.3)],
        help_text=_("Share of gold photos, whose answer is known. Each annotator gets each gold photo once."),
    )
    anchoring_share = models.FloatField(
        _("anchoring experiment"),
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text=_("Share of photos that show the prediction before the answer, to measure its influence."),
    )
    lane_shares = models.JSONField(
        _("queue lanes"),
        default=default_lane_shares,
        help_text=_("Share of each queue lane among the rated photos: {lane: share}. The shares add up to 1."),
    )
    break_minutes = models.PositiveSmallIntegerField(
        _("break after"),
        default=30,
        help_text=_("Minutes of rating before the page suggests a break. 0 means never."),
    )
    lease_seconds = models.PositiveIntegerField(default=300, validators=[MinValueValidator(10)])
    backbone = models.CharField(
        max_length=64,
        default=default_backbone,
        help_text=_("Network whose features are stored for each photo, and from which models learn."),
    )
    train_after = models.PositiveIntegerField(
        default=200,
        help_text=_("Number of new answers to learn from that starts a training run automatically. 0 means never."),
    )
    retrain_on_drift = models.BooleanField(
        _("train when new photos differ"),
        default=False,
        help_text=_(
            "Start a training run when this week's photos or their scores differ from those learned from, and "
            "people have rated some of them. At most once a week."
        ),
    )
    promote_automatically = models.BooleanField(
        default=False,
        help_text=_("Promote a challenger that passes the promotion rule; the models page states the rule."),
    )
    promotion_rule = models.CharField(
        max_length=12,
        choices=PromotionRule.choices,
        default=PromotionRule.RPS,
        help_text=_(
            "RPS improves with better ranks, less bias and better distributions. Showing that nothing is "
            "worse takes many holdout photos."
        ),
    )
    promotion_margin = models.FloatField(
        _("loss that counts as not worse"),
        default=0.01,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.2)],
        help_text=_("0.01 allows a loss of 0.01 in SRCC and in F1, and of 1 % in RPS."),
    )
    decisions_as_labels = models.BooleanField(
        _("use decisions as labels"),
        default=False,
        help_text=_("In training, a reviewer's decision replaces the votes on its photo. Never in evaluation."),
    )
    remove_metadata = models.BooleanField(
        _("remove metadata"),
        default=True,
        help_text=_(
            "Send photos without place, time, camera, names, comments and previews. The picture stays the same."
        ),
    )
    retention_days = models.PositiveIntegerField(
        _("delete originals after (days)"),
        default=0,
        validators=[MaxValueValidator(36_500)],
        help_text=_(
            "Days from closing the campaign until originals and data about devices are deleted. 0 means never."
        ),
    )
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    data_deleted_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("When originals and data about devices were deleted."),
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("campaign"), _("campaigns")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(scale_max__gt=F("scale_min")), name="campaign_scale_ascends"),
            models.CheckConstraint(condition=Q(pending_at__gte=F("reject_at")), name="campaign_classes_ascend"),
        ]

    def __str__(self) -> str:
        return self.name

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Raise ValidationError, by field, also for an address that another campaign had before."""
        super().validate_unique(exclude)
        if exclude and "slug" in exclude:
            return
        if CampaignAddress.objects.filter(slug=self.slug).exclude(campaign=self.pk).exists():
            raise ValidationError(
                {"slug": gettext("Another campaign had this address before, and links to it still work.")}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the campaign and store its address, which then belongs to it for ever.

        Raises IntegrityError for an address that another campaign has or had.
        """
        with transaction.atomic():
            super().save(*args, **kwargs)
            changed = kwargs.get("update_fields")
            if changed is None or "slug" in changed:
                CampaignAddress.objects.get_or_create(slug=self.slug, campaign=self)

    @property
    def bins(self) -> int:
        """Return K, the number of opinion scores on the scale."""
        return self.scale_max - self.scale_min + 1

    @property
    def scores(self) -> range:
        """Return the opinion scores of the scale, lowest first."""
        return range(self.scale_min, self.scale_max + 1)

    @property
    def deletion_at(self) -> datetime | None:
        """Return when originals and data about devices are deleted; None if they are kept or already deleted."""
        if not self.retention_days or self.closed_at is None or self.data_deleted_at is not None:
            return None
        return self.closed_at + timedelta(days=self.retention_days)

    @cached_property
    def has_simulated_annotators(self) -> bool:
        """Return whether a member is a program, or imported votes are by programs (one query).

        Every page of the campaign then says so.
        """
        members = self.memberships.filter(user__is_simulated=True)
        imports = self.vote_imports.filter(is_simulated=True, rows__gt=0)
        return Campaign.objects.filter(Exists(members) | Exists(imports), pk=self.pk).exists()


class CampaignAddress(models.Model):
    """An address (slug) that a campaign has or had. Links and open pages may still use it.

    The table has the present addresses too, so that no campaign can take an address of another one, present or old.
    """

    slug = models.SlugField(max_length=60, unique=True)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="addresses")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug
