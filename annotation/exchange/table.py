"""Annotations as a table: one CSV line per row of `Annotation`, in the order they were recorded."""

import csv
from collections.abc import Iterator
from io import StringIO

from annotation.models import Annotation, Campaign

COLUMNS = {
    "annotation": "pk",
    "image": "image__name",
    "sha256": "image__sha256",
    "annotator": "annotator__username",
    "simulated": "annotator__is_simulated",
    "watch": "watch",
    "score": "score",
    "skip_reason": "skip_reason",
    "created_at": "created_at",
    "supersedes": "supersedes_id",
    "saw_prediction": "saw_prediction",
    "surplus": "surplus",
    "is_repeat": "is_repeat",
    "is_anchored": "is_anchored",
    "role": "image__role",
    "milliseconds": "milliseconds",
    "split": "image__split",
}
_ROWS = 2000  # held in memory at a time


def annotation_lines(campaign: Campaign) -> Iterator[str]:
    """Yield the CSV of a campaign, header first, some thousand rows at a time from a server-side cursor.

    Every row is there, also those that a later one supersedes (`supersedes` names the `annotation`
    replaced) and skips (`score` and `watch` are empty then). Yes and no are 1 and 0, times ISO 8601 in UTC.
    """
    rows = Annotation.objects.filter(campaign=campaign).order_by("pk").values_list(*COLUMNS.values())
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows.iterator(chunk_size=_ROWS), start=1):
        writer.writerow([_cell(value) for value in row])
        if number % _ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
