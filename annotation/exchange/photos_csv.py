"""Photos with predictions, distortions and MOS as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import PhotoRecord
from annotation.language import gettext_noop


class PhotosCsv(CsvFormat[PhotoRecord]):
    """One line per photo."""

    name = "photos-csv"
    label = gettext_noop("Photos (CSV)")
    description = gettext_noop(
        "One line per photo, with the model's prediction, the distortions and the annotators' votes."
    )
    record = PhotoRecord
