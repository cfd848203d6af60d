"""The consensus on each photo as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.mean_csv import MeanCsv
from annotation.exchange.reading import MeanScore
from annotation.exchange.records import ConsensusRecord
from annotation.language import gettext_noop


class ConsensusCsv(CsvFormat[ConsensusRecord], MeanCsv):
    """One line per photo with votes. Of the figures, an import takes the MOS, its SOS and the number of votes."""

    name = "consensus-csv"
    label = gettext_noop("Consensus (CSV)")
    description = gettext_noop(
        "One line per photo with votes: MOS with its interval, corrected MOS, watch label, decision. "
        "Read: MOS, SOS and votes."
    )
    record = ConsensusRecord
    reads = MeanScore
