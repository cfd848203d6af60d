"""Answers of annotators. The table is append-only."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from annotation import answers
from annotation.models.campaigns import Campaign
from annotation.models.photos import Image
from annotation.models.vote_imports import VoteImport


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

    def counted_votes(self) -> "AnnotationQuerySet":
        """Return the votes of annotators whom no reviewer has excluded."""
        return self.filter(answers.counted_vote())

    def blind_votes(self) -> "AnnotationQuerySet":
        """Return each annotator's last blind answer to each photo, even if an exposed answer superseded it."""
        return self.filter(answers.BLIND_VOTE)

    def independent_votes(self) -> "AnnotationQuerySet":
        """Return the blind votes of annotators whom no reviewer has excluded."""
        return self.filter(answers.independent_vote())

    def votes_for_evaluation(self) -> "AnnotationQuerySet":
        """Return the independent votes on photos whose expected answer is not shown to annotators."""
        return self.filter(answers.vote_for_evaluation())

    def consensus_votes(self) -> "AnnotationQuerySet":
        """Return the independent votes on rated photos, without practice, example and gold photos."""
        return self.filter(answers.consensus_vote())

    def repeat_answers(self) -> "AnnotationQuerySet":
        """Return the standing answers to hidden repeats, without skips."""
        return self.filter(answers.REPEAT_ANSWER)

    def with_independence(self) -> "AnnotationQuerySet":
        """Add to each row `is_independent_vote`, whether `independent_votes()` selects it, and `is_of_excluded`."""
        is_blind_vote = models.ExpressionWrapper(answers.BLIND_VOTE, output_field=models.BooleanField())
        is_independent = models.ExpressionWrapper(
            Q(is_blind_vote=True, is_of_excluded=False), output_field=models.BooleanField()
        )
        return self.annotate(is_blind_vote=is_blind_vote, is_of_excluded=answers.of_excluded()).annotate(
            is_independent_vote=is_independent
        )

    def first_answers(self) -> "AnnotationQuerySet":
        """Return the first answer of each annotator to each photo, even if corrected later; no repeats, no skips."""
        return self.filter(answers.FIRST_ANSWER)


class Annotation(models.Model):
    """One answer or skip of one annotator for one photo. Rows are never changed or deleted.

    Only `viewing` can be emptied, because it tells about the devices of a person.

    A correction is a new row that `supersedes` the previous one. The standing answer of an annotator is the row that
    no other row supersedes. An answer to a hidden repeat does not supersede the first answer and is not a vote: it
    only measures self-agreement.
    """

    class Watch(models.TextChoices):
        YES = "yes", gettext_lazy("watch")
        NO = "no", gettext_lazy("no watch")
        UNSURE = "unsure", gettext_lazy("unsure")

    client_id = models.UUIDField(
        unique=True, help_text="Chosen by the client, so that the same answer sent twice is recorded once."
    )
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="annotations", db_index=False)
    image = models.ForeignKey(Image, models.PROTECT, related_name="annotations")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="annotations")
    watch = models.CharField(
        "watch label",
        max_length=6,
        choices=Watch.choices,
        blank=True,
        help_text="Empty for a skip, and for an imported vote of somebody who was not asked.",
    )
    score = models.PositiveSmallIntegerField("opinion score", null=True, blank=True)
    skip_reason = models.CharField(max_length=200, blank=True, help_text="Set when the annotator skipped the photo.")
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    saw_prediction = models.BooleanField(
        default=False, help_text="The prediction was, or may have been, on the page before this answer."
    )
    is_blind = models.BooleanField(
        db_default=True,
        editable=False,
        help_text="Given before the annotator saw a prediction, or the correction of a slip. "
        "Set when the row is saved.",
    )
    replaces_vote = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="vote_replaced_by",
        help_text="The blind vote that this row replaces or takes back. Set when the row is saved.",
    )
    is_repeat = models.BooleanField(default=False, help_text="Answer to a hidden repeat; it is not a vote.")
    is_anchored = models.BooleanField(
        default=False, help_text="Part of the anchoring experiment: the prediction was shown before the answer."
    )
    surplus = models.BooleanField(default=False, help_text="Arrived when the photo no longer needed this answer.")
    milliseconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="Time from showing the photo to the answer."
    )
    viewing = models.JSONField(default=dict, blank=True, help_text="Viewport, pixel ratio, zoom, input device.")
    vote_import = models.ForeignKey(
        VoteImport,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="annotations",
        db_index=False,
        help_text="The vote was given elsewhere and came with this import.",
    )
    given_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When an imported vote was given, if the file says it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("answer"), gettext_lazy("answers")
        constraints = [
            models.UniqueConstraint(
                fields=["image", "annotator", "is_repeat"], condition=Q(supersedes=None), name="annotation_first_once"
            ),
            models.CheckConstraint(
                condition=Q(skip_reason="", score__isnull=False) & (~Q(watch="") | Q(vote_import__isnull=False))
                | ~Q(skip_reason="") & Q(score=None, watch=""),
                name="annotation_answers_or_skips",
            ),
            models.CheckConstraint(
                condition=Q(is_blind=False) | Q(saw_prediction=False) | Q(supersedes__isnull=False),
                name="annotation_first_exposed_is_not_blind",
            ),
        ]
        indexes = [
            # The newest answers of a campaign. By the primary key, a small campaign would be searched for among all
            # newer answers of the others.
            models.Index(fields=["campaign", "id"], name="annotation_newest"),
            models.Index(fields=["campaign", "annotator", "-id"], name="annotation_history"),
            models.Index(
                fields=["vote_import"], condition=Q(vote_import__isnull=False), name="annotation_of_vote_import"
            ),
            # Few answers are anchored. Without it they were looked for among all answers of a campaign.
            models.Index(fields=["campaign"], condition=Q(is_anchored=True), name="annotation_anchored"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row with `is_blind` and `replaces_vote`. Raises ValidationError when the row exists already."""
        if not self._state.adding:
            raise ValidationError("Annotations cannot be changed. Record a new one that supersedes this one.")
        before = self.supersedes
        self.is_blind = self._is_blind_after(before)
        self.replaces_vote = before.blind_vote() if before and (self.is_blind or self.skip_reason) else None
        super().save(*args, **kwargs)

    def blind_vote(self) -> "Annotation | None":
        """Return the annotator's blind vote after this row and before the next one; None without one.

        One query for each exposed answer in a row.
        """
        if self.is_blind or self.skip_reason:
            return None if self.skip_reason else self
        return self.supersedes.blind_vote() if self.supersedes else None

    def _is_blind_after(self, before: "Annotation | None") -> bool:
        if before is None:
            return not self.saw_prediction
        if not before.is_blind:
            return False
        return not self.saw_prediction or self._is_of_slip(before)

    def _is_of_slip(self, before: "Annotation") -> bool:
        """Return whether this answer corrects a slip. Only a slip in an answer before the prediction counts."""
        both_rate = not self.skip_reason and not before.skip_reason
        return both_rate and not before.saw_prediction and timezone.now() - before.created_at <= answers.SLIP

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise ValidationError: annotations cannot be deleted."""
        raise ValidationError("Annotations cannot be deleted.")
