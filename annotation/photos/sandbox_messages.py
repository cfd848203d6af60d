"""The messages between a process and its decoding processes: JSON, followed by parts of plain bytes. Pure.

No pickle: a decoder that somebody took over must not be able to make the other side run code.
"""

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

LENGTHS = struct.Struct("<IQ")
_HEAD_BYTES = 1024 * 1024

Head = dict[str, Any]
Parts = Sequence[bytes]


class MessageError(Exception):
    """The bytes are no message, or it is longer than allowed."""


def packed(head: Head, parts: Parts = ()) -> list[bytes]:
    """Return a message as pieces of bytes to send one after the other."""
    text = json.dumps({**head, "sizes": [len(part) for part in parts]}).encode()
    return [LENGTHS.pack(len(text), sum(len(part) for part in parts)) + text, *parts]


def received(read: Callable[[int], bytes], *, most: int) -> tuple[Head, list[bytes]]:
    """Read one message with `read`, which returns exactly as many bytes as it is asked for.

    Raises MessageError when the parts have more than `most` bytes together, or the bytes are no message.
    """
    head_size, size = LENGTHS.unpack(read(LENGTHS.size))
    if head_size > _HEAD_BYTES or size > most:
        raise MessageError(f"A message of {head_size} and {size} bytes is too long.")
    try:
        head: Head = json.loads(read(head_size))
        sizes = [int(one) for one in head["sizes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise MessageError("The message cannot be read.") from error
    if min(sizes, default=0) < 0 or sum(sizes) != size:
        raise MessageError("The parts of a message do not have the length that it says.")
    return head, [read(one) for one in sizes]
