"""Inspects photos from outside in the sandbox. Pure."""

from dataclasses import asdict
from typing import Any

from annotation.photos.decoding import SUFFIXES, PhotoFacts, photo_inspect
from annotation.photos.decoding_cost import Reserve
from annotation.photos.rejected import PhotoRejected
from annotation.photos.sandbox import STOPPED, Sandbox


def photo_inspect_apart(data: bytes, *, sandbox: Sandbox, max_pixels: int) -> PhotoFacts:
    """Return what `photo_inspect` returns, computed in the sandbox.

    Raises PhotoRejected with the reason, also when decoding needs too much memory or time, and SandboxError.
    """
    arguments = {"max_pixels": max_pixels, "max_bytes": sandbox.limits.max_bytes}
    facts, parts = sandbox.call(f"{__name__}:inspect", arguments, [data])
    numbers = [facts.get(name) for name in ("width", "height", "phash")]
    if facts.get("suffix") not in SUFFIXES.values() or not all(isinstance(one, int) for one in numbers):
        raise PhotoRejected(STOPPED)
    try:
        return PhotoFacts(**facts, thumbnail=parts[0])
    except (TypeError, IndexError) as error:
        raise PhotoRejected(STOPPED) from error


def inspect(arguments: dict[str, Any], parts: list[bytes], reserve: Reserve) -> tuple[dict[str, Any], list[bytes]]:
    """Inspect a photo in a decoding process, which calls this function."""
    facts = asdict(photo_inspect(parts[0], **arguments, reserve=reserve))
    thumbnail = facts.pop("thumbnail")
    return facts, [thumbnail]
