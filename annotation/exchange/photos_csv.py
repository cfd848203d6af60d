"""Photos with predictions, distortions and opinions as a table. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import PhotoRecord


class PhotosCsv(CsvFormat[PhotoRecord]):
    """One line a photo."""

    name = "photos-csv"
    label = "Photos (CSV)"
    description = "What the model, the distortion detectors and the people say about each photo: one line each."
    record = PhotoRecord
