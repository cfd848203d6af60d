"""Training runs of a campaign, and the answers that a run would learn from."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext, ngettext

from annotation.models import AggregatedVotes, Annotation, Campaign, Image
from annotation.selectors.votes import votes_of
from inference.models import Feature
from inference.networks.config import WeightsMissing
from inference.selectors import backbone_key
from training.models import TrainingRun
from training.selectors.snapshots import imported_kinds, training_histogram_rows, training_label_rows


@dataclass(frozen=True)
class TrainingAnswers:
    """Numbers of answers that a run would learn from, and of those that it would leave out, by reason."""

    usable: int
    """Answers that a run started now would learn from."""
    new: int
    """The usable answers that came after the last run."""
    holdout: int
    """Left out: answers to holdout photos."""
    exposed: int
    """Left out unless `exposed_answers` is on: answers to train photos after seeing a prediction, corrections too."""
    without_features: int
    """Left out: answers to photos whose features are not computed yet."""
    histograms: int = 0
    """Photos with an imported histogram that a run started now would learn from."""
    labels: int = 0
    """Photos with an imported watch label that a run started now would learn from."""
    neither: int = 0
    """Left out: answers to photos in neither split, because near-duplicates of them were in both."""

    @property
    def left_out(self) -> list[tuple[int, str]]:
        """Return the numbers of answers that are left out, and why; no zeros."""
        reasons = [
            (self.holdout, ngettext("answer to holdout photos", "answers to holdout photos", self.holdout)),
            (self.neither, gettext("to photos in neither split, because near-duplicates of them were in both")),
            (self.exposed, gettext("given after seeing a prediction")),
            (self.without_features, gettext("to photos whose features are not computed yet")),
        ]
        return [(count, reason) for count, reason in reasons if count]


def newest_annotation_id(campaign: Campaign) -> int:
    """Return the id of the newest annotation of the campaign, or 0 if there is none."""
    return Annotation.objects.filter(campaign=campaign).order_by("-pk").values_list("pk", flat=True).first() or 0


def new_answers(campaign: Campaign, *, since: int, exposed_answers: bool) -> int:
    """Return the number of usable answers after the annotation with id `since`."""
    answers = votes_of(campaign, split=Image.Split.TRAIN, independent=not exposed_answers)
    return answers.filter(has_features(campaign), pk__gt=since).count()


def training_answers(campaign: Campaign, *, since: int, exposed_answers: bool) -> TrainingAnswers:
    """Count the answers that a run would use or leave out; `since` is an annotation id (four queries)."""
    train = Q(image__split=Image.Split.TRAIN)
    taken = (
        votes_of(campaign, split=Image.Split.TRAIN, independent=not exposed_answers)
        .annotate(has_features=has_features(campaign))
        .aggregate(
            all=Count("pk"),
            usable=Count("pk", filter=Q(has_features=True)),
            new=Count("pk", filter=Q(has_features=True, pk__gt=since)),
        )
    )
    # A vote that stands and is exposed may have a blind vote behind it, which is taken in its place.
    rest = votes_of(campaign).aggregate(
        holdout=Count("pk", filter=Q(image__split=Image.Split.HOLDOUT)),
        neither=Count("pk", filter=Q(image__split=Image.Split.NEITHER)),
        exposed=Count("pk", filter=train & Q(is_blind=False)),
    )
    return TrainingAnswers(
        usable=taken["usable"],
        new=taken["new"],
        holdout=rest["holdout"],
        neither=rest["neither"],
        histograms=training_histogram_rows(campaign)
        .filter(has_features(campaign))
        .aggregate(photos=Count("image", distinct=True))["photos"],
        labels=training_label_rows(campaign)
        .filter(has_features(campaign))
        .aggregate(photos=Count("image", distinct=True))["photos"],
        exposed=0 if exposed_answers else rest["exposed"],
        without_features=taken["all"] - taken["usable"],
    )


def has_features(campaign: Campaign) -> Exists:
    """Return a condition on answers. No photo has features while the campaign's backbone is missing; pages say that."""
    try:
        backbone = backbone_key(campaign.backbone)
    except WeightsMissing:
        backbone = ""
    done: QuerySet[Feature] = Feature.objects.filter(
        image=OuterRef("image"), backbone=backbone, state=Feature.State.DONE
    )
    return Exists(done)


def newest_run(campaign: Campaign) -> TrainingRun | None:
    """Return the run that was requested last."""
    return TrainingRun.objects.filter(campaign=campaign).first()


def exposed_answers_on(run: TrainingRun | None) -> bool:
    """Return whether the run learns from answers given after seeing a prediction; False without a run."""
    return bool(run and run.recipe.get("exposed_answers", False))


def live_run(campaign: Campaign) -> TrainingRun | None:
    """Return the queued or running run of the campaign; there is at most one."""
    return TrainingRun.objects.filter(campaign=campaign, state__in=TrainingRun.LIVE).first()


def learned_photos(campaign: Campaign, image_ids: Collection[int]) -> set[int]:
    """Return those of the photos that a run can have learned from: they had answers when one froze its answers.

    While a run is live, every photo with an answer counts. As soon as a run has learned from imported histograms,
    so does every photo with one; the same holds for imported watch labels.
    """
    runs = TrainingRun.objects.filter(campaign=campaign)
    answers = Annotation.objects.filter(image__in=image_ids)
    used = runs.aggregate(
        newest=Max("last_annotation_id"), histograms=Max("histogram_count"), labels=Max("label_count")
    )
    is_live = runs.filter(state__in=TrainingRun.LIVE).exists()
    if not is_live:
        answers = answers.filter(pk__lte=used["newest"] or 0)
    learned = set(answers.values_list("image", flat=True))
    imported = imported_kinds(histograms=is_live or bool(used["histograms"]), labels=is_live or bool(used["labels"]))
    if imported:
        learned |= set(AggregatedVotes.objects.filter(imported, image__in=image_ids).values_list("image", flat=True))
    return learned


def last_learned(campaign: Campaign) -> TrainingRun | None:
    """Return the newest run whose model version still exists."""
    return (
        TrainingRun.objects.filter(campaign=campaign, state=TrainingRun.State.DONE, challenger__isnull=False)
        .select_related("challenger")
        .first()
    )
