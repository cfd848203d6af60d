"""Database rows for the export formats, as an iterator that keeps few of them in memory."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from django.db.models import Count, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from annotation.consensus.labels import majority_label
from annotation.exchange.records import (
    AnnotationRecord,
    AnnotatorRecord,
    ConsensusRecord,
    HistogramRecord,
    VoteRecord,
    WatchRecord,
)
from annotation.models import (
    Adjudication,
    Annotation,
    AnnotationQuerySet,
    AnnotatorStatistics,
    Campaign,
    PhotoConsensus,
    User,
    VoteImport,
)
from annotation.selectors.votes import votes_of

_FIELDS = {
    "annotation": "pk",
    "image": "image__name",
    "sha256": "image__sha256",
    "annotator": "annotator__username",
    "simulated": "annotator__is_simulated",
    "supersedes": "supersedes_id",
    "role": "image__role",
    "split": "image__split",
    "blind": "is_blind",
    "independent_vote": "is_independent_vote",
}
"""Fields of the record that have another name in the database."""
_ROWS = 2000  # rows per read


def annotation_records(campaign: Campaign) -> Iterator[AnnotationRecord]:
    """Yield every annotation of a campaign in the order they were recorded, from a server-side cursor (one query).

    Annotations of withdrawn photos are left out.
    """
    return _records(Annotation.objects.filter(campaign=campaign, image__withdrawn_at=None))


def annotation_records_of(annotator: User) -> Iterator[AnnotationRecord]:
    """Yield every annotation of a user in all campaigns, in the same way (one query)."""
    return _records(Annotation.objects.filter(annotator=annotator))


def consensus_records(campaign: Campaign) -> Iterator[ConsensusRecord]:
    """Yield the stored consensus on each photo in the order of the photos, from a server-side cursor (two queries).

    Withdrawn photos are left out.
    """
    decisions = Adjudication.objects.filter(image=OuterRef("image"), undone_at=None)
    decided = {f"decided_{name}": Subquery(decisions.values(name)) for name in ("score", "watch")}
    decided["decided_blind"] = Subquery(decisions.annotate(blind=Q(saw_prediction=False)).values("blind"))
    rows = PhotoConsensus.objects.filter(campaign=campaign, image__withdrawn_at=None).annotate(**decided)
    names = {"image": "image__name", "sha256": "image__sha256", "split": "image__split", "role": "image__role"}
    rows = rows.annotate(simulated_votes=Value(0), decision_trains=Value(False))
    fields = [names.get(name, name) for name in ConsensusRecord._fields]
    programs = Annotation.objects.filter(campaign=campaign, annotator__is_simulated=True).consensus_votes()
    simulated = dict(programs.order_by().values_list("image").annotate(Count("pk")))
    for image, *row in rows.order_by("image").values_list("pk", *fields).iterator(chunk_size=_ROWS):
        record = ConsensusRecord._make(row)
        trains = campaign.decisions_as_labels and record.decided_score is not None and record.split != "holdout"
        yield record._replace(simulated_votes=simulated.get(image, 0), decision_trains=trains)


def annotator_records(campaign: Campaign) -> Iterator[AnnotatorRecord]:
    """Yield the stored statistics of each annotator by user name (one query)."""
    names = {"annotator": "annotator__username", "simulated": "annotator__is_simulated"}
    fields = [names.get(name, name) for name in AnnotatorRecord._fields]
    rows = AnnotatorStatistics.objects.filter(campaign=campaign).order_by("annotator__username")
    return map(AnnotatorRecord._make, rows.values_list(*fields).iterator(chunk_size=_ROWS))


def vote_records(campaign: Campaign) -> Iterator[VoteRecord]:
    """Yield the independent votes in the order they were recorded (one query). Withdrawn photos are left out."""
    rows = votes_of(campaign, independent=True).order_by("pk")
    given_at = Coalesce("given_at", "created_at")
    fields = ("annotator__username", "image__name", "score", "watch", given_at)
    return map(VoteRecord._make, rows.values_list(*fields).iterator(chunk_size=_ROWS))


def histogram_records(campaign: Campaign) -> Iterator[HistogramRecord]:
    """Yield how often each score was given to each photo with independent votes, in the order of the photos.

    Withdrawn photos are left out.
    """
    rows = votes_of(campaign, independent=True).values_list("image", "image__name", "score").annotate(Count("pk"))
    in_order = rows.order_by("image", "score").iterator(chunk_size=_ROWS)
    for (_image, name), given in groupby(in_order, key=itemgetter(0, 1)):
        counts = {score: count for *_photo, score, count in given}
        # The scale may have been shortened after a vote.
        histogram = tuple(counts.get(score, 0) for score in campaign.scores)
        if any(histogram):
            yield HistogramRecord(name, histogram, campaign.scale_min)


def aggregated_records(vote_import: VoteImport) -> Iterator[HistogramRecord]:
    """Yield the histograms of an import with the names of its file, in the order of the file (one query)."""
    rows = vote_import.aggregated_votes.filter(counts__isnull=False).order_by("pk").values_list("name", "counts")
    lowest = vote_import.scale_min
    return (HistogramRecord(name, tuple(counts or ()), lowest) for name, counts in rows.iterator(chunk_size=_ROWS))


def watch_records(campaign: Campaign) -> Iterator[WatchRecord]:
    """Yield whether each photo shows a watch by most of its independent votes, in the order of the photos.

    'unsure' if as many say one as the other. Photos of which nobody was asked are left out, and withdrawn ones.
    """
    asked = votes_of(campaign, independent=True).exclude(watch="").order_by("image")
    rows = asked.values_list("image", "image__name").annotate(
        yes=Count("pk", filter=Q(watch="yes")), no=Count("pk", filter=Q(watch="no"))
    )
    for _image, name, yes, no in rows.iterator(chunk_size=_ROWS):
        yield WatchRecord(name, majority_label(yes, no) or "unsure")


def aggregated_watch_records(vote_import: VoteImport) -> Iterator[WatchRecord]:
    """Yield the watch labels of an import with the names of its file, in the order of the file (one query)."""
    rows = vote_import.aggregated_votes.filter(watch_yes__isnull=False).order_by("pk")
    return (WatchRecord(one.name, one.watch) for one in rows.iterator(chunk_size=_ROWS))


def _records(annotations: AnnotationQuerySet) -> Iterator[AnnotationRecord]:
    fields = [_FIELDS.get(name, name) for name in AnnotationRecord._fields]
    rows = annotations.with_independence().order_by("pk").values_list(*fields)
    return map(AnnotationRecord._make, rows.iterator(chunk_size=_ROWS))
