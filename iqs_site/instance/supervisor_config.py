"""The programs of an instance, and the configuration of supervisord."""

import os
import re
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from iqs_site.instance.preflight import address

Commands = Mapping[str, Sequence[str]]

_MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
# supervisord inserts these environment variables after it has read the file, so the paths may have any characters.
FOLDER_VARIABLE = "IQS_INSTANCE"  # every process of an instance has its folder in it
_FOLDER, _LOGS, _SOCKETS = f"%(ENV_{FOLDER_VARIABLE})s", "%(ENV_IQS_LOGS)s", "%(ENV_IQS_SOCKETS)s"
_STOP_SECONDS = 6  # a program that takes longer is killed; every task may run twice, so nothing is lost


def programs(*, host: str, port: int) -> dict[str, list[str]]:
    """Return the command of each program of an instance except the database and the broker."""
    celery = [sys.executable, "-m", "celery", "-A", "iqs_site"]
    # Workers have a lower priority, so that they do not slow down the pages (also `iqs_site.instance.low_priority`).
    low_priority = ["nice", "-n", "10"]
    options = ["--pool", "threads", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    worker = [*low_priority, *celery, "worker", *options]
    gunicorn = [sys.executable, "-m", "gunicorn", "iqs_site.wsgi:application"]
    threads = ["--preload", "--workers", "2", "--threads", "8", "--no-control-socket"]
    worker_class = ["--worker-class", "iqs_site.server.worker.BufferingWorker"]
    # Annotators take some seconds for a photo. An idle connection costs nothing; a new one costs a round trip.
    keep_alive = ["--keep-alive", "30"]
    return {
        "web": [*gunicorn, "--bind", address(host, port), *worker_class, *threads, *keep_alive],
        "worker-inference": [*worker, "--hostname", "inference@%h", "--queues", "inference", "--concurrency", "1"],
        "worker-single": [*worker, "--hostname", "single@%h", "--queues", "single", "--concurrency", "2"],
        "worker-training": [*worker, "--hostname", "training@%h", "--queues", "default,training", "--concurrency", "6"],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile="],
    }


def demo_command(url: str) -> list[str]:
    """Return the command that completes the demo of the site at `url` and then runs its simulated annotators."""
    # The priority is lower than that of the pages, and higher than that of the workers: people wait for photos.
    return ["nice", "-n", "5", sys.executable, str(_MANAGE), "seed_demo", "--annotate", "--url", url]


def environment(folder: Path, sockets: Path) -> dict[str, str]:
    """Return the variables for the configuration of an instance. `sockets`: the folder of its sockets."""
    logs = str(folder / "log").replace("%", "%%")  # supervisord looks for insertions in the names of logs twice
    return {FOLDER_VARIABLE: str(folder), "IQS_LOGS": logs, "IQS_SOCKETS": str(sockets)}


def configuration(
    servers: Commands, site: Commands, *, run_once: Collection[str] = (), held: Collection[str] = ()
) -> str:
    """Return the text of the file. It has no secrets; programs get them in environment variables.

    supervisord stops the site before the servers. `run_once`: programs of `site` that end by themselves.
    `held`: programs that wait until they are started.
    """
    root = "user=root\n" if os.geteuid() == 0 else ""
    parts = [
        f"[supervisord]\nnodaemon=true\nsilent=true\numask=077\n{root}logfile={_FOLDER}/log/supervisord.log\n"
        f"logfile_maxbytes=5MB\nlogfile_backups=1\npidfile={_FOLDER}/run/supervisord.pid\n",
        f"[unix_http_server]\nfile={_SOCKETS}/supervisor.sock\nchmod=0700\n",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
    ]
    # supervisord stops the group with the highest priority number first, and the programs of a group together.
    for priority, group, commands in ((10, "servers", servers), (20, "site", site)):
        if commands:
            parts.append(f"[group:{group}]\nprograms={','.join(commands)}\npriority={priority}\n")
        for name, command in commands.items():
            parts.append(
                f"[program:{name}]\ncommand={_quoted(command)}\n"
                f"autostart={'false' if name in held else 'true'}\n"
                f"autorestart={'unexpected' if name in run_once else 'true'}\nexitcodes=0\n"
                f"startsecs={0 if name in run_once else 1}\nstartretries=20\n"
                f"stopwaitsecs={_STOP_SECONDS}\nstopasgroup=true\nkillasgroup=true\n"
                f"stdout_logfile={_LOGS}/{name}.log\nredirect_stderr=true\n"
                "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=2\n"
            )
    return "\n".join(parts)


def _quoted(command: Sequence[str]) -> str:
    """Return a command for the file, where `;` or `#` after a space begins a comment, and `%` an insertion."""
    return re.sub(r"(\s)([;#])", r"\1''\2", shlex.join(command)).replace("%", "%%")
