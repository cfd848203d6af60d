"""The niceness of a process counts for its session and for the database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

# Prints three numbers of niceness: of its own session, of the database's process for it, and of that process's session.
PROGRAM = """
import os
from pathlib import Path
from django.db import connection

def of_session(process):
    path = Path(f"/proc/{process}/autogroup")
    return path.read_text().split()[-1] if path.exists() else "none"

connection.ensure_connection()
server = connection.connection.info.backend_pid
print(of_session(os.getpid()), os.getpriority(os.PRIO_PROCESS, server), of_session(server))
"""


@pytest.mark.parametrize("niceness", [0, 7])
def test_the_session_and_the_connection_of_a_process_have_a_low_priority_too(db: None, niceness: int) -> None:
    connection.ensure_connection()
    if not connection.connection.info.host.startswith("/"):
        pytest.skip("the database may be on another machine")
    before = os.getpriority(os.PRIO_PROCESS, 0)
    if before > 0:
        pytest.skip("the tests have a low priority themselves")
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    printed = subprocess.run(
        ["nice", "-n", str(niceness), sys.executable, manage, "shell", "--no-imports", "-c", PROGRAM],
        env=os.environ | {"DATABASE_URL": settings.DATABASE_URL},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    of_own_session, of_server, of_its_session = printed.split()
    assert int(of_server) == niceness
    # "none": this system does not share the processor between sessions.
    assert {of_own_session, of_its_session} in ({str(niceness // 2)}, {"none"})
    assert os.getpriority(os.PRIO_PROCESS, connection.connection.info.backend_pid) == 0, "others stay as they are"
