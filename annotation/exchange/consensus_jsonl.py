"""The consensus on each photo as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import ConsensusRecord


class ConsensusJsonLines(JsonLinesFormat[ConsensusRecord]):
    """One line per photo with votes."""

    name = "consensus-jsonl"
    label = "Consensus (JSON Lines)"
    description = "One line per photo with votes: MOS with its interval, corrected MOS, watch label, decision."
    record = ConsensusRecord
