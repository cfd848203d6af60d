"""Runs supervisord with two changes: `python -P …/supervisord.py --nodaemon --configuration FILE`.

**A full disk does not end it.** When supervisord cannot write a line of a log, it writes a traceback to its own output.
When that file is on the same full disk, or a log cannot be rotated, it ends, and all programs with it. Here the line is
lost instead, and the log is opened again as soon as there is room.

**Each program has its own session**, so that the niceness of workers counts (`iqs_site.instance.low_priority`). A
session is a process group too, so programs are stopped as before.

Runs as a file, because importing the package loads Celery.
"""

import os
from contextlib import suppress
from typing import Any

from supervisor import loggers
from supervisor.options import ServerOptions
from supervisor.supervisord import main

_rollover = loggers.RotatingFileHandler.doRollover
_emit = loggers.RotatingFileHandler.emit


def _error_ignore(handler: Any) -> None:
    """Do nothing when a line cannot be written; supervisord would write a traceback."""


def _rollover_attempt(handler: Any) -> None:
    """Rotate a log that is too long. When that fails, try again with the next line."""
    with suppress(OSError, ValueError):
        _rollover(handler)


def _emit_reopened(handler: Any, record: Any) -> None:
    """Write a line. A failed rotation has closed the file, so open it again first."""
    if handler.stream.closed:
        with suppress(OSError):
            handler.stream = open(handler.baseFilename, "ab")  # noqa: SIM115, PTH123  # as supervisord does
    _emit(handler, record)


def _session_start(options: Any) -> None:
    """Make a program that is being started the leader of a new session, in place of only a process group."""
    os.setsid()


if __name__ == "__main__":
    ServerOptions.setpgrp = _session_start
    loggers.Handler.handleError = _error_ignore
    loggers.RotatingFileHandler.doRollover = _rollover_attempt
    loggers.RotatingFileHandler.emit = _emit_reopened
    main()
