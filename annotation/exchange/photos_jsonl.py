"""Photos with predictions, distortions and MOS as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import PhotoRecord


class PhotosJsonLines(JsonLinesFormat[PhotoRecord]):
    """One line per photo."""

    name = "photos-jsonl"
    label = "Photos (JSON Lines)"
    description = "One object per photo, with the model's prediction, the distortions and the annotators' votes."
    record = PhotoRecord
