"""Single votes as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import VoteRecord


class VotesParquet(ParquetFormat[VoteRecord]):
    """One row per vote, with the columns of `VotesCsv`.

    It is not read: a damaged file can end the process of the library that reads it, and its columns can be of any size.
    """

    name = "votes-parquet"
    label = "Votes (Parquet)"
    description = "One row per vote: annotator, file, score, watch label and time."
    record = VoteRecord
