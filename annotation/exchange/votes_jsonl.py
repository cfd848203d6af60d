"""Single votes as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.line_reader import LineReader
from annotation.exchange.reading import Vote
from annotation.exchange.records import VoteRecord
from annotation.exchange.values import json_object, json_text, name_read, score_read, time_read, watch_read
from annotation.exchange.votes_csv import VotesCsv

_COLUMNS = {**VotesCsv.needed, **VotesCsv.optional}


class VotesJsonLines(JsonLinesFormat[VoteRecord], LineReader):
    """One object per vote, with the columns of `VotesCsv` as keys. Names can also be whole numbers."""

    name = "votes-jsonl"
    label = "Votes (JSON Lines)"
    description = "One object per vote: annotator, file, score, and if known the watch label and the time."
    record = VoteRecord
    reads = Vote

    def row(self, line: int, text: str, scale: tuple[int, int]) -> Vote:
        """Return the vote of a line. Raises LineError."""
        entry = json_object(text, '{"annotator": "a", "file": "1.jpg", "score": 7}')
        found = [next((entry[name] for name in names if name in entry), None) for names in _COLUMNS.values()]
        annotator, photo, score, watch, given_at = (
            json_text(value, column) for column, value in zip(_COLUMNS, found, strict=True)
        )
        return Vote(
            line,
            name_read(photo),
            name_read(annotator, "name of the annotator"),
            score_read(score, scale),
            watch_read(watch),
            time_read(given_at),
        )
