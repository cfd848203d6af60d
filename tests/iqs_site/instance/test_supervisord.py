"""supervisord on a full disk. tests/services/test_full_disk.py fills the disk of a whole instance."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
from supervisor import loggers
from supervisor.xmlrpc import SupervisorTransport

from iqs_site.instance import supervisord
from iqs_site.instance.supervisor_config import configuration, environment
from tests.iqs_site.instance.small_disk import fill, small_disk
from tests.waiting import SECONDS, wait_for


def test_supervisord_outlives_a_full_disk_and_writes_its_logs_again(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    with small_disk(folder, 4):
        for name in ("run", "log"):
            (folder / name).mkdir()
        chatty = [sys.executable, "-uc", "import time; [(print('x' * 1000), time.sleep(0.01)) for _ in iter(int, 1)]"]
        dying = [sys.executable, "-uc", "import time; time.sleep(1.2)"]
        config = folder / "run" / "supervisord.conf"
        config.write_text(configuration({}, {"chatty": chatty, "dying": dying}))
        log = folder / "log" / "supervisord.log"
        with (folder / "log" / "output.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", supervisord.__file__, "--nodaemon", "--configuration", str(config)],
                env=os.environ | environment(folder, tmp_path),
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(lambda: log.exists() and "spawned: 'dying'" in log.read_text(), "No program starts.")
            fill(folder / "filler")
            # Each restart of a program is two lines of the log.
            starts = set()
            wait_for(
                lambda: starts.add(_pid(tmp_path, "dying")) or len(starts) > 3 or process.poll() is not None,
                "The program that ends is not started again.",
            )
            assert process.poll() is None
            assert (folder / "log" / "output.log").read_bytes() == b""

            (folder / "filler").unlink()
            before = len(log.read_bytes())
            wait_for(lambda: b"spawned: 'dying'" in log.read_bytes()[before:], "The log does not grow.")
            chatter = folder / "log" / "chatty.log"
            length = chatter.stat().st_size
            wait_for(lambda: chatter.stat().st_size > length, "The log of the program does not grow.")
        finally:
            children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            process.wait(SECONDS)
            psutil.wait_procs(children, timeout=SECONDS)


def test_a_log_that_could_not_be_rotated_is_written_again(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(loggers.Handler, "handleError", supervisord._error_ignore)
    monkeypatch.setattr(loggers.RotatingFileHandler, "doRollover", supervisord._rollover_attempt)
    monkeypatch.setattr(loggers.RotatingFileHandler, "emit", supervisord._emit_reopened)
    handler = loggers.RotatingFileHandler(str(tmp_path / "a.log"), maxBytes=10, backupCount=1)
    (tmp_path / "a.log.1").mkdir()  # stands for any reason why the log cannot be renamed
    handler.emit(loggers.LogRecord(20, "more than ten bytes"))
    assert handler.stream.closed
    (tmp_path / "a.log.1").rmdir()
    handler.emit(loggers.LogRecord(20, "again"))
    assert (tmp_path / "a.log.1").read_text() == "more than ten bytesagain"


def _pid(sockets: Path, program: str) -> int | None:
    transport: Any = SupervisorTransport(None, None, f"unix://{sockets / 'supervisor.sock'}")
    remote: Any = ServerProxy("http://127.0.0.1", transport=transport)
    pid: int = remote.supervisor.getProcessInfo(f"site:{program}")["pid"]
    return pid or None
