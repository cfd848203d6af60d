"""Photos with predictions, distortions and MOS as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import PhotoRecord
from annotation.language import gettext_noop


class PhotosJsonLines(JsonLinesFormat[PhotoRecord]):
    """One line per photo."""

    name = "photos-jsonl"
    label = gettext_noop("Photos (JSON Lines)")
    description = gettext_noop(
        "One object per photo, with the model's prediction, the distortions and the annotators' votes."
    )
    record = PhotoRecord
