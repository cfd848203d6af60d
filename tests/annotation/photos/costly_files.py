"""Small files that are costly to decode, made on the spot."""

import io
import struct
import zlib

from PIL import Image


def flat_png(width: int, height: int) -> bytes:
    """Return a PNG of one colour with transparency: about 4 kB for each million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\0" + b"\x80\x90\xa0\xff" * width
    data = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_of_scans(scans: int, width: int = 64, height: int = 64) -> bytes:
    """Return a progressive JPEG whose last scan is repeated until it has so many."""
    buffer = io.BytesIO()
    Image.new("L", (width, height), 90).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    present = data.count(b"\xff\xda")
    return data[:-2] + data[last:-2] * (scans - present) + data[-2:]


def gif_of_frames(frames: int) -> bytes:
    """Return a GIF that repeats its only frame."""
    buffer = io.BytesIO()
    Image.new("L", (32, 32), 90).save(buffer, "GIF")
    data = buffer.getvalue()
    frame = data[data.index(b",") : -1]
    return data[:-1] + frame * (frames - 1) + data[-1:]
