"""Runs a piece of a test as another user of the machine."""

import os
from collections.abc import Callable

import pytest

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")


def as_other_user(work: Callable[[], object], uid: int = NOBODY) -> str:
    """Run `work` in a process of another user without other groups; return str(its result), or its error's name.

    The process is a fork, because another user cannot read the files of Python's packages everywhere.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            answer = str(work())
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, answer.encode()[:4000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer
