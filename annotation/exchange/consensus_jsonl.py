"""The consensus on each photo as JSON Lines. Pure."""

from annotation.exchange.consensus_csv import ConsensusCsv
from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.json_table_reader import JsonTableReader
from annotation.exchange.reading import MeanScore
from annotation.exchange.records import ConsensusRecord
from annotation.language import gettext_noop


class ConsensusJsonLines(JsonLinesFormat[ConsensusRecord], JsonTableReader):
    """One line per photo with votes, read as `ConsensusCsv`."""

    name = "consensus-jsonl"
    label = gettext_noop("Consensus (JSON Lines)")
    description = ConsensusCsv.description
    record = ConsensusRecord
    reads = MeanScore
    table = ConsensusCsv()
    example = '{"image": "1.jpg", "mos": 6.5}'
