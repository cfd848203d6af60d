"""ICC profiles made by hand, and the pieces of PNG, WebP and EXIF that tests put together."""

import struct
import zlib
from collections.abc import Callable

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
#: XYZ (adapted to D50) of red, green and blue.
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
PROPHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
SWAPPED = (SRGB[1], SRGB[2], SRGB[0])


def _s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_s15(value) for value in values)


def gamma_curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def table_curve(curve: Callable[[np.ndarray], np.ndarray], entries: int = 1024) -> bytes:
    values = np.round(65535 * curve(np.linspace(0, 1, entries))).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", entries) + values.tobytes()


def srgb_curve() -> bytes:
    """Return the sRGB curve as a parametric curve of type 3."""
    return b"para\0\0\0\0\0\3\0\0" + b"".join(_s15(v) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))


def srgb_to_linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def profile(
    tags: dict[bytes, bytes],
    *,
    space: bytes = b"RGB ",
    pcs: bytes = b"XYZ ",
    kind: bytes = b"mntr",
    version: int = 0x02400000,
    intent: int = 0,
    signature: bytes = b"acsp",
) -> bytes:
    """Return the bytes of a profile with these tags."""
    text = b"test"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + bytes(79)
    tags = {b"desc": desc, b"cprt": b"text\0\0\0\0x\0", b"wtpt": _xyz(D50), **tags}
    body, table, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", start + len(body), len(value))
        body += padded
    head = struct.pack(">I4sI", start + len(body), b"lcms", version) + kind + space + pcs
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + signature + b"APPL" + bytes(20)
    head += struct.pack(">I", intent) + b"".join(_s15(value) for value in D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def matrix_tags(primaries: tuple[tuple[float, float, float], ...], *curves: bytes) -> dict[bytes, bytes]:
    """Return the tags of a matrix profile; one curve for all channels, or three."""
    red, green, blue = curves if len(curves) == 3 else curves * 3
    colours = {name: _xyz(value) for name, value in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    return {**colours, b"rTRC": red, b"gTRC": green, b"bTRC": blue}


def matrix_profile(primaries: tuple[tuple[float, float, float], ...], *curves: bytes, **header: object) -> bytes:
    return profile(matrix_tags(primaries, *curves), **header)  # type: ignore[arg-type]


def grey_profile(curve: bytes, **header: object) -> bytes:
    return profile({b"kTRC": curve}, space=b"GRAY", **header)  # type: ignore[arg-type]


def lut(channels: int, colour: Callable[[np.ndarray], np.ndarray], *, grid: int = 9) -> bytes:
    """Return an A2B table of 16 bits from `channels` inputs to Lab.

    `colour` turns inputs [N, channels], 0 … 1, into linear sRGB [N, 3].
    """
    axes = np.meshgrid(*[np.linspace(0, 1, grid)] * channels, indexing="ij")
    linear = colour(np.stack([axis.ravel() for axis in axes], axis=1))
    xyz = linear @ np.array(SRGB) / np.array(D50)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
    # Lab of version 2: 65280 is L = 100, and 32768 is a = 0.
    coded = np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1)
    table = np.clip(np.round(coded), 0, 65535).astype(">u2").tobytes()
    identity = b"".join(_s15(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    straight = struct.pack(">HH", 0, 65535)
    head = b"mft2\0\0\0\0" + bytes([channels, 3, grid, 0]) + identity + struct.pack(">HH", 2, 2)
    return head + straight * channels + table + straight * 3


def cmyk_profile(**header: object) -> bytes:
    """Return a CMYK profile whose inks are duller than plain multiplication."""

    def inks(cmyk: np.ndarray) -> np.ndarray:
        plain = (1 - cmyk[:, :3]) * (1 - cmyk[:, 3:])
        return srgb_to_linear(0.15 + 0.8 * plain) @ np.array([[0.9, 0.1, 0.0], [0.05, 0.85, 0.1], [0.05, 0.1, 0.85]])

    return profile(
        {b"A2B0": lut(4, inks, grid=7)},
        space=b"CMYK",
        pcs=b"Lab ",
        kind=b"prtr",
        **header,  # type: ignore[arg-type]
    )


def rgb_lut_profile(extra: dict[bytes, bytes] | None = None, **header: object) -> bytes:
    """Return an RGB profile with a table: gamma 1.6, and a black that is grey."""
    table = lut(3, lambda rgb: 0.03 + 0.97 * rgb[:, [0, 1, 2]] ** 1.6, grid=17)
    return profile({b"A2B0": table, **(extra or {})}, pcs=b"Lab ", **header)  # type: ignore[arg-type]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """Insert chunks behind the header of a PNG."""
    return data[:33] + b"".join(chunks) + data[33:]


def png_raw(width: int, height: int, depth: int, kind: int, rows: list[bytes], *chunks: bytes) -> bytes:
    """Return a PNG of rows without filters."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + png_chunk(b"IEND", b"")


def tiff(*entries: tuple[int, int, int, bytes], order: str = "<", second: bytes = b"") -> bytes:
    """Return the TIFF structure of EXIF: entries of (tag, type, count, four bytes), and maybe a second directory."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    following = struct.pack(f"{order}I", 8 + 2 + 12 * len(entries) + 4 if second else 0)
    body = b"".join(struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return mark + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", len(entries)) + body + following + second


def orientation(value: int, *, kind: int = 3, count: int = 1, order: str = "<") -> bytes:
    """Return a TIFF structure with an orientation of a type (1 byte, 3 short, 4 long)."""
    code = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}[kind]
    return tiff((0x112, kind, count, struct.pack(f"{order}{code}", value).ljust(4, b"\0")), order=order)


def jpeg_segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_with(data: bytes, *segments: bytes) -> bytes:
    """Insert segments at the start of a JPEG."""
    return data[:2] + b"".join(segments) + data[2:]


def riff_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp_with(data: bytes, width: int, height: int, flags: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return an extended WebP around the picture of a plain one, with chunks before and behind it."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size) + before + data[12:] + after
    return b"RIFF" + struct.pack("<I", len(body)) + body
