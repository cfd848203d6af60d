"""The votes of a campaign: which answers count, as rows and as columns."""

from collections.abc import Collection
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from annotation.measures.votes import VoteTable
from annotation.models import Annotation, Campaign, Image, User

_WATCH_CODES = {Annotation.Watch.YES.value: 1, Annotation.Watch.NO.value: 0, Annotation.Watch.UNSURE.value: -1}


def standing_annotations(campaign: Campaign) -> QuerySet[Annotation]:
    """Return the answers that stand: neither superseded by a correction, nor skips, nor to hidden repeats."""
    return Annotation.objects.filter(campaign=campaign).votes()


def counted_answers(
    campaign: Campaign, *, split: str | None = None, for_evaluation: bool = False, without_exposed: bool = False
) -> QuerySet[Annotation]:
    """Return the standing answers, of one split ("train" or "holdout") or to all photos.

    `without_exposed` leaves out those given after the prediction had been seen; `for_evaluation` these,
    and those to photos whose expected answer people are shown.
    """
    answers = standing_annotations(campaign)
    if split is not None:
        answers = answers.filter(image__split=split)
    if for_evaluation or without_exposed:
        answers = answers.filter(saw_prediction=False)
    if for_evaluation:
        answers = answers.exclude(image__role__in=Image.TAUGHT)
    return answers


def vote_table(
    campaign: Campaign, *, split: str | None = None, for_evaluation: bool = False, without_exposed: bool = False
) -> VoteTable:
    """Return the answers that `counted_answers` selects, as columns (one query)."""
    answers = counted_answers(campaign, split=split, for_evaluation=for_evaluation, without_exposed=without_exposed)
    rows = list(answers.order_by("pk").values_list("pk", "image_id", "annotator_id", "score", "watch"))
    numbers = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
    return VoteTable(
        annotation_ids=numbers[:, 0],
        image_ids=numbers[:, 1],
        annotator_ids=numbers[:, 2],
        scores=numbers[:, 3].astype(np.int16),
        watch=np.array([_WATCH_CODES[row[4]] for row in rows], dtype=np.int8),
    )


def own_client_ids(campaign: Campaign, annotator: User, client_ids: Collection[UUID]) -> list[UUID]:
    """Return those of `client_ids` under which the campaign has an answer of the annotator (one query).

    Answers that were corrected since are among them: they are in the database all the same.
    """
    own = Annotation.objects.filter(campaign=campaign, annotator=annotator, client_id__in=client_ids)
    return list(own.values_list("client_id", flat=True))
