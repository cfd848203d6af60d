"""The program of a decoding process: `python -m annotation.photos.sandbox_child BYTES SECONDS`. Pure.

`annotation.photos.sandbox` starts it and sends it photos. It loads Pillow and NumPy only, and knows neither settings
nor the database. It ends when its input ends.
"""

import os
import resource
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from PIL import AvifImagePlugin

from annotation.language import gettext_noop
from annotation.photos.decoding_cost import MEGABYTE, SMALL_BYTES
from annotation.photos.rejected import PhotoRejected
from annotation.photos.sandbox_messages import Head, Parts, packed, received

_UNDECODED = gettext_noop("The file cannot be decoded (%(kind)s: %(error)s).")

_MOST_BYTES = 8 * 1024 * MEGABYTE  # a photo sent as bytes; the memory limit comes first


def main(max_bytes: int, seconds: int) -> None:
    """Answer requests until the input ends."""
    # The parent decides when this process ends: a Ctrl-C in its terminal must not refuse the photo in progress.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    messages_in, messages_out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a decoder prints is no message
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    _limits_set(max_bytes)

    def read(size: int) -> bytes:
        data = messages_in.read(size)
        if len(data) < size:
            raise EOFError
        return data

    _send(messages_out, {"ready": True})
    with suppress(EOFError, BrokenPipeError):
        while True:
            request, parts = received(read, most=_MOST_BYTES)

            def reserve(size: int) -> None:
                if size <= SMALL_BYTES:
                    return
                _send(messages_out, {"reserve": size})
                received(read, most=0)  # the answer comes when so many bytes are free

            _seconds_set(seconds)
            head, answer = _answer(request, parts, reserve, max_bytes)
            del parts
            _send(messages_out, head, answer)


def _answer(request: Head, parts: list[bytes], reserve: Any, max_bytes: int) -> tuple[Head, Parts]:
    """Call the function that the request names. Every error becomes an answer."""
    try:
        module, _, name = str(request["function"]).partition(":")
        result, answer = getattr(import_module(module), name)(request["arguments"], parts, reserve)
        return {"result": result}, answer
    except PhotoRejected as rejection:
        return {"rejected": str(rejection)}, ()
    except MemoryError:
        return {"out_of_memory": True}, ()
    except OSError as error:
        return {"unreadable": error.strerror or str(error)}, ()
    except Exception as error:  # decoders raise many kinds of errors on malicious bytes
        return {"rejected": (_UNDECODED % {"kind": type(error).__name__, "error": error})[:500]}, ()


def _limits_set(max_bytes: int) -> None:
    """Limit what this process may take: memory beyond its present size, no core files, no new files."""
    # RLIMIT_DATA counts memory that can be written. RLIMIT_AS would also count address space that is only set aside.
    with suppress(OSError):  # only Linux has /proc
        lines = Path("/proc/self/status").read_text().splitlines()
        present = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
        resource.setrlimit(resource.RLIMIT_DATA, (present + max_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(OSError):
        # When the machine runs out of memory, the kernel ends this process before any other.
        Path("/proc/self/oom_score_adj").write_text("900")


def _seconds_set(seconds: int) -> None:
    """Let the kernel end this process if the next photo takes more than `seconds` of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # The kernel compares whole seconds.
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def _send(out: IO[bytes], head: Head, parts: Parts = ()) -> None:
    for piece in packed(head, parts):
        out.write(piece)
    out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
