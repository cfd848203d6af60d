"""Single votes as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.parquet_reader import ParquetReader
from annotation.exchange.reading import Vote
from annotation.exchange.records import VoteRecord
from annotation.exchange.votes_csv import VotesCsv
from annotation.language import gettext_noop


class VotesParquet(ParquetFormat[VoteRecord], ParquetReader):
    """One row per vote, with the columns of `VotesCsv`."""

    name = "votes-parquet"
    label = gettext_noop("Votes (Parquet)")
    description = gettext_noop("One row per vote: annotator, file, score, and if known the watch label and the time.")
    record = VoteRecord
    reads = Vote
    table = VotesCsv()
