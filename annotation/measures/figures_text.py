"""Frozen dataclasses of figures as text and back, so that a worker computes them once and pages read them."""

import json
from enum import Enum
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


_adapters: dict[type, TypeAdapter[Any]] = {}


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


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value.value if isinstance(value, Enum) else value.isoformat()
