"""Single votes as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.json_table_reader import JsonTableReader
from annotation.exchange.reading import Vote
from annotation.exchange.records import VoteRecord
from annotation.exchange.votes_csv import VotesCsv
from annotation.language import gettext_noop


class VotesJsonLines(JsonLinesFormat[VoteRecord], JsonTableReader):
    """One object per vote, with the columns of `VotesCsv` as keys."""

    name = "votes-jsonl"
    label = gettext_noop("Votes (JSON Lines)")
    description = gettext_noop(
        "One object per vote: annotator, file, score, and if known the watch label and the time."
    )
    record = VoteRecord
    reads = Vote
    table = VotesCsv()
    example = '{"annotator": "a", "file": "1.jpg", "score": 7}'
