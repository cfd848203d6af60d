"""What a decoder could do at a malicious file, as functions that the sandbox calls in its processes."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from annotation.photos.rejected import PhotoRejected

Answer = tuple[dict[str, Any], list[bytes]]


def echo(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    return {"arguments": arguments, "pid": os.getpid()}, parts


def environment(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    return dict(os.environ), []


def refuse(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    raise PhotoRejected("No photo.")


def loop(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    while True:
        pass


def hang(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    time.sleep(600)  # the test kills this process
    return {}, []


def fill_memory(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    return {"size": len(bytearray(arguments["size"]))}, []


def crash(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}, []


def print_much(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    os.write(1, b"a decoder's warning\n" * 10)
    return {"printed": True}, []


def write_file(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    Path(arguments["path"]).write_bytes(b"x" * 10)
    return {}, []


def send_nonsense(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    for pipe in range(3, 10):
        try:
            os.write(pipe, b"\xff" * 64)
        except OSError:
            continue
    return {}, []


def take(arguments: dict[str, Any], parts: list[bytes], reserve: Any) -> Answer:
    reserve(arguments["size"])
    return {"done": True}, []
