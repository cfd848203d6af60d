"""Lets the system user of the embedded database reach its data and programs, and no other user.

Root's folders are often closed to others. The right to enter a folder is given to the one user, by an access control
list where the file system has them. No right to list a folder is ever given.
"""

import errno
import os
import stat
import struct
import subprocess
from pathlib import Path
from typing import Any, Protocol

_ACL = "system.posix_acl_access"  # of Linux; the layout is in include/uapi/linux/posix_acl_xattr.h
_HEADER, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")  # version; tag, rights, user id
_VERSION = 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF  # the id of entries that name no user
_ENTER = 1


class User(Protocol):
    """The user that gets the right, as `postgres_server.Identity`."""

    @property
    def uid(self) -> int:
        """Return the user id."""
        ...

    @property
    def gid(self) -> int:
        """Return the group id."""
        ...

    def options(self) -> dict[str, Any]:
        """Return the arguments with which `subprocess` starts a program as the user."""
        ...


def enter_allow(path: Path, user: User) -> None:
    """Let the user enter all parents of `path`. For root only.

    On a file system without access control lists, all users may then enter them, but not list them.
    """
    if _enters(path.parent, user):
        return
    for folder in reversed(path.parents):
        if _enters(folder, user):
            continue
        try:
            _entry_add(folder, user.uid)
        except (OSError, AttributeError):  # no access control lists here
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)


def group_enter_allow(folder: Path, user: User) -> None:
    """Let the members of the user's group, which has no other members, enter a folder of the instance."""
    found = folder.stat()
    if found.st_gid != user.gid:
        os.chown(folder, -1, user.gid)
    folder.chmod(stat.S_IMODE(found.st_mode) & ~0o077 | stat.S_IXGRP)


def _enters(folder: Path, user: User) -> bool:
    command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]
    return subprocess.run(command, cwd="/", stderr=subprocess.DEVNULL, check=False, **user.options()).returncode == 0


def _entry_add(folder: Path, uid: int) -> None:
    """Give one user the right to enter, by an access control list. Raises OSError where there are none."""
    rights: dict[tuple[int, int], int] = {}
    try:
        stored = os.getxattr(folder, _ACL)[_HEADER.size :]
        rights = {(tag, who): allowed for tag, allowed, who in _ENTRY.iter_unpack(stored)}
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        mode = stat.S_IMODE(folder.stat().st_mode)
        for tag, shift in ((_OWNER, 6), (_GROUP, 3), (_OTHER, 0)):
            rights[tag, _NOBODY] = mode >> shift & 7
    rights[_USER, uid] = rights.get((_USER, uid), 0) | _ENTER
    rights[_MASK, _NOBODY] = rights.get((_MASK, _NOBODY), rights[_GROUP, _NOBODY]) | _ENTER
    entries = (_ENTRY.pack(tag, allowed, who) for (tag, who), allowed in sorted(rights.items()))
    os.setxattr(folder, _ACL, _HEADER.pack(_VERSION) + b"".join(entries))
