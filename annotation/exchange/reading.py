"""What readers of vote files yield: rows with line numbers, and what is wrong in a line. Pure.

A reader checks each line by itself. What needs the database (does the photo exist, has the annotator voted before) is
checked by `annotation.services.vote_imports`, which stores all rows of a file or none.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple

#: Watch labels. Empty: the file does not say.
WATCH_LABELS = ("yes", "no", "unsure", "")
#: Longest photo name and annotator name.
NAME_LENGTH = 500


class Vote(NamedTuple):
    """One vote of one person."""

    line: int
    """Line of the file, from 1; for a file without lines the number of the entry."""
    photo: str
    """Name as in the file."""
    annotator: str
    score: int
    """On the scale of the file."""
    watch: str = ""
    """One of WATCH_LABELS."""
    given_at: datetime | None = None
    """With a time zone; None if the file does not say."""


class Histogram(NamedTuple):
    """How often each score was given to one photo. Nobody knows who gave them."""

    line: int
    photo: str
    counts: tuple[int, ...]
    """Votes for each score of the file's scale, lowest first; at least one vote."""


class MeanScore(NamedTuple):
    """The mean of the votes on one photo, without the votes."""

    line: int
    photo: str
    mos: float
    """On the scale of the file."""
    sos: float | None = None
    """Standard deviation of the votes, if the file says it."""
    votes: int | None = None
    """Number of votes, if the file says it."""
    watch: str = ""
    """One of WATCH_LABELS."""


class WatchLabel(NamedTuple):
    """Whether one photo shows a watch, and nothing about its quality. Nobody knows who said so."""

    line: int
    photo: str
    watch: str
    """One of WATCH_LABELS, not empty."""


Row = Vote | Histogram | MeanScore | WatchLabel
"""A line that can be used."""


class Wrong(NamedTuple):
    """A line that cannot be used."""

    line: int
    why: str
    """A sentence about this line, without its number."""


class VoteFileError(ValueError):
    """The file as a whole cannot be read, for example because of its header. The message is a sentence."""


class VoteReader(ABC):
    """A format whose files can be imported. A format that can also be written extends `Format` too."""

    name: ClassVar[str]
    """Name in commands and URLs."""
    label: ClassVar[str]
    """Name on pages."""
    description: ClassVar[str]
    """One sentence about its content."""
    reads: ClassVar[type[Row]]
    """Type of its rows. A row without a mean of a reader of means is a `WatchLabel`."""
    file_scale: ClassVar[tuple[int, int] | None] = None
    """Lowest and highest score of every file in this format; None if it differs from file to file."""
    by_stem: ClassVar[bool] = False
    """Whether the names in the files lack the extension of the photos' names."""
    counts_lines: ClassVar[bool] = True
    """Whether the line ends of a file show how long it is."""

    takes_folders: ClassVar[bool] = False
    """Whether `read` also takes a folder."""

    def for_limits(self, limits: tuple[float, float]) -> "VoteReader":
        """Return the reader for a campaign with these limits: rejected and pending up to, on the scale of the file."""
        return self

    @abstractmethod
    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Row | Wrong]:
        """Yield the rows of a file, keeping few of them in memory, and a `Wrong` for each line that has no row.

        scale: lowest and highest score of this file; the same as `file_scale` where that is set. A row outside the
        scale is `Wrong`. Raises VoteFileError, and OSError when the file cannot be opened.
        """
