"""The results of a benchmark and its settings. Not a benchmark."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


class DataMissing(RuntimeError):
    """The folder of photos or votes is empty, or there is no browser; the message says what to do."""


@dataclass(frozen=True)
class Claim:
    """One result.

    claim: what was measured, in words. value: the ratio to the baseline; larger is better. unit: of the value, such
    as 'times as fast'. baseline: what it is compared with. target: the claim holds if the value is at least this.
    key: names the row of the table in every run, for figures of a second machine.
    highest: for a value that can be too large, such as a coverage; the claim holds only up to it.
    """

    claim: str
    value: float
    unit: str
    baseline: str
    target: float
    key: str = ""
    highest: float | None = None

    @property
    def ok(self) -> bool:
        """Return whether the claim holds, for the value as it is printed."""
        value = round(self.value, 2)
        return value >= self.target and (self.highest is None or value <= self.highest)

    def line(self) -> str:
        """Return the claim as one line of JSON."""
        found = asdict(self) | {"value": round(self.value, 2), "ok": self.ok}
        if self.highest is None:
            del found["highest"]
        return json.dumps(found)


@dataclass(frozen=True)
class Setting:
    """The settings of a run.

    data: folder of photos, None: generated photos. tiny: a very small run without meaningful results. test: folder of
    other photos with votes, for benchmarks that learn from `data`.
    """

    data: Path | None = None
    tiny: bool = False
    test: Path | None = None


def seconds_of(action: Callable[[], object], *, times: int = 1) -> float:
    """Return the shortest duration of `times` calls in seconds. Other load can only make a call longer."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        durations.append(time.perf_counter() - start)
    return min(durations)
