"""Makes the niceness of a process count against the processes of other sessions, and in the database.

Where Linux shares the processor between sessions ("autogroup"), a niceness counts only within its session. A worker in
the session of the web server would take its part, and one in another session as much as the web server. So each worker
has its own session, and this module gives sessions a niceness too.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created

_PROCESSES = Path("/proc")
_ATTEMPTS, _PAUSE = 5, 0.1


def priority_lower() -> None:
    """If this process has a niceness, lower the priority of its session, if it leads one, and of later connections."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness <= 0:
        return
    if os.getsid(0) == os.getpid():
        _session_lower(os.getpid(), niceness)
    connection_created.connect(_connection_lower)


def _connection_lower(*, connection: Any, **kwargs: Any) -> None:
    """Lower the priority of the process of PostgreSQL that serves a new connection, if it is on this machine."""
    info = connection.connection.info
    if not info.host.startswith("/"):
        return
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(OSError):  # not permitted if the database belongs to another user
        if (_PROCESSES / str(info.backend_pid) / "comm").read_text() != "postgres\n":
            return  # the number is that of another container
        os.setpriority(os.PRIO_PROCESS, info.backend_pid, niceness)
        # PostgreSQL starts a session for each connection.
        _session_lower(info.backend_pid, niceness)


def _session_lower(leader: int, niceness: int) -> None:
    """Give a session half of a niceness, if this system has such.

    It shares the processor with every other session of the machine, and each connection of PostgreSQL is one. With all
    of 10, a busy process did a sixth of its work beside other programs, with half of it 44 %.
    """
    for _ in range(_ATTEMPTS):
        try:
            (_PROCESSES / str(leader) / "autogroup").write_text(str(niceness // 2))
        except BlockingIOError:  # users may change one in a tenth of a second
            time.sleep(_PAUSE)
        except OSError:
            return
        else:
            return
