"""Reads the JSON of a request strictly.

Python's reader also takes NaN and infinity, keeps the last of two equal keys, and lets through characters that
PostgreSQL cannot store.
"""

import json
import math
import re
from typing import Any, cast

from django.http import HttpRequest
from ninja.parser import Parser

_DEEPEST = 32
_BAD_TEXT = re.compile("[\0\ud800-\udfff]")


class JsonRefused(ValueError):
    """The body is not accepted. The message is a sentence; `status` is that of the answer."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


def json_strict(data: bytes) -> Any:
    """Return the value of JSON text in UTF-8. Raises JsonRefused with the reason."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise JsonRefused(f"The body is not UTF-8: byte {error.start} is wrong.") from None
    try:
        value = json.loads(text, parse_constant=_constant, parse_float=_number, object_pairs_hook=_object)
    except JsonRefused:
        raise
    except json.JSONDecodeError as error:
        raise JsonRefused(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise JsonRefused(_TOO_DEEP) from None
    except ValueError:  # Python's limit on the digits of an integer
        raise JsonRefused("A number has too many digits.") from None
    _check(value)
    return value


_TOO_DEEP = f"The JSON has more than {_DEEPEST} levels."


def _constant(name: str) -> Any:
    raise JsonRefused(f"{name} is not a number in JSON.")


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonRefused(f"The number {digits[:40]} is too large.")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise JsonRefused("An object has the same key twice.")
    return found


def _check(value: Any) -> None:
    """Raise JsonRefused for text that the database cannot store, and for too many levels."""
    level = [value]
    for _ in range(_DEEPEST):
        parts: list[Any] = []
        for one in level:
            if isinstance(one, str):
                if _BAD_TEXT.search(one):
                    raise JsonRefused(
                        "A text contains a character that cannot be stored (NUL or half a surrogate pair)."
                    )
            elif isinstance(one, dict):
                parts += [*one, *one.values()]
            elif isinstance(one, list):
                parts += one
        if not parts:
            return
        level = parts
    raise JsonRefused(_TOO_DEEP)


class StrictParser(Parser):
    """Ninja's parser of request bodies, with strict JSON."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the body. Raises JsonRefused with the reason."""
        if request.content_type != "application/json":
            raise JsonRefused("Send the body as application/json.", status=415)
        return cast(dict[str, Any], json_strict(request.body))
