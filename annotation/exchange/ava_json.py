"""The histograms of AVA as JSON. Pure."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from annotation.exchange.format import Format
from annotation.exchange.histogram_rows import rows_on_scale
from annotation.exchange.json_array import array_entries
from annotation.exchange.reading import Histogram, VoteReader, Wrong
from annotation.exchange.records import HistogramRecord
from annotation.exchange.rows import ROWS
from annotation.exchange.values import LineError, count_read, counts_checked, json_text, name_read
from annotation.language import gettext_noop

_COUNTS = 10


class AvaJson(Format[HistogramRecord], VoteReader):
    """An array of objects with `image_id` and `label`: the ten numbers of votes for the scores 1 to 10.

    The array is read entry by entry, so the file can be of any size; an entry has at most 1,000,000 characters. The
    line of a row is the number of its entry.
    Source: the samples of idealo's image-quality-assessment.
    """

    name = "ava-json"
    label = gettext_noop("AVA as JSON (idealo)")
    description = gettext_noop(
        "AVA as JSON: an array of objects with image_id and label, the votes for the scores 1 to 10."
    )
    suffix = ".json"
    content_type = "application/json"
    record = HistogramRecord
    reads = Histogram
    file_scale = (1, 10)
    by_stem = True

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Histogram | Wrong]:
        """Yield the rows of the file, as `VoteReader.read` says."""
        for number, entry in enumerate(array_entries(path), start=1):
            try:
                yield _row(number, entry)
            except LineError as error:
                yield Wrong(number, str(error))

    def write(self, rows: Iterable[HistogramRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the array in UTF-8. Raises ValueError when the scale of a row is not 1 to 10."""
        entries = (
            json.dumps({"image_id": name, "label": counts}, ensure_ascii=False)
            for name, counts in rows_on_scale(rows, (1, 10), self.label, by_stem=True)
        )
        before = "[\n"
        while piece := list(islice(entries, ROWS)):
            yield (before + ",\n".join(piece)).encode()
            before = ",\n"
        yield b"[]\n" if before == "[\n" else b"\n]\n"


def _row(number: int, entry: object) -> Histogram:
    """Return the histogram of an entry. Raises LineError."""
    if not isinstance(entry, dict):
        raise LineError(gettext_noop("The entry is not a JSON object with image_id and label."))
    label = entry.get("label")
    if not isinstance(label, list) or len(label) != _COUNTS:
        raise LineError(gettext_noop("The label is not a list of ten numbers of votes."))
    counts = [
        count_read(json_text(count, gettext_noop("number of votes")), gettext_noop("number of votes"))
        for count in label
    ]
    return Histogram(number, name_read(json_text(entry.get("image_id"), "image_id")), counts_checked(counts))
