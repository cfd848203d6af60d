"""The progress of a training run, from the training process to its row and to the command line."""

import time
from collections.abc import Callable
from typing import Any

from training.services.runs import run_write

# Called with the share done (0 … 1) and the stage, to show progress on the command line.
Echo = Callable[[float, str], None]

_WRITE_SECONDS = 0.25


class Reporter:
    """Writes progress at most four times a second. Each write is also the heartbeat of the process."""

    def __init__(self, run_id: int, attempt: int, echo: Echo | None = None) -> None:
        self.run_id, self.attempt = run_id, attempt
        self._echo = echo
        self._written_at = 0.0
        self._stage = ""

    def __call__(self, share: float, stage: str, **fields: Any) -> None:
        """Report the share done and the stage. A new stage or other fields are written at once.

        Raises RunCancelledError or RunEndedError, as `run_write` does.
        """
        if self._echo is not None:
            self._echo(share, stage)
        now = time.monotonic()
        if stage == self._stage and now - self._written_at < _WRITE_SECONDS and set(fields) <= {"history"}:
            return
        run_write(run_id=self.run_id, attempt=self.attempt, progress=share, stage=stage[:120], **fields)
        self._written_at, self._stage = now, stage

    def write(self, **fields: Any) -> None:
        """Write fields at once."""
        run_write(run_id=self.run_id, attempt=self.attempt, **fields)
