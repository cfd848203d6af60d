"""What one annotator would answer: the lines of a campaign's annotators, and what they say about one photo.

A line starts from the champion's predictions and reads the features of its backbone, so a new champion needs new lines;
until they are there, nobody has one. They are learned from independent votes. Workers write them, and
`own_expectation` is the only reader. Its callers show the result to the annotator alone, and only after the answer. A
line is in no consensus, in no training and in no evaluation.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from numpy.typing import NDArray

from annotation.measures.votes import VoteTable
from annotation.models import Annotation, Campaign, Image, User
from annotation.selectors.votes import vote_table
from inference.models import PRIOR_NAME, Feature, ModelVersion, PersonalFit, PersonalLine, Prediction
from inference.personal.crowd import crowd_score
from inference.personal.line import (
    FEWEST_ANSWERS,
    MOST_ANSWERS,
    Line,
    OwnAnswers,
    Standardisation,
    lines_fit,
    spreads_fit,
    surprising_distance,
)
from inference.selectors import champion, feature_matrix, features_unpack, fits_scale, prediction_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# New lines need this many new answers, and this share of those of the last fit; after a day one is enough.
_NEW_ANSWERS, _NEW_SHARE = 20, 0.05
_AT_LEAST_EVERY = timedelta(days=1)
_NOT_BEFORE = timedelta(minutes=5)
# The lines wait until the champion has predicted this share of the answered photos.
_PREDICTED = 0.9
# Photos for the mean and standard deviation of features, and annotators for what they have in common.
_STANDARD_PHOTOS = 2000
_MOST_PEOPLE = 100
# Ends of the middle 80 % of a normal distribution, in standard deviations.
_MIDDLE_80 = 1.2816


@dataclass(frozen=True)
class OwnExpectation:
    """What an annotator would answer about one photo, on the campaign's scale."""

    answers: int
    """Answers that it was learned from. Answers to this photo are not among them."""
    mean: float
    low: float
    """End of the interval with 80 % of the annotator's answers to such photos; the next field too."""
    high: float
    deviation: float
    surprising: float

    def is_surprising(self, score: float) -> bool:
        """Return whether a score is so far away that it may be a slip: about one answer in a hundred is."""
        return abs(score - self.mean) > self.surprising * self.deviation


