"""Axes: their ends, their ticks, and how many labels fit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# In pixels: the narrowest chart (on a phone 390 pixels wide), the width of a character, and the gap between labels.
_NARROWEST = 270
_CHARACTER = 7
_BETWEEN = 6
# Steps between labels that are easy to read.
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)


@dataclass(frozen=True)
class Tick:
    """A value on an axis, and its label."""

    value: float
    text: str


def axis_end(highest: float) -> float:
    """Return the end of an axis: the smallest of 2, 4, 6, 8, 10 times a power of ten that is at least `highest`.

    So half of it is a round number too. Returns 1 for zero, negative numbers, infinity and NaN.
    """
    if not highest > 0 or not math.isfinite(highest):
        return 1.0
    power = math.floor(math.log10(highest) - 1e-9)
    return next(
        end for digit in (2, 4, 6, 8, 10, 20) if (end := round(digit * 10.0**power, 12)) >= highest * (1 - 1e-9)
    )


def round_ticks(low: float, high: float, *, at_most: int = 6, smallest_step: float = 0.0) -> list[Tick]:
    """Return at most `at_most` (2 or more) multiples of 1, 2 or 5 times a power of ten within low … high.

    The labels have as many decimals as the step needs. Both ends must be finite.
    """
    step = max((high - low) / at_most, smallest_step)
    if not step > 0:
        return [Tick(low, f"{low:g}")]
    power = 10.0 ** math.floor(math.log10(step) + 1e-9)
    for digit in (1, 2, 5, 10, 20):
        step = digit * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if step >= smallest_step and last - first < at_most:
            break
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [Tick(step * one, f"{step * one:.{decimals}f}") for one in range(first, last + 1)]


def labels_thinned(labels: Sequence[str]) -> list[str]:
    """Return the labels with all but every n-th replaced by '', so that the others fit on a phone."""
    longest = max((len(label) for label in labels), default=0)
    fitting = max(2, _NARROWEST // (_CHARACTER * longest + _BETWEEN))
    every = next((step for step in _STEPS if len(labels) <= step * fitting), -(-len(labels) // fitting))
    return [label if place % every == 0 else "" for place, label in enumerate(labels)]
