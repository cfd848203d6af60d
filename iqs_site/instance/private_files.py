"""Keeps the files of an instance from other users of the machine: umask, folder modes, and the check of an owner.

Only POSIX modes are changed. A mode that is stricter already stays as it is.
"""

import os
import pwd
import re
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path

UMASK = 0o077  # new files and folders are for their owner only
_OTHERS = 0o077
SERVER_USER = "pgserver"  # PostgreSQL refuses to run as root

# Names in the folders of IQS. Those of the first line are in no folder of a system.
_MARKS = {"secret_key", "postgres", "valkey", "backbones", "heads"}
_KNOWN = {"run", "log", "media", "models", "static", "uploads", "weights", "runs", "demo_accounts.json"}

# Bytes. The data folder has files with longer paths, and PostgreSQL accepts up to 1,023.
LONGEST_PATH = 800


class FolderError(RuntimeError):
    """A folder cannot be used; the message is one sentence that says why."""


def umask_set() -> None:
    """Let this process, and those that it starts, create files and folders for their owner only."""
    os.umask(UMASK)


def folder_path(variable: str, value: str | Path) -> Path:
    """Return the absolute path of a folder that a variable names; `~` is the home folder. Nothing is created.

    Raises FolderError for paths that one of the servers cannot use: names that are not UTF-8, control characters, and
    more than LONGEST_PATH bytes.
    """
    try:
        path = Path(value).expanduser()
        shown = str(path).encode(errors="backslashreplace").decode()
        path = path.resolve()
        str(path).encode()
    except UnicodeEncodeError:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise FolderError(f"the folder name {shown} of {variable} is not UTF-8; use another folder.") from None
    except RuntimeError as error:  # no such user for `~name`, or links that lead to themselves
        raise FolderError(f"the folder {value} of {variable} cannot be found ({_reason(error)}).") from None
    except OSError as error:
        raise FolderError(f"the folder {_short(shown)} of {variable} cannot be used ({error.strerror}).") from None
    if re.search(r"[\x00-\x1f\x7f]", str(path)):
        raise FolderError(f"the folder name {str(path)!r} of {variable} has a control character; use another folder.")
    if (length := len(os.fsencode(path))) > LONGEST_PATH:
        raise FolderError(
            f"the path {_short(str(path))} of {variable} is too long: it has {length} bytes, and {LONGEST_PATH} are "
            "allowed."
        )
    return path


def folder_make(variable: str, path: Path, *, is_private: bool = True) -> None:
    """Create a folder for its owner only, unless it exists; take an existing folder of IQS from other users.

    `is_private` is False for files that everybody may read, such as scripts for browsers. Raises FolderError when that
    fails, and for a shared folder or one that another user may have prepared.
    """
    try:
        path.mkdir(mode=0o700 if is_private else 0o755, parents=True, exist_ok=True)
        found, parent = path.stat(), path.parent.stat()
        if found.st_mode & stat.S_ISVTX:
            raise FolderError(f"the folder {path} of {variable} is shared by all users; use a folder of its own.")
        if (found.st_mode | parent.st_mode) & stat.S_IWOTH and found.st_uid not in (0, os.geteuid()):
            raise FolderError(f"the folder {path} of {variable} belongs to another user; use another folder.")
        if is_private and _is_of_iqs(path):
            with suppress(OSError):  # a file system that is read-only or has no modes
                tighten(path)
    except OSError as error:
        raise FolderError(f"the folder {path} of {variable} cannot be created ({error.strerror}).") from error


def _is_of_iqs(folder: Path) -> bool:
    """Return whether everything in a folder looks like IQS. A setting can name a folder of the system by mistake."""
    if stat.S_IMODE(folder.stat().st_mode) & _OTHERS == 0:
        return True
    names = {entry.name for entry in os.scandir(folder)}
    return bool(names & _MARKS) or all(name in _KNOWN or re.fullmatch("[0-9a-f]{2}", name) for name in names)


def writable_check(variable: str, path: Path) -> None:
    """Raise FolderError when this process cannot create files in an existing folder."""
    if os.access(path, os.W_OK | os.X_OK):
        return
    reason = "it may belong to another user"
    with suppress(OSError):
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            reason = "its file system is read-only"
    raise FolderError(f"the folder {path} of {variable} is not writable; {reason}.")


def is_own_folder(path: Path, owner: int) -> bool:
    """Return whether `path` is a folder (no link) of this owner that no other user can open.

    Needed before anything in a shared place, such as /tmp, is used again: another user may have made it.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & _OTHERS


def tighten(path: Path) -> None:
    """Take the rights of other users from one file or folder. Does nothing for links and files of other users.

    The system user of the embedded database may enter, but not list, the folders that `enter_allow` opened for it.
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or os.geteuid() not in (0, found.st_uid):
        return
    mode = stat.S_IMODE(found.st_mode)
    wanted = mode & ~_OTHERS
    if stat.S_ISDIR(found.st_mode) and found.st_gid == server_group():
        wanted |= mode & stat.S_IXGRP
    if wanted != mode:
        path.chmod(wanted)


@cache
def server_group() -> int | None:
    """Return the group of the system user that runs the embedded database for root; None if there is no such user."""
    try:
        return pwd.getpwnam(SERVER_USER).pw_gid
    except KeyError:
        return None


def tree_tighten(folder: Path, *, leave_out: Path) -> None:
    """Do as `tighten` for everything in a folder of IQS. Links are not followed; `leave_out` keeps its modes."""
    if not folder.is_dir() or not _is_of_iqs(folder):
        return
    tighten(folder)
    for parent, names, files in os.walk(folder):
        names[:] = [name for name in names if Path(parent, name) != leave_out]
        for name in (*names, *files):
            with suppress(OSError):  # a file system without modes, or a file that was deleted meanwhile
                tighten(Path(parent, name))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _short(path: str) -> str:
    return path if len(path) <= 100 else f"{path[:60]}…{path[-20:]}"
