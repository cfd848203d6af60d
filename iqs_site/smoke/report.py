"""The output of a run: one JSON object per step and a last line on stdout, progress messages on stderr."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class StepError(RuntimeError):
    """A step failed, so the run cannot continue; the message says why."""


class Report:
    """Measures the duration of the steps and collects failures."""

    def __init__(self, out: TextIO, progress: TextIO) -> None:
        """`out` gets the JSON lines, `progress` the progress messages."""
        self.failures: list[str] = []
        self.seconds: dict[str, float] = {}
        self._out = out
        self._progress = progress
        self._shown = ""

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Run one step and print its line, with the facts that the block puts into the dict.

        An error in the block is recorded as a failure and raised as StepError.
        """
        facts: dict[str, Any] = {}
        failures, start = len(self.failures), time.monotonic()
        self.say(f"{name} …")
        try:
            yield facts
        except Exception as error:
            self.failures.append(f"{name}: {error or type(error).__name__}")
            raise StepError(str(error)) from error
        finally:
            seconds = self.seconds[name] = round(time.monotonic() - start, 2)
            failed = self.failures[failures:]
            line = {"step": name, "ok": not failed, "seconds": seconds, **facts}
            self._print(line | ({"failed": failed} if failed else {}))

    def check(self, holds: bool, sentence: str) -> None:
        """Record a failure unless `holds`; the run continues."""
        if not holds:
            self.failures.append(sentence)

    def say(self, message: str) -> None:
        """Print a progress message, unless it is the same as the last one."""
        if message != self._shown:
            self._shown = message
            print(f"smoke: {message}", file=self._progress, flush=True)

    def finish(self, metrics: dict[str, Any]) -> bool:
        """Print the last line and return whether nothing failed."""
        ok = not self.failures
        line = {"ok": ok, **metrics, "seconds_per_step": self.seconds}
        self._print(line | ({} if ok else {"failed": self.failures}))
        return ok

    def _print(self, line: dict[str, Any]) -> None:
        print(json.dumps(line), file=self._out, flush=True)
