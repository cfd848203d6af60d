"""Reads the values in vote files: names, scores, counts, means and times. Pure.

The functions take the text of a cell and raise LineError, whose message says what is there and what is expected.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from annotation.exchange.reading import NAME_LENGTH, WATCH_LABELS
from annotation.files.names import name_shown, text_storable

#: Most votes of one photo: the database counts them in 32 bits.
MOST_VOTES = 1_000_000_000
_LONGEST_NUMBER = 60
_SHOWN = 60
# Only the digits 0 to 9: `int` and `float` also accept those of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
# How programs write the label of a folder or of a column.
_WATCH_SPELLINGS = {
    **dict.fromkeys(("watch", "1", "1.0", "true"), "yes"),
    **dict.fromkeys(("no-watch", "no_watch", "no watch", "0", "0.0", "false"), "no"),
}
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no", ""}
_WHOLE = re.compile(r"[0-9]{1,9}")


class LineError(ValueError):
    """A line cannot be used. The message is a sentence that says why."""


def shown(text: str) -> str:
    """Return a text of the file in quotes for a message: shortened, on one line."""
    return f'"{name_shown(text[:_SHOWN])}{"…" if len(text) > _SHOWN else ""}"'


def name_read(text: str, what: str = "name of the photo") -> str:
    """Return the name of a photo or of an annotator, unchanged."""
    if not text or text.isspace():
        raise LineError(f"The {what} is missing.")
    if len(text) > NAME_LENGTH:
        raise LineError(f"The {what} has {len(text):,} characters. At most {NAME_LENGTH} are possible.")
    if "\0" in text or not (text.isascii() or text_storable(text) == text):
        raise LineError(f"The {what} is {shown(text)}. It has a character that cannot be stored.")
    return text


def number_read(text: str, what: str) -> float:
    """Return a number. Numbers that a float cannot hold are infinite; the caller checks the range."""
    stripped = text.strip()
    if not stripped:
        raise LineError(f"The {what} is missing.")
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(stripped):
        raise LineError(f"The {what} is {shown(text)}, which is not a number such as 7 or 6.5.")
    return float(stripped)


@lru_cache(maxsize=1024)
def score_read(text: str, scale: tuple[int, int]) -> int:
    """Return a score: a whole number on the scale, also written as 7.0."""
    value = mean_read(text, scale, "score")
    if not value.is_integer():
        raise LineError(f"The score is {text.strip()}, but votes are whole numbers.")
    return int(value)


def mean_read(text: str, scale: tuple[int, int], what: str = "mean") -> float:
    """Return a number on the scale."""
    value = number_read(text, what)
    if not scale[0] <= value <= scale[1]:
        raise LineError(f"The {what} is {text.strip()}, but the scale is from {scale[0]} to {scale[1]}.")
    return value


def deviation_read(text: str, scale: tuple[int, int]) -> float:
    """Return a standard deviation of votes, 0 … the length of the scale."""
    value, most = number_read(text, "sos"), scale[1] - scale[0]
    if not 0 <= value <= most:
        raise LineError(f"The sos is {text.strip()}, but a standard deviation on this scale is from 0 to {most}.")
    return value


def count_read(text: str, what: str) -> int:
    """Return a number of votes, 0 … MOST_VOTES, also written as 7.0."""
    if _WHOLE.fullmatch(text):
        return int(text)
    value = number_read(text, what)
    if not (0 <= value <= MOST_VOTES and value.is_integer()):
        raise LineError(f"The {what} is {text.strip()}, which is not a whole number from 0 to {MOST_VOTES:,}.")
    return int(value)


def counts_checked(counts: Sequence[int]) -> tuple[int, ...]:
    """Return the counts of a histogram, which need at least one vote."""
    votes = sum(counts)
    if not votes:
        raise LineError("The line has no votes.")
    if votes > MOST_VOTES:
        raise LineError(f"The line has {votes:,} votes. At most {MOST_VOTES:,} are possible.")
    return tuple(counts)


def yes_read(text: str, what: str) -> bool:
    """Return whether a cell says true. An empty one is false."""
    value = text.strip().lower()
    if value not in _TRUE and value not in _FALSE:
        raise LineError(f"The {what} is {shown(text)}. It can be true or false.")
    return value in _TRUE


def watch_read(text: str) -> str:
    """Return one of WATCH_LABELS."""
    label = text.strip().lower()
    if label not in WATCH_LABELS:
        raise LineError(f"The watch label is {shown(text)}. It can be yes, no, unsure or empty.")
    return label


def watch_label_read(text: str) -> str:
    """Return one of WATCH_LABELS, also for what other programs write: watch, no-watch, 1, 0, true or false."""
    label = text.strip().lower()
    label = _WATCH_SPELLINGS.get(label, label)
    if label not in WATCH_LABELS:
        raise LineError(
            f"The watch label is {shown(text)}. It can be yes, no or unsure; watch or no-watch; 1 or 0; true or false."
        )
    return label


def time_read(text: str) -> datetime | None:
    """Return a time in UTC from ISO 8601, or None for an empty text."""
    stripped = text.strip()
    if not stripped:
        return None
    wanted = "It must be like 2026-03-01T12:00:00+00:00"
    try:
        time = datetime.fromisoformat(stripped) if stripped.isascii() else None
    except ValueError:
        time = None
    if time is None:
        raise LineError(f"The time is {shown(text)}. {wanted}.")
    if time.tzinfo is None:
        raise LineError(f"The time is {shown(text)}. {wanted}, with a time zone.")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise LineError(f"The time {shown(text)} is out of range.") from None


def json_object(text: str, example: str) -> dict[str, Any]:
    """Return the JSON object of a line. Raises LineError, with an example of a line."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        raise LineError("The line is not JSON.") from None
    if not isinstance(entry, dict):
        raise LineError(f"The line is not a JSON object such as {example}.")
    return entry


def json_text(value: object, what: str) -> str:
    """Return a JSON text or number as the text of a cell; null is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    raise LineError(f"The {what} is neither a text nor a number.")
