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
from annotation.language import gettext_noop

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


def name_read(text: str, what: str = gettext_noop("name of the photo")) -> str:
    """Return the name of a photo or of an annotator, unchanged."""
    if not text or text.isspace():
        raise LineError(gettext_noop("The %(what)s is missing.") % {"what": what})
    if len(text) > NAME_LENGTH:
        raise LineError(
            gettext_noop("The %(what)s has %(count)s characters. At most %(most)s are possible.")
            % {"what": what, "count": f"{len(text):,}", "most": NAME_LENGTH}
        )
    if "\0" in text or not (text.isascii() or text_storable(text) == text):
        raise LineError(
            gettext_noop("The %(what)s is %(text)s. It has a character that cannot be stored.")
            % {"what": what, "text": shown(text)}
        )
    return text


def number_read(text: str, what: str) -> float:
    """Return a number. Numbers that a float cannot hold are infinite; the caller checks the range."""
    stripped = text.strip()
    if not stripped:
        raise LineError(gettext_noop("The %(what)s is missing.") % {"what": what})
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(stripped):
        raise LineError(
            gettext_noop("The %(what)s is %(text)s, which is not a number such as 7 or 6.5.")
            % {"what": what, "text": shown(text)}
        )
    return float(stripped)


@lru_cache(maxsize=1024)
def score_read(text: str, scale: tuple[int, int]) -> int:
    """Return a score: a whole number on the scale, also written as 7.0."""
    value = mean_read(text, scale, gettext_noop("score"))
    if not value.is_integer():
        raise LineError(gettext_noop("The score is %(text)s, but votes are whole numbers.") % {"text": text.strip()})
    return int(value)


def mean_read(text: str, scale: tuple[int, int], what: str = gettext_noop("mean")) -> float:
    """Return a number on the scale."""
    value = number_read(text, what)
    if not scale[0] <= value <= scale[1]:
        raise LineError(
            gettext_noop("The %(what)s is %(text)s, but the scale is from %(low)s to %(high)s.")
            % {"what": what, "text": text.strip(), "low": scale[0], "high": scale[1]}
        )
    return value


def deviation_read(text: str, scale: tuple[int, int]) -> float:
    """Return a standard deviation of votes, 0 … the length of the scale."""
    value, most = number_read(text, "sos"), scale[1] - scale[0]
    if not 0 <= value <= most:
        raise LineError(
            gettext_noop("The sos is %(text)s, but a standard deviation on this scale is from 0 to %(most)s.")
            % {"text": text.strip(), "most": most}
        )
    return value


def count_read(text: str, what: str) -> int:
    """Return a number of votes, 0 … MOST_VOTES, also written as 7.0."""
    if _WHOLE.fullmatch(text):
        return int(text)
    value = number_read(text, what)
    if not (0 <= value <= MOST_VOTES and value.is_integer()):
        raise LineError(
            gettext_noop("The %(what)s is %(text)s, which is not a whole number from 0 to %(most)s.")
            % {"what": what, "text": text.strip(), "most": f"{MOST_VOTES:,}"}
        )
    return int(value)


def counts_checked(counts: Sequence[int]) -> tuple[int, ...]:
    """Return the counts of a histogram, which need at least one vote."""
    votes = sum(counts)
    if not votes:
        raise LineError(gettext_noop("The line has no votes."))
    if votes > MOST_VOTES:
        raise LineError(
            gettext_noop("The line has %(votes)s votes. At most %(most)s are possible.")
            % {"votes": f"{votes:,}", "most": f"{MOST_VOTES:,}"}
        )
    return tuple(counts)


def yes_read(text: str, what: str) -> bool:
    """Return whether a cell says true. An empty one is false."""
    value = text.strip().lower()
    if value not in _TRUE and value not in _FALSE:
        raise LineError(
            gettext_noop("The %(what)s is %(text)s. It can be true or false.") % {"what": what, "text": shown(text)}
        )
    return value in _TRUE


def watch_read(text: str) -> str:
    """Return one of WATCH_LABELS."""
    label = text.strip().lower()
    if label not in WATCH_LABELS:
        raise LineError(
            gettext_noop("The watch label is %(text)s. It can be yes, no, unsure or empty.") % {"text": shown(text)}
        )
    return label


def watch_label_read(text: str) -> str:
    """Return one of WATCH_LABELS, also for what other programs write: watch, no-watch, 1, 0, true or false."""
    label = text.strip().lower()
    label = _WATCH_SPELLINGS.get(label, label)
    if label not in WATCH_LABELS:
        raise LineError(
            gettext_noop(
                "The watch label is %(text)s. It can be yes, no or unsure; watch or no-watch; 1 or 0; true or false."
            )
            % {"text": shown(text)}
        )
    return label


def time_read(text: str) -> datetime | None:
    """Return a time in UTC from ISO 8601, or None for an empty text."""
    stripped = text.strip()
    if not stripped:
        return None
    try:
        time = datetime.fromisoformat(stripped) if stripped.isascii() else None
    except ValueError:
        time = None
    if time is None:
        raise LineError(
            gettext_noop("The time is %(text)s. It must be like 2026-03-01T12:00:00+00:00.") % {"text": shown(text)}
        )
    if time.tzinfo is None:
        raise LineError(
            gettext_noop("The time is %(text)s. It must be like 2026-03-01T12:00:00+00:00, with a time zone.")
            % {"text": shown(text)}
        )
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise LineError(gettext_noop("The time %(text)s is out of range.") % {"text": shown(text)}) from None


def json_object(text: str, example: str) -> dict[str, Any]:
    """Return the JSON object of a line. Raises LineError, with an example of a line."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        raise LineError(gettext_noop("The line is not JSON.")) from None
    if not isinstance(entry, dict):
        raise LineError(gettext_noop("The line is not a JSON object such as %(example)s.") % {"example": example})
    return entry


def json_text(value: object, what: str) -> str:
    """Return a JSON text or number as the text of a cell; null is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    raise LineError(gettext_noop("The %(what)s is neither a text nor a number.") % {"what": what})
