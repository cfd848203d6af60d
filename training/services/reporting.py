"""The progress of a training run, from the training process to its row and to the command line."""

import re
import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from training.services.runs import run_write

# Called with the share done (0 … 1) and the stage, to show progress on the command line.
Echo = Callable[[float, str], None]

_WRITE_SECONDS = 0.25
_MOST_STEPS = 60
# A number at the end of a stage, such as ', 12 of 300': it counts within the step.
_COUNT = re.compile(r"[,:]?\s+\d[\d,]*(\s+of\s+\d[\d,]*)?$")


def step_name(stage: str) -> str:
    """Return the step that a stage belongs to: 'Reading photos' for 'Reading photos, 12 of 300'."""
    return _COUNT.sub("", stage)


class Reporter:
    """Writes progress at most four times a second. Each write is also the heartbeat of the process."""

    def __init__(self, run_id: int, attempt: int, echo: Echo | None = None) -> None:
        self.run_id, self.attempt = run_id, attempt
        self._echo = echo
        self._written_at = 0.0
        self._stage = ""
        self._steps: list[dict[str, str]] = []

    def __call__(self, share: float, stage: str, **fields: Any) -> None:
        """Report the share done and the stage. A new stage or other fields are written at once.

        Raises RunCancelledError or RunEndedError, as `run_write` does.
        """
        if self._echo is not None:
            self._echo(share, stage)
        now = time.monotonic()
        if stage == self._stage and now - self._written_at < _WRITE_SECONDS and set(fields) <= {"history"}:
            return
        self.write(progress=share, stage=stage[:120], **fields)
        self._written_at, self._stage = now, stage

    def write(self, **fields: Any) -> None:
        """Write fields at once. A new stage begins a step, whose time is stored."""
        name = step_name(fields.get("stage", ""))
        if name and (not self._steps or self._steps[-1]["name"] != name) and len(self._steps) < _MOST_STEPS:
            self._steps.append({"name": name, "at": timezone.now().isoformat()})
            fields["steps"] = self._steps
        run_write(run_id=self.run_id, attempt=self.attempt, **fields)
