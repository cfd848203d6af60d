"""Scoring jobs: photos that a user sends for immediate predictions. Photos and results are deleted soon after.

`UPLOADS_ROOT/scoring/<user>/<key>/` is the folder of one job. It holds `names.json`, the queued photos `0.photo`,
`1.photo` …, and the result of each photo, `0.json` …. A photo is deleted when its result is written, the folder after
KEPT_SECONDS. A worker claims a job by locking a file in the folder, so a killed worker loses its claim at once.
`inference.services.scoring_turns` decides whose job is next.
"""

import fcntl
import json
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from annotation.files.whole_file import whole_file, whole_path
from annotation.models import HourlyUse, User
from annotation.services.disk_space import space_refusal
from annotation.services.quotas import quota_add
from inference.scoring.rows import Cells, ScoreRow
from inference.services.scoring_models import SHIPPED, ScoringModel
from inference.services.scoring_quota import (
    ScoringBusy,
    ScoringNoSpace,
    ScoringRefused,
    scoring_quota_take,
    seconds_used_up,
)
from inference.serving.scorer import SITE_RULES, thumbnail

if TYPE_CHECKING:
    from inference.serving.scorer import PhotoScorer

MOST_FILES = 20
KEPT_SECONDS = 900
_JOBS_PER_USER = 5  # queued at the same time
_TOO_LARGE = gettext_noop("The file is larger than the %(limit)s MB allowed.")
_GIVEN_UP = gettext_noop("Given up after %(attempts)s attempts: the worker died each time.")
_MAX_ATTEMPTS = 3
_PATIENCE_SECONDS = 4
_STALE_SECONDS = 10  # an unclaimed job of this age is announced again, because its message may be lost
_NAME_LENGTH = 200
_NO_THUMBNAILS = "no-thumbnails"  # file in the folder of a job whose results have no pictures
_KEEPS_PHOTOS = "keeps-photos"  # file in the folder of a job whose photos stay as long as its results
_KEY = re.compile("[0-9a-f]{32}")
_MEGABYTE = 1024 * 1024


class Upload(Protocol):
    """A file that a browser uploaded, as Django's UploadedFile."""

    @property
    def name(self) -> str | None:
        """Return the name that the browser gave."""
        ...

    @property
    def size(self) -> int | None:
        """Return its length in bytes."""
        ...

    def chunks(self) -> Iterable[bytes]:
        """Yield its bytes in pieces."""
        ...


@dataclass(frozen=True)
class ScoredFile:
    """A photo of a scoring job, and its result."""

    name: str
    cells: Cells | None
    """The row, with parts; None while the photo is queued."""
    thumbnail: str
    """A `data:` URL; empty if there is no picture."""
    is_site_fault: bool = False
    """Whether the photo has no result because of the site, and not because of the file."""


@dataclass(frozen=True)
class ScoringJob:
    """Photos that one user sent in one request."""

    key: str
    files: list[ScoredFile]
    seconds: float
    """Time since the photos were sent."""
    is_claimed: bool
    """Whether a worker has claimed it."""
    model: ScoringModel = SHIPPED
    keeps_photos: bool = False
    """Whether the photos stay as long as the results."""

    @property
    def done(self) -> int:
        """Return how many photos have a result."""
        return sum(file.cells is not None for file in self.files)

    @property
    def waiting(self) -> int:
        """Return how many photos have no result yet."""
        return len(self.files) - self.done

    @property
    def is_late(self) -> bool:
        """Return whether the job has waited so long that probably no worker is running."""
        return bool(self.waiting) and not self.is_claimed and self.seconds > _PATIENCE_SECONDS


