"""Creates photo files, and bad files that every import must reject."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.conftest import photo_bytes


def scene(seed: int, width: int = 240, height: int = 160) -> Image.Image:
    """Return a picture with enough detail for a perceptual hash. Each seed gives a different one."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y, size = rng.integers(0, width), rng.integers(0, height), rng.integers(10, 60)
        draw.ellipse([x, y, x + size, y + size], fill=tuple(int(value) for value in rng.integers(0, 255, 3)))
    return picture


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG whose header has this size. The file contains almost no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def animation(kind: str) -> bytes:
    frames = [scene(seed) for seed in (1, 2, 3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


#: {name: (bytes, part of the error message)}, one file of each kind that must be rejected.
BAD: dict[str, tuple[bytes, str]] = {
    "truncated.jpg": (encoded(scene(1))[:-2000], "incomplete"),
    "truncated.png": (encoded(scene(1), "PNG")[:-3000], "incomplete"),
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"This is not a photo.\n" * 50, "Not a photo"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "Not a photo"),
    "bomb.png": (png_header(50_000, 50_000), "megapixels"),
    "animated.gif": (animation("GIF"), "animated"),
    "animated.webp": (animation("WEBP"), "animated"),
    "animated.png": (animation("PNG"), "animated"),
    "dot.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "too small"),
}


def write_bad(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (data, _) in BAD.items():
        (folder / name).write_bytes(data)


def write_photos(folder: Path, seeds: range) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (folder / f"photo-{seed:03d}.jpg").write_bytes(photo_bytes(seed))


def write_zip(path: Path, entries: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path
