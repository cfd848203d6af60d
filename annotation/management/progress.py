"""A progress line for commands: done, rate, and time left."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any


class ProgressBar:
    """A progress bar. On a terminal it redraws its line; elsewhere it prints a line every ten seconds."""

    def __init__(self, stream: Any, *, live: bool, already: int = 0, what: str = "photos") -> None:
        """`stream`: the command's `stderr`. `live`: whether it is a terminal. `already`: number done by earlier runs.

        `what`: the things that are counted.
        """
        self.what = what
        self.stream = stream
        self.live = live
        self.already = already
        self.began = time.monotonic()
        # At most ten times a second, because a terminal can be slower than the work.
        self.pause = 0.1 if live else 10.0
        self.printed = self.began - self.pause if live else self.began

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    def show(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        now = time.monotonic()
        if now - self.printed < self.pause and not (self.live and done == total):
            return
        self.printed = now
        share = done / total if total else 0.0
        rate = (done - self.already) / self.seconds if self.seconds else 0.0
        left = f"{(total - done) / rate:.0f} s left" if rate else "…"
        figures = f" {done}/{total}  {rate:.{0 if rate >= 3 else 1}f} {self.what}/s  {left}"
        if not self.live:
            self.stream.write(figures.strip(), str)
            return
        room = max(10, min(40, shutil.get_terminal_size().columns - len(figures) - 3))
        full = round(share * room)
        self.stream.write(f"\r\033[K[{'█' * full}{'·' * (room - full)}]{figures}", str, ending="")
        self.stream.flush()

    def end(self) -> None:
        """End the line."""
        if self.live:
            self.stream.write("", str)


def progress_report(stream: Any, what: str) -> Callable[[int, int], None]:
    """Return a function (done, total) that shows the progress of one step, and ends the line when it is complete."""
    bar = ProgressBar(stream, live=sys.stderr.isatty(), what=what)

    def report(done: int, total: int) -> None:
        bar.show(done, total)
        if done == total:
            bar.end()

    return report


class StepBar:
    """A progress bar for work in several steps, each with its own things to count."""

    def __init__(self, stream: Any, *, live: bool) -> None:
        """`stream` and `live` are as for `ProgressBar`."""
        self.stream = stream
        self.live = live
        self._bar: ProgressBar | None = None

    def show(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` things are done. Another `what` begins a new line."""
        if self._bar is None or self._bar.what != what:
            self.end()
            self._bar = ProgressBar(self.stream, live=self.live, what=what)
        self._bar.show(done, total)

    def end(self) -> None:
        """End the line."""
        if self._bar is not None:
            self._bar.end()
            self._bar = None
