"""Photos that somebody wants judged on the spot. Nothing of them is kept: a folder holds them on the way to a worker.

`UPLOADS_ROOT/judge/<user>/<ticket>/` holds `names.json`, the waiting photos `0.photo`, `1.photo` …, and what
became of each, `0.json` …. A photo is deleted as soon as it was looked at, the folder after KEPT_SECONDS.
"""

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from django.conf import settings

from annotation.files.whole_file import whole_file, whole_path
from annotation.models import User
from inference.scoring.rows import Cells, ScoreRow
from inference.serving.scorer import SITE_RULES

if TYPE_CHECKING:
    from inference.serving.scorer import Judge

MOST_FILES = 20
KEPT_SECONDS = 900
_TICKETS_PER_USER = 5  # that wait for a worker at the same time
_MAX_ATTEMPTS = 3
_PATIENCE_SECONDS = 4
_UNATTENDED_SECONDS = 10  # after which a message counts as lost
_NAME_LENGTH = 200
_MEGABYTE = 1024 * 1024
_SPARE_BYTES = 256 * _MEGABYTE  # never filled up: the database lives on a disk too


class JudgementRefused(Exception):
    """The photos are not taken; the message says why."""


class Upload(Protocol):
    """A file as it comes from a browser: Django's UploadedFile."""

    @property
    def name(self) -> str | None:
        """Return its name there."""
        ...

    @property
    def size(self) -> int | None:
        """Return its length in bytes."""
        ...

    def chunks(self) -> Iterable[bytes]:
        """Yield its bytes in pieces."""
        ...


@dataclass(frozen=True)
class JudgedFile:
    """A photo of a ticket, and what became of it."""

    name: str
    cells: Cells | None
    """The row, with parts; None while the photo waits."""
    thumbnail: str
    """A data address, empty where there is no picture."""


@dataclass(frozen=True)
class Ticket:
    """Photos that one user sent at once."""

    name: str
    files: list[JudgedFile]
    seconds: float
    """Since they were sent."""
    begun: bool
    """Whether a worker has them."""

    @property
    def done(self) -> int:
        """Return how many photos were looked at."""
        return sum(file.cells is not None for file in self.files)

    @property
    def waiting(self) -> int:
        """Return how many were not."""
        return len(self.files) - self.done

    @property
    def is_late(self) -> bool:
        """Return whether it waits longer than it should for a worker that is alive."""
        return bool(self.waiting) and not self.begun and self.seconds > _PATIENCE_SECONDS


def judgement_begin(*, user: User, uploads: Sequence[Upload]) -> str:
    """Take photos in and return their ticket; the caller announces it. Raises JudgementRefused.

    A file that is too large is refused by itself, with its reason.
    """
    if not uploads:
        raise JudgementRefused("Choose a photo first.")
    if len(uploads) > MOST_FILES:
        raise JudgementRefused(f"{len(uploads)} files are more than the {MOST_FILES} that can be judged at once.")
    mine = _root() / str(user.pk)
    waiting = [folder for folder in _folders(mine) if any(folder.glob("*.photo"))]
    if len(waiting) >= _TICKETS_PER_USER:
        raise JudgementRefused("Your earlier photos still wait for a worker; try again once they are judged.")
    mine.mkdir(parents=True, exist_ok=True)
    limit = settings.IQS_MAX_FILE_BYTES
    if shutil.disk_usage(mine).free < sum(min(upload.size or 0, limit) for upload in uploads) + _SPARE_BYTES:
        raise JudgementRefused("The server's disk has no room for the photos at the moment.")
    ticket = uuid4().hex
    with whole_path(mine / ticket, durable=False) as part:
        part.mkdir()
        names = [_name(upload.name or "") for upload in uploads]
        (part / "names.json").write_text(json.dumps(names))
        for place, upload in enumerate(uploads):
            if (upload.size or 0) > limit:
                _result_write(
                    part, place, names[place], f"The file is larger than the {limit // _MEGABYTE} MB allowed."
                )
                continue
            with (part / f"{place}.photo").open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)
    return ticket


