"""Database rows for the export formats, as an iterator that keeps few of them in memory."""

from collections.abc import Iterator

from annotation.exchange.records import AnnotationRecord
from annotation.models import Annotation, AnnotationQuerySet, Campaign, User

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


def _records(annotations: AnnotationQuerySet) -> Iterator[AnnotationRecord]:
    fields = [_FIELDS.get(name, name) for name in AnnotationRecord._fields]
    rows = annotations.with_independence().order_by("pk").values_list(*fields)
    return map(AnnotationRecord._make, rows.iterator(chunk_size=_ROWS))