def campaigns_due() -> list[int]:
    """Return the ids of campaigns whose lines are older than the champion, or than many answers (one query)."""
    now = timezone.now()
    answers = Annotation.objects.filter(campaign=OuterRef("campaign"))
    since = answers.filter(pk__gt=OuterRef("personal_fit__annotation_id")).order_by().values("campaign")
    new = Coalesce(Subquery(since.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
    champions = ModelVersion.objects.filter(Exists(answers), is_champion=True).annotate(new=new)
    many = Q(new__gte=_NEW_ANSWERS) & Q(new__gte=_NEW_SHARE * F("personal_fit__answers"))
    aged = Q(new__gt=0, personal_fit__made_at__lt=now - _AT_LEAST_EVERY)
    due = Q(personal_fit=None) | (Q(personal_fit__made_at__lt=now - _NOT_BEFORE) & many) | aged
    return list(champions.filter(due).order_by("campaign").values_list("campaign", flat=True))


def personal_lines_refresh(*, campaign: Campaign) -> int:
    """Learn the lines of the campaign's annotators; return how many have one.

    Only members who can log in get a line. Lines of other versions are deleted. Nothing is stored while the champion
    has not predicted the answered photos.
    """
    version = champion(campaign)
    if version is None or not fits_scale(version, campaign):
        return 0
    newest = Annotation.objects.filter(campaign=campaign).aggregate(newest=Max("pk"))["newest"] or 0
    votes = _votes(campaign)
    table = prediction_table(version, np.unique(votes.image_ids))
    is_predicted = np.isin(votes.image_ids, table.image_ids)
    if len(votes) and is_predicted.mean() < _PREDICTED:
        return 0
    votes = votes.where(is_predicted)
    crowd = table.quality_mean[np.searchsorted(table.image_ids, votes.image_ids)]
    learner = _Learner(version, votes, crowd)
    lines = learner.lines(learner.people())
    with transaction.atomic():
        # Another worker may do the same, and the champion may have changed meanwhile.
        if not ModelVersion.objects.select_for_update(no_key=True).filter(pk=version.pk, is_champion=True).exists():
            return 0
        PersonalFit.objects.filter(model_version__campaign=campaign).delete()
        fit = PersonalFit.objects.create(
            model_version=version,
            annotation_id=newest,
            answers=len(votes),
            made_at=timezone.now(),
            **learner.common,
        )
        # Somebody may have been anonymised meanwhile.
        present = set(_members(campaign).filter(pk__in=[one for one, *_ in lines]).values_list("pk", flat=True))
        made = PersonalLine.objects.bulk_create(
            PersonalLine(
                fit=fit,
                annotator_id=annotator,
                answers=line.answers,
                bias=line.bias,
                gain=line.gain,
                deviation=line.deviation,
                weights=weights.astype("<f4").tobytes(),
                image_ids=images.tolist(),
                left_out=line.left_out.tolist(),
            )
            for annotator, images, line, weights in lines
            if annotator in present
        )
    return len(made)


def personal_lines_forget(*, user_id: int) -> None:
    """Delete the lines of a user in all campaigns."""
    PersonalLine.objects.filter(annotator=user_id).delete()


def own_expectation(
    *, campaign: Campaign, annotator: User, prediction: Prediction, votes: Sequence[float]
) -> OwnExpectation | None:
    """Return what an annotator would answer about a photo; None without a line (at most two queries).

    The caller has checked that the annotator has answered the photo. `prediction`: that of the champion. `votes`: blind
    scores of others, whom nobody has excluded.
    """
    lines = PersonalLine.objects.filter(fit__model_version=prediction.model_version_id, annotator=annotator)
    line = lines.select_related("fit").first()
    if line is None:
        return None
    lowest, highest = campaign.scale_min, campaign.scale_max
    base = crowd_score(prediction.quality_mean, votes, vote_variance=line.fit.vote_variance, width=highest - lowest)
    if prediction.image_id in line.image_ids:
        mean = line.left_out[line.image_ids.index(prediction.image_id)]
    else:
        taste = _taste(line, prediction)
        if taste is None:
            return None
        mean = prediction.quality_mean + line.bias + line.gain * (prediction.quality_mean - line.fit.centre) + taste
    mean += (1 + line.gain) * (base - prediction.quality_mean)
    half = _MIDDLE_80 * line.deviation
    low, middle, high = (float(np.clip(value, lowest, highest)) for value in (mean - half, mean, mean + half))
    return OwnExpectation(line.answers, middle, low, high, line.deviation, line.fit.surprising)


def _taste(line: PersonalLine, prediction: Prediction) -> float | None:
    """Return w·x of a photo; 0 for a line without taste, None if the photo has no features."""
    weights = np.frombuffer(line.weights, dtype="<f4")
    if not len(weights):
        return 0.0
    stored = Feature.objects.filter(
        image=prediction.image_id, backbone=prediction.model_version.backbone, state=Feature.State.DONE
    )
    features = features_unpack(list(stored.values_list("vector", flat=True)))
    if features.shape[1:] != weights.shape:
        return None
    mean, spread = (np.frombuffer(one, dtype="<f4") for one in (line.fit.feature_mean, line.fit.feature_spread))
    return float(Standardisation(mean, spread).inputs(features)[0] @ weights)


def _votes(campaign: Campaign) -> VoteTable:
    """Return the latest independent votes of each member, of members with enough of them."""
    votes = vote_table(campaign, independent=True)
    votes = votes.where(np.isin(votes.annotator_ids, list(_members(campaign).values_list("pk", flat=True))))
    # From the newest to the oldest: how many votes of the same annotator are newer.
    newer: defaultdict[int, int] = defaultdict(int)
    kept = np.zeros(len(votes), dtype=np.bool_)
    for row in range(len(votes) - 1, -1, -1):
        annotator = int(votes.annotator_ids[row])
        kept[row] = newer[annotator] < MOST_ANSWERS
        newer[annotator] += 1
    enough = [annotator for annotator, count in newer.items() if count >= FEWEST_ANSWERS][:_MOST_PEOPLE]
    return votes.where(kept & np.isin(votes.annotator_ids, enough))


def _members(campaign: Campaign) -> QuerySet[User]:
    return User.objects.filter(memberships__campaign=campaign, is_active=True, anonymised_at=None)


class _Learner:
    """Learns the lines from votes [V] and the version's predictions for their photos [V]."""

    def __init__(self, version: ModelVersion, votes: VoteTable, crowd: Floats) -> None:
        self._version, self._votes, self._crowd = version, votes, crowd
        images = np.unique(votes.image_ids)
        rows = Image.objects.filter(pk__in=images.tolist()).values_list("pk", "group", "split")
        # Nobody has trained the prior on answers of the campaign.
        is_prior = version.recipe.get("name") == PRIOR_NAME
        self._photos = {pk: (str(group), is_prior or split != Image.Split.TRAIN) for pk, group, split in rows}
        step = max(1, len(images) // _STANDARD_PHOTOS)
        _, features = feature_matrix(images[::step], version.backbone)
        self._standard = Standardisation.of(features) if len(features) else None

    def people(self) -> list[tuple[int, Ints, OwnAnswers]]:
        """Return each annotator with the ids of their photos, ascending, and their answers.

        Photos without features are left out.
        """
        found = []
        for annotator in np.unique(self._votes.annotator_ids).tolist():
            images, inputs = self._inputs(self._votes.image_ids[self._votes.annotator_ids == annotator])
            rows = np.flatnonzero((self._votes.annotator_ids == annotator) & np.isin(self._votes.image_ids, images))
            rows = rows[np.argsort(self._votes.image_ids[rows], kind="stable")]
            known = [self._photos[image] for image in images.tolist()]
            own = OwnAnswers(
                kernel=inputs @ inputs.T,
                crowd=self._crowd[rows],
                scores=self._votes.scores[rows].astype(np.float64),
                groups=np.array([group for group, _ in known]),
                is_new=np.array([is_new for _, is_new in known], dtype=np.bool_),
            )
            if len(own) >= FEWEST_ANSWERS:
                found.append((annotator, images, own))
        return found

    def lines(self, people: list[tuple[int, Ints, OwnAnswers]]) -> list[tuple[int, Ints, Line, Floats]]:
        """Return each annotator with their photos, their line and its weights."""
        answers = [own for *_, own in people]
        standard = self._standard or Standardisation(np.zeros(0, np.float32), np.zeros(0, np.float32))
        self.common = {
            "feature_mean": standard.mean.astype("<f4").tobytes(),
            "feature_spread": standard.spread.astype("<f4").tobytes(),
            "centre": 0.0,
            "vote_variance": 1.0,
            "surprising": 0.0,
        }
        if not people:
            return []
        spreads = spreads_fit(answers)
        lines = lines_fit(answers, spreads)
        self.common |= {
            "centre": spreads.centre,
            "vote_variance": spreads.noise * (1 + spreads.bias),
            "surprising": surprising_distance(answers, lines),
        }
        return [
            (annotator, images, line, line.weights(self._inputs(images)[1]))
            for (annotator, images, _), line in zip(people, lines, strict=True)
        ]

    def _inputs(self, image_ids: Ints) -> tuple[Ints, Floats]:
        """Return the ids of the photos that have features, ascending, and their inputs."""
        images, features = feature_matrix(image_ids, self._version.backbone)
        return images, self._standard.inputs(features) if self._standard and len(images) else np.zeros((0, 0))
