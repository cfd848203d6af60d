"""The rows of a vote file in temporary tables: they are checked there, then stored with a few statements.

Names are replaced by numbers, so that a row is a few integers. All functions need the transaction of the import, and
the tables end with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from django.db import connection
from django.utils.translation import gettext_noop

from annotation.exchange.reading import Histogram, MeanScore, Row, Vote, WatchLabel, Wrong
from annotation.measures import opinion
from annotation.models import VoteImport

#: Wrong lines that are kept; of the others only the number is known.
PROBLEMS_KEPT = 100
_ROWS = 20_000  # rows in one COPY
_PHOTOS = 2_000  # photos whose votes are stored by one statement
_NULL = r"\N"
# {watch label: votes for a watch and against it} as values of COPY.
_WATCH = {"yes": "1\t0", "no": "0\t1", "unsure": "0\t0", "": f"{_NULL}\t{_NULL}"}

# The tables end with the transaction. A second import in one transaction, as in tests, begins again.
_CREATE = """
DROP TABLE IF EXISTS vote_row, aggregated_row, photo_of_row, annotator_of_row;
CREATE TEMPORARY TABLE vote_row (
  line bigint, photo integer, annotator integer, score integer, watch text, given_at timestamptz
) ON COMMIT DROP;
CREATE TEMPORARY TABLE aggregated_row (
  line bigint, photo integer, votes integer, mos double precision, sos double precision, counts integer[],
  watch_yes integer, watch_no integer
) ON COMMIT DROP;
CREATE TEMPORARY TABLE photo_of_row (photo integer PRIMARY KEY, image_id bigint, name text) ON COMMIT DROP;
CREATE TEMPORARY TABLE annotator_of_row (annotator integer PRIMARY KEY, user_id bigint) ON COMMIT DROP;
"""

_TWICE = """
SELECT count(*) OVER (), line, first, photo FROM (
  SELECT line, photo, min(line) OVER (PARTITION BY {columns}) AS first FROM {table}
) pairs WHERE line <> first ORDER BY line LIMIT %s
"""

# Votes of the same person that came with an earlier import.
_VOTED_BEFORE = """
SELECT count(*) OVER (), vote_row.line, photo_of_row.name, earlier.id
FROM vote_row
JOIN photo_of_row USING (photo)
JOIN annotator_of_row USING (annotator)
JOIN annotation_annotation answer
  ON answer.image_id = photo_of_row.image_id AND answer.annotator_id = annotator_of_row.user_id
JOIN annotation_voteimport earlier ON earlier.id = answer.vote_import_id
ORDER BY vote_row.line LIMIT %s
"""

_STORE_VOTES = """
INSERT INTO annotation_annotation (
  client_id, campaign_id, image_id, annotator_id, watch, score, skip_reason, saw_prediction, is_blind, is_repeat,
  is_anchored, surplus, viewing, created_at, given_at, vote_import_id
)
SELECT gen_random_uuid(), %(campaign)s, image.id, annotator_of_row.user_id, vote_row.watch, vote_row.score, '', false,
  true, false, false,
  image.vote_count + row_number() OVER (PARTITION BY image.id ORDER BY vote_row.line) > image.votes_needed,
  '{}', now(), vote_row.given_at, %(vote_import)s
