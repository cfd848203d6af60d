"""supervisord on a full disk. tests/services/test_full_disk.py fills the disk of a whole instance."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
from supervisor import loggers
from supervisor.xmlrpc import SupervisorTransport

from iqs_site.instance import supervisord
from iqs_site.instance.supervisor_config import configuration, environment
from tests.iqs_site.instance.small_disk import fill, small_disk


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
            _until(lambda: log.exists() and log.read_text().count("spawned: 'dying'") >= 1)
            fill(folder / "filler")
            # Each restart of a program is two lines of the log.
            starts = set()
            _until(lambda: starts.add(_pid(tmp_path, "dying")) or len(starts) > 3 or process.poll() is not None)
            assert process.poll() is None
            assert (folder / "log" / "output.log").read_bytes() == b""

            (folder / "filler").unlink()
            before = len(log.read_bytes())
            _until(lambda: b"spawned: 'dying'" in log.read_bytes()[before:])
            chatter = folder / "log" / "chatty.log"
            length = chatter.stat().st_size
            _until(lambda: chatter.stat().st_size > length)
        finally:
            children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            process.wait(20)
            psutil.wait_procs(children, timeout=20)


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


def _until(holds: Any) -> None:
    """Wait until a condition on another process becomes true."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)  # polls another process