def scoring_job_create(
    *,
    user: User,
    uploads: Sequence[Upload],
    model: ScoringModel = SHIPPED,
    has_thumbnails: bool = True,
    keeps_photos: bool = False,
) -> str:
    """Store photos as a queued job for a model and return its key; the caller announces it.

    A file that is too large gets a result with the reason; the other photos are accepted. `has_thumbnails`: whether
    the results have pictures, which programs do not need. `keeps_photos`: the photos are deleted with their results, so
    that `checked_photos` can have them until then. Raises ScoringRefused, ScoringBusy, ScoringNoSpace, and
    ScoringLimitReached when the user has used what one hour allows.
    """
    if not uploads:
        raise ScoringRefused(gettext("Choose a photo first."))
    if len(uploads) > MOST_FILES:
        raise ScoringRefused(
            gettext("%(count)s files are more than the %(most_files)s allowed at once.")
            % {"count": len(uploads), "most_files": MOST_FILES}
        )
    user_folder = _root() / str(user.pk)
    queued = [folder for folder in _folders(user_folder) if any(folder.glob("*.photo"))]
    if len(queued) >= _JOBS_PER_USER:
        raise ScoringBusy(
            gettext("Your earlier photos are still waiting for a worker. Try again when they are scored.")
        )
    user_folder.mkdir(parents=True, exist_ok=True)
    limit = settings.IQS_MAX_FILE_BYTES
    size = sum(min(upload.size or 0, limit) for upload in uploads)
    waiting = sum(_size(photo) for folder in queued for photo in folder.glob("*.photo"))
    if queued and waiting + size > MOST_FILES * limit:
        raise ScoringBusy(
            gettext("Your earlier photos are still waiting for a worker. Try again when they are scored.")
        )
    if why := space_refusal(size=size):
        raise ScoringNoSpace(gettext("The photos cannot be scored now: %(why)s.") % {"why": why})
    scoring_quota_take(user, len(uploads))
    key = uuid4().hex
    with whole_path(user_folder / key, durable=False) as part:
        part.mkdir()
        names = [_name(upload.name or "") for upload in uploads]
        (part / "names.json").write_text(json.dumps(names))
        if model is not SHIPPED:
            model.write(part)
        if not has_thumbnails:
            (part / _NO_THUMBNAILS).touch()
        if keeps_photos:
            (part / _KEEPS_PHOTOS).touch()
        for place, upload in enumerate(uploads):
            if (upload.size or 0) > limit:
                _result_write(
                    part,
                    place,
                    names[place],
                    _TOO_LARGE % {"limit": limit // _MEGABYTE},
                )
                continue
            with (part / f"{place}.photo").open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)
    return key


def scoring_job_run(
    *, user_id: int, key: str, scorer: "Callable[[ScoringModel], PhotoScorer]", most: int | None = None
) -> int:
    """Claim a job, score its queued photos and return how many. May run twice: only one worker gets the claim.

    `scorer` loads the model of the job. It is called only when there is a photo to score. `most`: stop after so many
    photos. After several attempts in which the worker died, all photos of the job fail; also when the user's photos
    have taken as much time of the workers as one hour allows.
    """
    folder = _root() / str(user_id) / key
    if not folder.is_dir():  # deleted meanwhile
        return 0
    with file_claim(folder / ".lock") as claimed:
        queued = _queued(folder)
        if not claimed or not queued:
            return 0
        names = json.loads((folder / "names.json").read_text())
        reason = ""
        if _attempts_count(folder) > _MAX_ATTEMPTS:
            reason = _GIVEN_UP % {"attempts": _MAX_ATTEMPTS}
        elif used_up := seconds_used_up(user_id):
            reason = used_up
        else:
            try:
                model = scorer(ScoringModel.read(folder))
                started = time.monotonic()
                done = _score(folder, names, queued[:most], model)
                seconds = time.monotonic() - started
                quota_add(user_id=user_id, kind=HourlyUse.Kind.SCORING_SECONDS, amount=seconds)
                with suppress(FileNotFoundError):  # the program has its answer, and the job is deleted
                    _attempts_write(folder, 0)
                return done
            except RuntimeError as error:  # no weights, a damaged file, no such device; the message names the cause
                reason = gettext_noop("The model cannot be loaded: %(error)s") % {"error": error}
        for place in _queued(folder):
            _result_write(folder, place, names[place], reason, is_site_fault=True)
        return len(queued)


def _score(folder: Path, names: list[str], queued: list[int], scorer: "PhotoScorer") -> int:
    from inference.scoring.contact_sheet import thumbnail_address

    done, has_thumbnails = 0, not (folder / _NO_THUMBNAILS).exists()
    source: Callable[[int], Path | IO[bytes]] = lambda place: folder / f"{place}.photo"  # noqa: E731
    # One at a time, so that the page shows each as soon as it has a result.
    for rows in scorer.rows(queued, name=str, source=source, batch=1):
        for row in rows:
            place = int(row.file)
            has_picture = has_thumbnails and not row.reason
            picture = thumbnail_address(folder / f"{place}.photo", thumbnail) if has_picture else ""
            _write(folder / f"{place}.json", replace(row, file=names[place]).cells(scorer.rules), picture)
            with suppress(FileNotFoundError):
                _photo_end(folder, place, is_kept=not row.reason)
            done += 1
    return done


def _photo_end(folder: Path, place: int, *, is_kept: bool) -> None:
    """Delete a scored photo, or put it aside if the job keeps its photos. Raises FileNotFoundError if it is gone."""
    photo = folder / f"{place}.photo"
    if is_kept and (folder / _KEEPS_PHOTOS).exists():
        photo.rename(folder / f"{place}.kept")
    else:
        photo.unlink()


