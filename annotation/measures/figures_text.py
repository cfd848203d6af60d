"""Frozen dataclasses of figures as text and back, so that a worker computes them once and pages read them."""

import hashlib
import json
import threading
from collections import OrderedDict
from enum import Enum
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

#: Read figures that a process keeps; one takes a few megabytes.
MOST_KEPT = 8

_adapters: dict[type, TypeAdapter[Any]] = {}
_kept: OrderedDict[tuple[type, bytes], Any] = OrderedDict()
_lock = threading.Lock()


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)  # takes milliseconds
    return _adapters[kind]


def figures_text(figures: Any) -> str:
    """Return a dataclass as JSON, in which NaN and infinite numbers are `NaN` and `Infinity`. No arrays."""
    return json.dumps(_adapter(type(figures)).dump_python(figures, warnings=False), default=_plain)


def figures_read(kind: type[T], text: str) -> T | None:
    """Return the dataclass that `figures_text` wrote; None if the text is of another version of the dataclass."""
    try:
        figures: T = _adapter(kind).validate_python(json.loads(text))
    except (ValidationError, ValueError):
        return None
    return figures


def figures_kept(kind: type[T], text: str) -> T | None:
    """Return `figures_read(kind, text)`, or what it returned for the same text lately. Nobody changes the dataclass.

    The text of a calibration page has thousands of photos. Reading it makes so many objects that Python's garbage
    collector would look through the memory of the whole process every few requests.
    """
    key = (kind, hashlib.blake2b(text.encode(), digest_size=16).digest())
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            kept: T = _kept[key]
            return kept
    found = figures_read(kind, text)  # without the lock: two requests that read the same do no harm
    if found is not None:
        with _lock:
            _kept[key] = found
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value.value if isinstance(value, Enum) else value.isoformat()
