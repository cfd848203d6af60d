"""Reads a JSON array entry by entry, so that it can be of any length. Pure."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from annotation.exchange.reading import VoteFileError
from annotation.exchange.tables import text_open
from annotation.language import gettext_noop

#: Characters of the longest entry that is read.
LONGEST_ENTRY = 1_000_000
_PIECE = 64 * 1024
_NO_SPACE = re.compile(r"[^ \t\n\r]")


def array_entries(path: Path) -> Iterator[object]:
    """Yield the entries of the array in a JSON file. Raises OSError and VoteFileError."""
    number = 0
    with text_open(path) as file:
        text = _JsonText(file)
        try:
            if not text.next_mark():
                raise VoteFileError(gettext_noop("The file is empty."))
            text.take("[")
            if text.next_mark() != "]":
                yield text.value()
                number += 1
                while text.next_mark() == ",":
                    text.take(",")
                    yield text.value()
                    number += 1
            text.take("]")
            text.take("")
        except VoteFileError:
            raise
        except UnicodeError as error:
            raise VoteFileError(
                gettext_noop("The file is not text in UTF-8 or UTF-16. Save the file as UTF-8.")
            ) from error
        except (ValueError, RecursionError) as error:
            where = (
                gettext_noop("after entry %(number)s") % {"number": number} if number else gettext_noop("at its start")
            )
            raise VoteFileError(
                gettext_noop("The file is not a JSON array. It cannot be read %(where)s.") % {"where": where}
            ) from error


class _JsonText:
    """A JSON text of which only a part is in memory."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.part = ""
        self.place = 0
        self.is_end = False
        self.decoder = json.JSONDecoder()

    def next_mark(self) -> str:
        """Go to the next character that is no space, and return it; empty at the end."""
        while not (found := _NO_SPACE.search(self.part, self.place)):
            self.place = len(self.part)
            if self.is_end:
                return ""
            self._read()
        self.place = found.start()
        return found[0]

    def take(self, mark: str) -> None:
        """Go behind the next character. Raises ValueError when it is not this one."""
        if self.next_mark() != mark:
            raise ValueError(f"{mark!r} is missing")
        self.place += 1

    def value(self) -> Any:
        """Return the next value, and go behind it. Raises ValueError and RecursionError."""
        self.next_mark()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.part, self.place)
            except ValueError:
                if self.is_end or len(self.part) - self.place > LONGEST_ENTRY:
                    raise
            else:
                if end < len(self.part) or self.is_end:  # else it may go on, as numbers do
                    self.place = end
                    return value
            self._read()

    def _read(self) -> None:
        piece = self.file.read(_PIECE)
        self.part, self.place, self.is_end = self.part[self.place :] + piece, 0, not piece
