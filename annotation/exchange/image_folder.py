"""`metadata.jsonl` of an image folder, as Hugging Face datasets read it. Pure."""

from annotation.exchange.line_reader import LineReader
from annotation.exchange.reading import MeanScore, WatchLabel
from annotation.exchange.values import (
    LineError,
    count_read,
    deviation_read,
    json_object,
    json_text,
    mean_read,
    name_read,
    watch_label_read,
)
from annotation.language import gettext_noop

_MEANS = ("mos", "score", "rating", "label")


class ImageFolder(LineReader):
    """One object per photo: `file_name`, a mean in `mos`, `score`, `rating` or `label`, and if known `sos`
    (standard deviation of the votes), `votes` (their number) and `watch`. A line needs a mean or a watch label.

    `file`, if it is there, is the name that the photo had before the folder was made, and is preferred. The photos
    themselves are imported as every folder. `manage.py export_photos` writes such folders.
    """

    name = "image-folder"
    label = gettext_noop("Image folder (metadata.jsonl)")
    description = gettext_noop(
        "metadata.jsonl of an image folder: file_name, and mos, score, rating or label as the mean, or watch."
    )
    reads = MeanScore

    def row(self, line: int, text: str, scale: tuple[int, int]) -> MeanScore | WatchLabel | None:
        """Return the mean of a line, or only its watch label; None for a photo without either. Raises LineError."""
        entry = json_object(text, '{"file_name": "1.jpg", "mos": 6.5}')
        column = next((name for name in _MEANS if name in entry), None)
        if column is None and "watch" not in entry:
            raise LineError(gettext_noop("The line has none of %(means)s, watch.") % {"means": ", ".join(_MEANS)})
        name = name_read(json_text(entry.get("file") or entry.get("file_name"), "file_name"))
        watch = entry.get("watch")
        label = watch_label_read(
            str(watch) if isinstance(watch, bool) else json_text(watch, gettext_noop("watch label"))
        )
        if column is None or entry[column] is None:
            return WatchLabel(line, name, label) if label else None
        mean = mean_read(json_text(entry[column], column), scale, column)
        votes = json_text(entry.get("votes"), gettext_noop("number of votes"))
        sos = json_text(entry.get("sos"), "sos")
        return MeanScore(
            line,
            name,
            mean,
            deviation_read(sos, scale) if sos else None,
            (count_read(votes, gettext_noop("number of votes")) or None) if votes else None,
            label,
        )
