"""Which processes of a running instance can be killed, and how: with SIGKILL, as when memory runs out."""

import random
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import psutil

from iqs_site.instance.supervisor import Instance


class Victim(StrEnum):
    """What is killed."""

    WEB_SERVER = "web server"
    """Every process of it at once."""
    DATABASE = "database"
    """Every process of it at once."""
    BROKER = "broker"
    WEB_WORKER = "one process of the web server"
    DATABASE_BACKEND = "one process of the database"


def kill(victim: Victim, instance: Instance, rng: random.Random) -> None:
    """Kill the victim's processes; `rng` chooses where only one of several dies."""
    processes = _processes(victim, instance)
    if victim in (Victim.WEB_WORKER, Victim.DATABASE_BACKEND):
        processes = [rng.choice(processes[1:])]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _processes(victim: Victim, instance: Instance) -> list[psutil.Process]:
    """Return the processes of the server that the victim belongs to, the first one first."""
    match victim:
        case Victim.BROKER:
            pids = instance.pids("broker")
        case Victim.WEB_SERVER | Victim.WEB_WORKER:
            pids = instance.pids("web")
        case Victim.DATABASE | Victim.DATABASE_BACKEND:
            pids = [_postmaster(instance.folder)]
    first = psutil.Process(pids[0])
    return [first, *first.children(recursive=True)]


def _postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split(maxsplit=1)[0])
