"""Health checks of the containers: `python -P iqs_site/container_health.py web|worker NAME|beat`. Loads no Django.

The exit status is 0 when the program of the container works, else 1 with one sentence.
"""

import os
import socket
import subprocess
import sys
from http.client import HTTPConnection, HTTPException

#: The newest sweep may be this many intervals old, and so much more: beat writes to the database every three minutes.
_SWEEPS, _SLACK_SECONDS = 3, 300
_NEWEST_SWEEP = """
SELECT extract(epoch FROM now() - max(last_run_at)) FROM django_celery_beat_periodictask WHERE name LIKE '%% sweep'
"""


class Unhealthy(Exception):
    """The program does not work. The message says why."""


def web_check(*, port: int = 8000) -> None:
    """Ask the web server of this container, as a proxy with https would. Raises Unhealthy.

    The request has the first of ALLOWED_HOSTS as its host. Other hosts are refused with 400, and plain http is
    redirected when HTTPS is on.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health", headers={"Host": _host(), "X-Forwarded-Proto": "https"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise Unhealthy(f"the web server does not answer ({error})") from error
    finally:
        connection.close()
    if status != 200:
        raise Unhealthy(f"/health answers {status}")


def worker_check(name: str) -> None:
    """Ask the worker NAME@host by the broker. Raises Unhealthy."""
    broker = os.environ["REDIS_URL"]
    if broker.startswith("unix://"):
        broker = f"redis+socket://{broker.removeprefix('unix://')}"
    command = [sys.executable, "-m", "celery", "-b", broker, "inspect", "ping", "--timeout", "5"]
    answer = subprocess.run(
        [*command, "--destination", f"{name}@{socket.gethostname()}"], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        lines = (answer.stderr or answer.stdout).strip().splitlines()
        raise Unhealthy(f"the worker does not answer ({lines[-1] if lines else 'no message'})")


def beat_check() -> None:
    """Look in the database for the newest sweep that beat has sent. Raises Unhealthy."""
    import psycopg

    most = _SWEEPS * int(os.environ.get("IQS_SWEEP_SECONDS") or 15) + _SLACK_SECONDS
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as database:
            (seconds,) = database.execute(_NEWEST_SWEEP).fetchone() or (None,)
    except psycopg.Error as error:
        raise Unhealthy(f"the database does not answer ({' '.join(str(error).split())})") from error
    if seconds is None or seconds > most:
        raise Unhealthy("no sweep was sent yet" if seconds is None else f"the newest sweep is {seconds:.0f} s old")


def _host() -> str:
    """Return a host name that the site answers to."""
    first = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip()
    return "localhost" if first in {"", "*"} else first.removeprefix(".")


def main(arguments: list[str]) -> int:
    """Run the check that the arguments name, and return the exit status."""
    try:
        if arguments == ["web"]:
            web_check(port=int(os.environ.get("PORT") or 8000))
        elif arguments == ["beat"]:
            beat_check()
        elif len(arguments) == 2 and arguments[0] == "worker":
            worker_check(arguments[1])
        else:
            print("usage: python -P iqs_site/container_health.py web | worker NAME | beat", file=sys.stderr)
            return 2
    except Unhealthy as unhealthy:
        print(f"unhealthy: {unhealthy}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
