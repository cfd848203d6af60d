"""Kills processes of a running instance with SIGKILL, as the kernel does when memory runs out."""

import random
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import psutil

from iqs_site.instance.supervisor import Instance


class KillTarget(StrEnum):
    """The processes that a round kills."""

    WEB_SERVER = "web server"
    """All its processes at once."""
    DATABASE = "database"
    """All its processes at once."""
    BROKER = "broker"
    WEB_WORKER = "one process of the web server"
    DATABASE_BACKEND = "one process of the database"


def kill(target: KillTarget, instance: Instance, rng: random.Random) -> None:
    """Kill the target's processes; `rng` chooses one when only one of several is killed."""
    processes = _processes(target, instance)
    if target in (KillTarget.WEB_WORKER, KillTarget.DATABASE_BACKEND):
        processes = [rng.choice(processes[1:])]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _processes(target: KillTarget, instance: Instance) -> list[psutil.Process]:
    """Return all processes of the target's server, its first process first."""
    match target:
        case KillTarget.BROKER:
            pids = instance.pids("broker")
        case KillTarget.WEB_SERVER | KillTarget.WEB_WORKER:
            pids = instance.pids("web")
        case KillTarget.DATABASE | KillTarget.DATABASE_BACKEND:
            pids = [_postmaster(instance.folder)]
    first = psutil.Process(pids[0])
    return [first, *first.children(recursive=True)]


def _postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split(maxsplit=1)[0])
