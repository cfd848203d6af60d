"""Restores a backup: checks the whole file first, then stores photos, then replaces database and models.

The database is replaced in one transaction. When the restore is interrupted before its end, the tables and models are
as before; photos that were stored already stay, named by their content.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, transaction

from annotation.files.whole_file import whole_file
from iqs_site.backup import database, files
from iqs_site.backup.archive import ArchiveReader, BackupError
from iqs_site.backup.create import DEMO_ACCOUNTS, SECRET_KEY, settings_set

# Called with the name of the step, what is done, and how much there is.
Report = Callable[[str, int, int], None]
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Restored:
    """A finished restore."""

    made_at: str
    rows: int
    photos: int
    left_out: int
    """Photos that were missing or damaged when the backup was made."""
    notes: list[str]
    """What the admin should know or do, as sentences."""


def backup_restore(path: Path, *, force: bool = False, report: Report = lambda step, done, total: None) -> Restored:
    """Replace the content of this instance by a backup. With `force`, also of an instance with users or campaigns.

    The database is migrated to this version of IQS afterwards. Raises BackupError with the reason; nothing has changed
    then, except that photos may have been stored.
    """
    with ArchiveReader(path) as archive:
        header = archive.header
        database.migrations_check(header.get("migrations", []))
        _instance_check(force=force)
        for _member in archive.members(progress=_megabytes(report, "MB checked")):
            pass
        manifest = archive.manifest
    try:
        _replace(path, manifest, report)
    except OSError as error:
        raise BackupError(f"The files cannot be stored ({error.strerror or error}).") from error
    except DatabaseError as error:
        raise BackupError(f"The database cannot be loaded ({' '.join(str(error).split())}).") from error
    call_command("migrate", interactive=False, verbosity=0)
    tables: dict[str, Any] = manifest["tables"]
    return Restored(
        made_at=header["made_at"],
        rows=sum(facts["rows"] for facts in tables.values()),
        photos=manifest["photos"],
        left_out=manifest["left_out"],
        notes=[*_setting_notes(header.get("settings", {}))],
    )


def _instance_check(*, force: bool) -> None:
    """Raise BackupError when the instance is in use, or has content and `force` is not set."""
    if not force and not database.is_empty():
        raise BackupError(
            "This instance has users or campaigns already. Restore into an empty one (set IQS_VAR or DATABASE_URL), or "
            "replace everything with --force."
        )
    if others := database.others_connected():
        connections = "1 other connection" if others == 1 else f"{others} other connections"
        raise BackupError(f"The database has {connections}. Stop IQS, its workers and other programs first.")


def _replace(path: Path, manifest: dict[str, Any], report: Report) -> None:
    own: dict[str, bytes] = {}
    with ExitStack() as undo:
        models = files.Staged(Path(settings.MODELS_ROOT), files.MODELS)
        undo.callback(models.discard)
        uploads = files.Staged(Path(settings.UPLOADS_ROOT), files.UPLOADS)
        undo.callback(uploads.discard)
        with ArchiveReader(path) as archive:
            for member in archive.members(progress=_megabytes(report, "MB restored")):
                if member.name.startswith(files.MEDIA):
                    files.photo_restore(member)
                elif member.name.startswith(files.MODELS):
                    models.add(member)
                elif member.name.startswith(files.UPLOADS):
                    uploads.add(member)
                elif member.name in (SECRET_KEY, DEMO_ACCOUNTS):
                    own[member.name] = member.file.read()
        with transaction.atomic():
            _tables_load(path, manifest, report)
        models.put_in_place()
        uploads.put_in_place()
        _own_files_write(own)


def _tables_load(path: Path, manifest: dict[str, Any], report: Report) -> None:
    """Replace the tables. The file is read again, because the transaction should not wait for the photos."""
    with ArchiveReader(path) as archive:
        database.tables_make(archive.header["migrations"])
        loader = database.TableLoader()
        loader.begin()
        done, total = 0, sum(facts["rows"] for facts in manifest["tables"].values())
        for member in archive.members():
            if member.name.startswith((files.MEDIA, files.MODELS, files.UPLOADS)):
                break  # they come after the tables
            if member.name.startswith(database.PREFIX):
                done += loader.load(member.name, member.file)
                report("rows", done, total)
        loader.finish(manifest["tables"])


def _own_files_write(own: dict[str, bytes]) -> None:
    """Write the secret key, unless SECRET_KEY is set, and the demo's accounts."""
    for name, data in own.items():
        if name == SECRET_KEY and os.environ.get("SECRET_KEY"):
            continue
        with whole_file(Path(settings.VAR) / Path(name).name, permissions=0o600) as file:
            file.write(data)


def _setting_notes(made_with: dict[str, str]) -> list[str]:
    """Return a sentence for each setting that differs from the backup's."""
    here = settings_set()
    notes = [
        f"The backup was made with {name}={value}; here it is {here.get(name) or 'not set'}."
        for name, value in made_with.items()
        if here.get(name) != value
    ]
    notes += [
        f"The backup was made without {name}; here it is {value}."
        for name, value in here.items()
        if name not in made_with
    ]
    return notes


def _megabytes(report: Report, step: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        report(step, done // _MEGABYTE, max(1, total // _MEGABYTE))

    return show
