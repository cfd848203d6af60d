"""Labels and scores of all photos, with who said so, as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import DecisionRecord
from annotation.language import gettext_noop


class DecisionsCsv(CsvFormat[DecisionRecord]):
    """One line per photo."""

    name = "decisions-csv"
    label = gettext_noop("Labels and who said so (CSV)")
    description = gettext_noop(
        "One line per photo with its class, score and watch label, and whether people or the model said so."
    )
    record = DecisionRecord
