"""The consensus on each photo as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import ConsensusRecord


class ConsensusParquet(ParquetFormat[ConsensusRecord]):
    """One row per photo with votes."""

    name = "consensus-parquet"
    label = "Consensus (Parquet)"
    description = "One row per photo with votes: MOS with its interval, corrected MOS, watch label, decision."
    record = ConsensusRecord
