"""The consensus on each photo as Parquet. Pure."""

from annotation.exchange.consensus_csv import ConsensusCsv
from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.parquet_reader import ParquetReader
from annotation.exchange.reading import MeanScore
from annotation.exchange.records import ConsensusRecord
from annotation.language import gettext_noop


class ConsensusParquet(ParquetFormat[ConsensusRecord], ParquetReader):
    """One row per photo with votes, read as `ConsensusCsv`."""

    name = "consensus-parquet"
    label = gettext_noop("Consensus (Parquet)")
    description = ConsensusCsv.description
    record = ConsensusRecord
    reads = MeanScore
    table = ConsensusCsv()
