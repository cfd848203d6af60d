"""How fast this machine is, so that a limit in seconds means the same on every machine. Not a benchmark.

The speed is the time for a fixed piece of work, compared with the machine of the README's table. A limit is multiplied
by this factor. A faster machine keeps the limit. The work is measured in the process of the benchmark, so other
programs that slow the benchmark down also slow this measurement down.
"""

import io
import statistics
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from benchmarks._claims import Claim, seconds_of
from inference.scoring.processor import has_vnni, processor_name

# Seconds for `_work` on the machine of the README's table: one core of an AMD EPYC with AVX-512 VNNI.
TABLE_SECONDS = 0.061
_ROUNDS = 9


@dataclass(frozen=True)
class Machine:
    """processor: its name and instructions. slowness: 1 on the machine of the table, 2 on one of half its speed."""

    processor: str
    slowness: float
    has_vnni: bool

    @property
    def factor(self) -> float:
        """Return the factor for limits in seconds; at least 1."""
        return max(1.0, self.slowness)

    def seconds_claim(self, claim: str, value: float, limit: float, unit: str, *, key: str = "") -> Claim:
        """Return the claim that a duration is at most `limit`, both in `unit`, times the factor of the machine."""
        scaled = limit * self.factor
        words = f"limit: {limit:g} {unit} × {self.factor:.2f} for the speed of this machine = {_figure(scaled)} {unit}"
        return Claim(f"{claim}: {_figure(value)} {unit}", scaled / value, "times below", words, 1.0, key)

    def rate_claim(self, claim: str, value: float, wanted: float, unit: str) -> Claim:
        """Return the claim that a rate is at least `wanted`, both in `unit`, divided by the factor of the machine."""
        scaled = wanted / self.factor
        words = f"requirement: {wanted:g} {unit} / {self.factor:.2f} for the speed of this machine = {_figure(scaled)}"
        return Claim(claim, value / scaled, "times as many", f"{words} {unit}", 1.0)

    def target(self, usual: float, without_vnni: float) -> float:
        """Return the target of a ratio that is smaller on a processor without VNNI."""
        return usual if self.has_vnni else without_vnni


@lru_cache(maxsize=1)
def machine() -> Machine:
    """Return this machine. The first call in a process measures its speed, which takes about a second."""
    return Machine(processor_name(), work_seconds() / TABLE_SECONDS, has_vnni())


def work_seconds() -> float:
    """Return the seconds of the fixed work on one core: the median of several rounds."""
    jpeg, matrix = _picture(), np.random.default_rng(0).random((768, 768), dtype=np.float32)

    def work() -> None:
        for _ in range(3):
            with Image.open(io.BytesIO(jpeg)) as picture:
                picture.load()
        for _ in range(4):
            matrix @ matrix

    with threadpool_limits(1):
        work()
        return statistics.median(seconds_of(work) for _ in range(_ROUNDS))


def _picture() -> bytes:
    """Return a JPEG of two megapixels: soft shapes with some noise."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((1632, 1224), Image.Resampling.BICUBIC), dtype=np.int16)
    noisy = np.clip(pixels + rng.integers(-12, 13, pixels.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