def judgement_run(*, user_id: int, ticket: str, judge: "Callable[[], Judge]") -> int:
    """Judge the waiting photos of a ticket and return how many. May run twice; only one at a time works.

    `judge` is called once there is something to judge. A photo on which workers die is given up.
    """
    folder = _root() / str(user_id) / ticket
    if not folder.is_dir():  # judged and gone long ago
        return 0
    with _held(folder) as held:
        waiting = _waiting(folder)
        if not held or not waiting:
            return 0
        names = json.loads((folder / "names.json").read_text())
        reason = ""
        if _attempts_count(folder) > _MAX_ATTEMPTS:
            reason = f"Given up after {_MAX_ATTEMPTS} attempts: each time the worker died on these photos."
        else:
            try:
                return _judge(folder, names, waiting, judge())
            except RuntimeError as error:  # no weights, a damaged file, no such device: the message says it
                reason = f"The model cannot be loaded: {error}"
        for place in _waiting(folder):
            _result_write(folder, place, names[place], reason)
        return len(waiting)


def _judge(folder: Path, names: list[str], waiting: list[int], judge: "Judge") -> int:
    from inference.scoring.contact_sheet import thumbnail_address

    done = 0
    source: Callable[[int], Path | IO[bytes]] = lambda place: folder / f"{place}.photo"  # noqa: E731
    # One at a time, so that each is shown as soon as it is there.
    for rows in judge.rows(waiting, name=str, source=source, batch=1):
        for row in rows:
            place = int(row.file)
            thumbnail = "" if row.reason else thumbnail_address(folder / f"{place}.photo")
            _write(folder / f"{place}.json", replace(row, file=names[place]).cells(judge.rules), thumbnail)
            (folder / f"{place}.photo").unlink(missing_ok=True)
            done += 1
    return done


def judgement_find(*, user: User, ticket: str) -> Ticket | None:
    """Return a user's own ticket, or None when it is not there, any more or at all."""
    if not ticket.isalnum():
        return None
    folder = _root() / str(user.pk) / ticket
    try:
        names = json.loads((folder / "names.json").read_text())
        age = time.time() - (folder / "names.json").stat().st_mtime
        files = []
        for place, name in enumerate(names):
            result: dict[str, Any] = {}
            with suppress(FileNotFoundError):
                result = json.loads((folder / f"{place}.json").read_text())
            files.append(JudgedFile(name, result.get("cells"), result.get("thumbnail", "")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Ticket(ticket, files, age, begun=(folder / "attempts").exists())


def judgements_expire() -> list[tuple[int, str]]:
    """Delete tickets that are too old; return (user id, ticket) of those that wait and that no worker has."""
    unattended = []
    now = time.time()
    for mine in _folders(_root(), hidden=True):
        for folder in _folders(mine, hidden=True):
            age = now - folder.stat().st_mtime if folder.exists() else 0.0
            with suppress(FileNotFoundError):
                age = now - (folder / "names.json").stat().st_mtime
            if age > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
            elif age > _UNATTENDED_SECONDS and not folder.name.startswith(".") and _waiting(folder):
                with _held(folder) as held:
                    if held:
                        unattended.append((int(mine.name), folder.name))
        with suppress(OSError):  # empty at last
            mine.rmdir()
    return unattended


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a ticket, and say whether it could be had. The system lets go of it when its holder is killed."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _attempts_count(folder: Path) -> int:
    file = folder / "attempts"
    attempts = 1 + (int(file.read_text()) if file.exists() else 0)
    # Counted before the photos are looked at: should they kill the whole machine, the count has to be there.
    with whole_file(file, "w") as counted:
        counted.write(str(attempts))
    return attempts


def _waiting(folder: Path) -> list[int]:
    return sorted(int(file.stem) for file in folder.glob("*.photo") if not (folder / f"{file.stem}.json").exists())


def _result_write(folder: Path, place: int, name: str, reason: str) -> None:
    _write(folder / f"{place}.json", ScoreRow(name, reason=reason).cells(SITE_RULES), "")
    (folder / f"{place}.photo").unlink(missing_ok=True)


def _write(path: Path, cells: Cells, thumbnail: str) -> None:
    with whole_file(path, "w", durable=False) as file:
        file.write(json.dumps({"cells": cells, "thumbnail": thumbnail}))


def _name(name: str) -> str:
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return shown[-_NAME_LENGTH:] or "unnamed"


def _root() -> Path:
    return Path(settings.UPLOADS_ROOT) / "judge"


def _folders(folder: Path, *, hidden: bool = False) -> list[Path]:
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.is_dir() and (hidden or not entry.name.startswith("."))]
