"""One line that says how far a command is, at which rate, and when it will be done."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any


class ProgressBar:
    """Counts photos, or `what` else. A terminal's line is redrawn in place; elsewhere one comes every ten seconds."""

    def __init__(self, stream: Any, *, live: bool, already: int = 0, what: str = "photos") -> None:
        """`stream` is a command's own `stderr`, `live` whether it is a terminal, `already` what earlier runs did."""
        self.what = what
        self.stream = stream
        self.live = live
        self.already = already
        self.began = time.monotonic()
        # Ten times a second is live enough; a terminal can be slower than the work.
        self.pause = 0.1 if live else 10.0
        self.printed = self.began - self.pause if live else self.began

    @property
    def seconds(self) -> float:
        """Return how long it has taken."""
        return time.monotonic() - self.began

    def show(self, done: int, total: int) -> None:
        """Draw that `done` of `total` are done."""
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
        """Leave the line."""
        if self.live:
            self.stream.write("", str)


def progress_report(stream: Any, what: str) -> Callable[[int, int], None]:
    """Return a function that shows (done, all) of one part of a command's work, and leaves the line at its end."""
    bar = ProgressBar(stream, live=sys.stderr.isatty(), what=what)

    def report(done: int, total: int) -> None:
        bar.show(done, total)
        if done == total:
            bar.end()

    return report
