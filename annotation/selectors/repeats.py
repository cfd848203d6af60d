"""Hidden repeats: pairs of two answers of one annotator to the same photo."""

from collections import defaultdict
from typing import NamedTuple

from django.db.models import OuterRef, Subquery

from annotation.models import Annotation, Campaign, User


class RepeatPairs(NamedTuple):
    """The photos that one annotator answered twice, as columns of equal length, ordered by the second answer."""

    first_scores: list[int]
    """Scores of the blind votes, so blind corrections count and exposed ones do not."""
    second_scores: list[int]
    first_watch: list[str]
    second_watch: list[str]


def repeat_pairs(campaign: Campaign, *, annotator: User | None = None) -> dict[int, RepeatPairs]:
    """Return {annotator id: pairs} for every annotator, or only one, with answers to hidden repeats (one query).

    A pair is the annotator's blind vote and the standing answer to the repeat. A photo that was skipped either
    time has no pair.
    """
    repeats = Annotation.objects.filter(campaign=campaign, image__withdrawn_at=None)
    if annotator is not None:
        repeats = repeats.filter(annotator=annotator)
    first = Annotation.objects.filter(image=OuterRef("image"), annotator=OuterRef("annotator")).blind_votes()
    rows = (
        repeats.repeat_answers()
        .annotate(first_score=Subquery(first.values("score")[:1]), first_watch=Subquery(first.values("watch")[:1]))
        .exclude(first_score=None)
        .order_by("pk")
    )
    pairs: dict[int, RepeatPairs] = defaultdict(lambda: RepeatPairs([], [], [], []))
    for pk, first_score, score, first_watch, watch in rows.values_list(
        "annotator", "first_score", "score", "first_watch", "watch"
    ):
        pair = pairs[pk]
        pair.first_scores.append(first_score)
        pair.second_scores.append(score or 0)  # a repeat answer has a score
        pair.first_watch.append(first_watch)
        pair.second_watch.append(watch)
    return dict(pairs)
