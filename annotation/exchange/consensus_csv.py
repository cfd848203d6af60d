"""The consensus on each photo as CSV. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import ConsensusRecord


class ConsensusCsv(CsvFormat[ConsensusRecord]):
    """One line per photo with votes."""

    name = "consensus-csv"
    label = "Consensus (CSV)"
    description = "One line per photo with votes: MOS with its interval, corrected MOS, watch label, decision."
    record = ConsensusRecord
