"""Photos with predictions, distortions and MOS as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import PhotoRecord


class PhotosCsv(CsvFormat[PhotoRecord]):
    """One line per photo."""

    name = "photos-csv"
    label = "Photos (CSV)"
    description = "One line per photo, with the model's prediction, the distortions and the annotators' votes."
    record = PhotoRecord
