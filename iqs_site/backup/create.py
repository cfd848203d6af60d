"""Makes a backup of the running site: first the database in one snapshot, then the files that its rows name.

Photos are only ever added, and files are written before the rows that name them. So the files of the snapshot are
there, although people go on working.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from annotation.files.whole_file import whole_file
from iqs_site.backup import database, files
from iqs_site.backup.archive import ArchiveWriter, BackupError

SECRET_KEY, DEMO_ACCOUNTS = "settings/secret_key", "settings/demo_accounts.json"
# Where things are, and with which password: another machine has its own.
_PLACES = {"IQS_VAR", "IQS_MEDIA", "IQS_MODELS", "IQS_STATIC", "IQS_HOST", "IQS_INSTANCE", "IQS_LOGS", "IQS_SOCKETS"}
_OTHER_SETTINGS = {"TIME_ZONE", "HTTPS", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "LOG_LEVEL"}
_SECRET = ("PASSWORD", "SECRET", "TOKEN", "KEY", "URL")

# Called with the name of the step, what is done, and how much there is.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Made:
    """A finished backup."""

    path: Path
    bytes: int
    rows: int
    photos: int
    left_out: files.LeftOut


def backup_make(path: Path, *, report: Report = lambda step, done, total: None) -> Made:
    """Write a backup to `path`, which appears when it is complete; only its owner can read it.

    Missing and damaged photos are left out and named in the result. Raises BackupError when the file cannot be written.
    """
    if path.is_dir():
        raise BackupError(f"{path} is a folder; name a file.")
    try:
        with whole_file(path, permissions=0o600) as file:
            made = _write(path, file, report)
    except OSError as error:
        raise BackupError(f"{path} cannot be written ({error.strerror or error}).") from error
    return made


def settings_set() -> dict[str, str]:
    """Return the environment variables of IQS that are set, without places and secrets."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if (name.startswith("IQS_") or name in _OTHER_SETTINGS)
        and name not in _PLACES
        and not any(word in name for word in _SECRET)
    }


def _write(path: Path, file: Any, report: Report) -> Made:
    with ExitStack() as stack:
        with database.snapshot():
            header = {
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "migrations": database.migrations_applied(),
                "settings": settings_set(),
            }
            archive = stack.enter_context(ArchiveWriter(file, header))
            archive.member_add(SECRET_KEY, settings.SECRET_KEY.encode())
            accounts = Path(settings.VAR) / "demo_accounts.json"
            if accounts.is_file():
                archive.member_add(DEMO_ACCOUNTS, accounts.read_bytes())
            tables = database.tables_write(archive, progress=partial(report, "rows"))
            photos = files.photos_listed()
            stack.enter_context(photos.lines)
            uploads = files.uploads_waiting()
        left_out = files.photos_write(archive, photos, progress=partial(report, "photos"))
        files.folders_write(archive, [(files.MODELS, Path(settings.MODELS_ROOT)), *uploads], left_out)
        archive.finish({"tables": tables, "photos": photos.count, "left_out": left_out.count})
        rows = sum(facts["rows"] for facts in tables.values())
        return Made(path, archive.bytes, rows, photos.count, left_out)
