"""What a benchmark says, and what it is told."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


class DataMissing(RuntimeError):
    """The folder of photos that was named cannot be used, or there is no browser; the message says what to do."""


@dataclass(frozen=True)
class Claim:
    """One figure.

    claim: what is faster, in words. value: how many `unit` of the baseline go into ours; larger is better.
    baseline: what it is compared with. target: the value from which the claim holds.
    """

    claim: str
    value: float
    unit: str
    baseline: str
    target: float

    @property
    def ok(self) -> bool:
        """Return whether the claim holds."""
        return self.value >= self.target

    def line(self) -> str:
        """Return the claim as one line of JSON."""
        return json.dumps(asdict(self) | {"value": round(self.value, 2), "ok": self.ok})


@dataclass(frozen=True)
class Setting:
    """How to measure. data: folder of photos, None for drawn ones. tiny: show that it works, measure nothing."""

    data: Path | None = None
    tiny: bool = False


def seconds_of(action: Callable[[], object], *, times: int = 1) -> float:
    """Return the shortest duration of `times` calls: what disturbs a measurement only makes it longer."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        durations.append(time.perf_counter() - start)
    return min(durations)