FROM photo_of_row
JOIN annotation_image image ON image.id = photo_of_row.image_id
JOIN vote_row USING (photo)
JOIN annotator_of_row USING (annotator)
WHERE photo_of_row.photo >= %(first)s AND photo_of_row.photo < %(end)s
ORDER BY vote_row.line
"""

_STORE_AGGREGATED = """
INSERT INTO annotation_aggregatedvotes (
  vote_import_id, image_id, name, counts, votes, mos, sos, watch_yes, watch_no
)
SELECT %(vote_import)s, photo_of_row.image_id, photo_of_row.name, counts, votes, mos, sos, watch_yes, watch_no
FROM aggregated_row JOIN photo_of_row USING (photo)
WHERE photo_of_row.photo >= %(first)s AND photo_of_row.photo < %(end)s
"""

Item = TypeVar("Item")


@dataclass
class Problems:
    """What is wrong with a file: the first `PROBLEMS_KEPT` lines, and how many there are."""

    kept: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, why: str) -> None:
        """Note a line that is wrong."""
        self.add_first([(line, why)], 1)

    def add_first(self, first: Iterable[tuple[int, str]], count: int) -> None:
        """Note the first of `count` lines that are wrong."""
        self.count += count
        self.kept.extend(islice(first, PROBLEMS_KEPT - len(self.kept)))


class RowTables:
    """The temporary tables of one import."""

    def __init__(self) -> None:
        """Create the tables. Needs a transaction."""
        self.photos: dict[str, int] = {}
        """{name in the file: number}"""
        self.annotators: dict[str, int] = {}
        self.problems = Problems()
        self.rows = 0
        with connection.cursor() as cursor:
            cursor.execute(_CREATE)

    def fill(self, rows: Iterable[Row | Wrong], *, lowest: int, scores: Mapping[int, int]) -> Iterator[int]:
        """Write the rows into the tables, and yield the line that was reached each time some have been written.

        lowest: lowest score of the file. scores: {score in the file: score of a vote in the campaign}, for every score
        of the file's scale; only votes use it.
        """
        for piece in _pieces(rows, _ROWS):
            for row in piece:
                if isinstance(row, Wrong):
                    self.problems.add(row.line, row.why)
            votes = [self._vote_line(row, scores) for row in piece if isinstance(row, Vote)]
            histograms = [row for row in piece if isinstance(row, Histogram)]
            means = [self._mean_line(row) for row in piece if isinstance(row, MeanScore)]
            labels = [self._label_line(row) for row in piece if isinstance(row, WatchLabel)]
            _copy("vote_row", votes)
            _copy("aggregated_row", [*self._histogram_lines(histograms, lowest), *means, *labels])
            self.rows += len(votes) + len(histograms) + len(means) + len(labels)
            yield piece[-1].line

    def _photo(self, row: Row) -> int:
        return self.photos.setdefault(row.photo, len(self.photos))

    def _vote_line(self, row: Vote, scores: Mapping[int, int]) -> str:
        annotator = self.annotators.setdefault(row.annotator, len(self.annotators))
        when = _NULL if row.given_at is None else row.given_at.isoformat()
        return f"{row.line}\t{self._photo(row)}\t{annotator}\t{scores[row.score]}\t{row.watch}\t{when}\n"

    def _histogram_lines(self, rows: Sequence[Histogram], lowest: int) -> Iterator[str]:
        if not rows:
            return
        counts = np.array([row.counts for row in rows], dtype=np.int64)
        votes = counts.sum(axis=1).tolist()
        means, spreads = opinion.mos(counts, lowest).tolist(), opinion.sos(counts).tolist()
        for row, count, mos, sos in zip(rows, votes, means, spreads, strict=True):
            array = ",".join(map(str, row.counts))
            yield f"{row.line}\t{self._photo(row)}\t{count}\t{mos!r}\t{_number(sos)}\t{{{array}}}\t{_NULL}\t{_NULL}\n"

    def _mean_line(self, row: MeanScore) -> str:
        votes = _NULL if row.votes is None else row.votes
        return (
            f"{row.line}\t{self._photo(row)}\t{votes}\t{row.mos!r}\t{_number(row.sos)}\t{_NULL}\t{_WATCH[row.watch]}\n"
        )

    def _label_line(self, row: WatchLabel) -> str:
        return f"{row.line}\t{self._photo(row)}\t{_NULL}\t{_NULL}\t{_NULL}\t{_NULL}\t{_WATCH[row.watch]}\n"

    def check_twice(self) -> None:
        """Note each vote on a photo on which the same annotator has one, and each further row of aggregated votes."""
        names = list(self.photos)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE vote_row")
            for table, columns, words in (
                (
                    "vote_row",
                    "photo, annotator",
                    gettext_noop("This annotator's vote on %(photo)s is in line %(line)s already."),
                ),
                (
                    "aggregated_row",
                    "photo",
                    gettext_noop("What people said about %(photo)s is in line %(line)s already."),
                ),
            ):
                cursor.execute(_TWICE.format(table=table, columns=columns), [PROBLEMS_KEPT])
                found = cursor.fetchall()
                self.problems.add_first(
                    ((line, words % {"photo": names[photo], "line": first}) for _, line, first, photo in found),
                    found[0][0] if found else 0,
                )

    def photos_set(self, image_ids: Mapping[str, int]) -> None:
        """Say which photo a name belongs to: {name in the file: id}. Names without a photo have none."""
        lines = [
            f"{number}\t{image_ids.get(name, _NULL)}\t{_copy_text(name)}\n" for name, number in self.photos.items()
        ]
        _copy("photo_of_row", lines)

    def rows_without_photo_remove(self) -> int:
        """Remove the votes on photos that the campaign does not have, and return how many there were."""
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM vote_row USING photo_of_row known "
                "WHERE known.photo = vote_row.photo AND known.image_id IS NULL"
            )
            self.rows -= cursor.rowcount
            return int(cursor.rowcount)

    def votes_without_photo(self) -> list[tuple[int, str]]:
        """Return (line, name) of the first vote on each photo that the campaign does not have."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT min(line), name FROM vote_row JOIN photo_of_row USING (photo) "
                "WHERE image_id IS NULL GROUP BY name ORDER BY 1"
            )
            return [(int(line), str(name)) for line, name in cursor.fetchall()]

    def annotators_set(self, user_ids: Mapping[str, int]) -> None:
        """Say which user a name belongs to, and note the votes that the same person has given in an earlier import."""
        _copy(
            "annotator_of_row",
            [f"{number}\t{user_ids[name]}\n" for name, number in self.annotators.items() if name in user_ids],
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE photo_of_row, annotator_of_row")
            cursor.execute(_VOTED_BEFORE, [PROBLEMS_KEPT])
            found = cursor.fetchall()
        before = gettext_noop("This annotator's vote on %(photo)s came already with import %(import)s.")
        self.problems.add_first(
            ((line, before % {"photo": name, "import": pk}) for _, line, name, pk in found),
            found[0][0] if found else 0,
        )

    def annotators_left(self) -> list[str]:
        """Return the names of annotators who have rows, in the order of the file."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT annotator FROM vote_row")
            left = {number for (number,) in cursor.fetchall()}
        return [name for name, number in self.annotators.items() if number in left]

    def photo_count(self) -> int:
        """Return how many photos have rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM (SELECT photo FROM vote_row UNION SELECT photo FROM aggregated_row) photos"
            )
            return int(cursor.fetchone()[0])

    def store(self, vote_import: VoteImport) -> Iterator[int]:
        """Store all rows, and yield the number of rows so far. The caller then rebuilds the counters of the photos.

        No photo is locked, so annotators need not wait for the end of the transaction.
        """
        stored = 0
        with connection.cursor() as cursor:
            # Checked after each statement, so that the checks do not all wait for the end of the transaction.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("CREATE INDEX ON vote_row (photo)")
            cursor.execute("CREATE INDEX ON aggregated_row (photo)")
            cursor.execute("ANALYZE vote_row, aggregated_row, photo_of_row, annotator_of_row")
            for first in range(0, len(self.photos), _PHOTOS):
                part: dict[str, Any] = {
                    "campaign": vote_import.campaign_id,
                    "vote_import": vote_import.pk,
                    "first": first,
                    "end": first + _PHOTOS,
                }
                for statement in (_STORE_VOTES, _STORE_AGGREGATED):
                    cursor.execute(statement, part)
                    stored += cursor.rowcount
                yield stored


def _number(value: float | None) -> str:
    """Return a number as a value of COPY; NULL for None and NaN."""
    return _NULL if value is None or value != value else repr(value)


def _copy(table: str, lines: Sequence[str]) -> None:
    """Append lines of tab-separated values to a table."""
    if not lines:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        copy.write("".join(lines))


def _copy_text(text: str) -> str:
    """Return a text as a value of COPY's text format."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _pieces(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