def scoring_job_folder(*, user: User, key: str) -> Path | None:
    """Return the folder of a user's own job; None if there is no such job or it was deleted."""
    folder = _root() / str(user.pk) / key
    return folder if _KEY.fullmatch(key) and folder.is_dir() else None


def scoring_job_find(*, user: User, key: str) -> ScoringJob | None:
    """Return a user's own job, or None if there is no such job or it was deleted."""
    if not _KEY.fullmatch(key):
        return None
    folder = _root() / str(user.pk) / key
    try:
        names = json.loads((folder / "names.json").read_text())
        age = time.time() - (folder / "names.json").stat().st_mtime
        keeps_photos = (folder / _KEEPS_PHOTOS).exists()
        files = []
        for place, name in enumerate(names):
            result: dict[str, Any] = {}
            with suppress(FileNotFoundError):
                result = json.loads((folder / f"{place}.json").read_text())
            cells, picture = result.get("cells"), result.get("thumbnail", "")
            files.append(ScoredFile(name, cells, picture, result.get("is_site_fault", False)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return ScoringJob(key, files, age, (folder / "attempts").exists(), ScoringModel.read(folder), keeps_photos)


def scoring_job_delete(*, user: User, key: str) -> None:
    """Delete a user's own finished job now instead of after KEPT_SECONDS."""
    if _KEY.fullmatch(key):
        shutil.rmtree(_root() / str(user.pk) / key, ignore_errors=True)


def scoring_jobs_sweep() -> list[tuple[int, str]]:
    """Discard jobs that are too old; return (user id, key) of stale ones: queued for long, without a claim."""
    stale = []
    now = time.time()
    for mine in _folders(_root(), hidden=True):
        for folder in _folders(mine, hidden=True):
            age = now - folder.stat().st_mtime if folder.exists() else 0.0
            with suppress(FileNotFoundError):
                age = now - (folder / "names.json").stat().st_mtime
            if age > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
            elif age > _STALE_SECONDS and not folder.name.startswith(".") and _queued(folder):
                with file_claim(folder / ".lock") as claimed:
                    if claimed:
                        stale.append((int(mine.name), folder.name))
        with suppress(OSError):  # not empty
            mine.rmdir()
    return stale


@contextmanager
def file_claim(file: Path) -> Iterator[bool]:
    """Lock a file for the length of the block, and yield whether that worked. Creates the file.

    The operating system ends the claim when the process that holds it is killed. Raises OSError if its folder is gone.
    """
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _attempts_count(folder: Path) -> int:
    file = folder / "attempts"
    attempts = 1 + (int(file.read_text()) if file.exists() else 0)
    # Written before the photos are opened, so that the count survives a crash of the machine.
    _attempts_write(folder, attempts)
    return attempts


def _attempts_write(folder: Path, attempts: int) -> None:
    with whole_file(folder / "attempts", "w") as counted:
        counted.write(str(attempts))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # scored meanwhile
        return 0


def scoring_jobs_queued() -> dict[Path, list[Path]]:
    """Return the queued jobs of each user as {folder of the user: folders of the jobs, oldest first}."""
    found: dict[Path, list[tuple[float, Path]]] = {}
    for mine in _folders(_root()):
        for folder in _folders(mine):
            with suppress(FileNotFoundError):  # deleted meanwhile
                if _queued(folder):
                    sent_at = (folder / "names.json").stat().st_mtime
                    found.setdefault(mine, []).append((sent_at, folder))
    return {mine: [folder for _, folder in sorted(jobs)] for mine, jobs in found.items()}


def _queued(folder: Path) -> list[int]:
    return sorted(int(file.stem) for file in folder.glob("*.photo") if not (folder / f"{file.stem}.json").exists())


def _result_write(folder: Path, place: int, name: str, reason: str, *, is_site_fault: bool = False) -> None:
    cells = ScoreRow(name, reason=reason).cells(SITE_RULES)
    _write(folder / f"{place}.json", cells, "", is_site_fault=is_site_fault)
    (folder / f"{place}.photo").unlink(missing_ok=True)


def _write(path: Path, cells: Cells, thumbnail: str, *, is_site_fault: bool = False) -> None:
    with whole_file(path, "w", durable=False) as file:
        file.write(json.dumps({"cells": cells, "thumbnail": thumbnail, "is_site_fault": is_site_fault}))


def _name(name: str) -> str:
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return shown[-_NAME_LENGTH:] or "unnamed"


def _root() -> Path:
    return Path(settings.UPLOADS_ROOT) / "scoring"


def _folders(folder: Path, *, hidden: bool = False) -> list[Path]:
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.is_dir() and (hidden or not entry.name.startswith("."))]
