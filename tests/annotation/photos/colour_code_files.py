"""Files that say by numbers which colour space they are in: PNG chunks, and the codes of ITU-T H.273."""

import struct
import zlib

from tests.annotation.bad_files import encoded
from tests.annotation.photos import profiles as icc
from tests.annotation.photos.colour_files import scene


def _avif_with_cicp(primaries: int, transfer: int) -> bytes:
    data = bytearray(encoded(scene(), "AVIF", quality=95, subsampling="4:4:4"))
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def _chrm(*values: float) -> bytes:
    return icc.png_chunk(b"cHRM", struct.pack(">8I", *[round(value * 100_000) for value in values]))


def _gama(value: float) -> bytes:
    return icc.png_chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


SRGB_CHRM = _chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_CHRM = _chrm(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
D50_CHRM = _chrm(0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001)


def png_chunk_files() -> dict[str, bytes]:
    plain, grey = encoded(scene(), "PNG"), encoded(scene().convert("L"), "PNG")
    srgb = icc.png_chunk(b"sRGB", b"\0")
    wide = icc.png_chunk(b"iCCP", b"wide\0\0" + zlib.compress(icc.matrix_profile(icc.PROPHOTO, icc.gamma_curve(1.8))))
    broken = icc.png_chunk(b"iCCP", b"wide\0\0" + b"not compressed")
    nonsense = icc.png_chunk(b"iCCP", b"wide\0\0" + zlib.compress(b"not a profile"))

    def cicp(*values: int) -> bytes:
        return icc.png_chunk(b"cICP", bytes(values))

    chunks: dict[str, tuple[bytes, ...]] = {
        "gama-linear": (_gama(1.0),),
        "gama-1.8": (_gama(1 / 1.8),),
        "gama-srgb": (_gama(0.45455),),
        "gama-0": (_gama(0),),
        "gama-twice": (_gama(1.0), _gama(0.45455)),
        "chrm-p3": (P3_CHRM,),
        "chrm-and-gama-p3": (P3_CHRM, _gama(0.45455)),
        "chrm-and-gama-wide": (D50_CHRM, _gama(1 / 1.8)),
        "chrm-and-gama-linear": (SRGB_CHRM, _gama(1.0)),
        "chrm-and-gama-srgb": (SRGB_CHRM, _gama(0.45455)),
        "chrm-zero": (_chrm(*[0] * 8), _gama(0.45455)),
        "chrm-short": (icc.png_chunk(b"cHRM", b"\0\0\0\1"), _gama(1.0)),
        "srgb-over-gama": (srgb, _gama(1.0)),
        "gama-before-srgb": (_gama(1.0), P3_CHRM, srgb),
        "srgb-and-profile": (srgb, wide),
        "profile-and-srgb": (wide, srgb),
        "profile-over-gama": (_gama(1.0), wide),
        "profile-broken-and-gama": (broken, SRGB_CHRM, _gama(1.0)),
        "profile-nonsense-and-gama": (nonsense, SRGB_CHRM, _gama(1.0)),
        "cicp-p3": (cicp(12, 13, 0, 1),),
        "cicp-srgb": (cicp(1, 13, 0, 1),),
        "cicp-709": (cicp(1, 1, 0, 1),),
        "cicp-2020": (cicp(9, 13, 0, 1),),
        "cicp-2020-14": (cicp(9, 14, 0, 1),),
        "cicp-linear": (cicp(1, 8, 0, 1),),
        "cicp-gamma-2.2": (cicp(1, 4, 0, 1),),
        "cicp-gamma-2.8": (cicp(5, 5, 0, 1),),
        "cicp-unspecified": (cicp(2, 2, 0, 1),),
        "cicp-limited-range": (cicp(12, 13, 0, 0),),
        "cicp-matrix": (cicp(12, 13, 1, 1),),
        "cicp-over-profile": (wide, cicp(12, 13, 0, 1)),
        "cicp-over-srgb": (srgb, cicp(12, 13, 0, 1)),
        "cicp-reserved-over-profile": (cicp(99, 99, 0, 1), wide),
    }
    files = {f"{name}.png": icc.png_with(plain, *parts) for name, parts in chunks.items()}
    for gamma in (0.40, 0.4167, 0.44, 0.45, 0.46, 0.48, 0.5, 0.6):
        files[f"gama-{gamma}.png"] = icc.png_with(plain, _gama(gamma))
        files[f"gama-{gamma}-with-chrm.png"] = icc.png_with(plain, _gama(gamma), SRGB_CHRM)
    for name in ("gama-linear", "chrm-and-gama-linear", "chrm-and-gama-wide", "cicp-p3", "cicp-linear"):
        files[f"{name}-grey.png"] = icc.png_with(grey, *chunks[name])
    pixels = plain.index(b"IDAT") - 4
    end = len(plain) - 12
    files["gama-behind-the-pixels.png"] = plain[:end] + SRGB_CHRM + _gama(1.0) + plain[end:]
    files["profile-behind-the-pixels.png"] = plain[:end] + wide + plain[end:]
    files["profile-right-before-the-pixels.png"] = plain[:pixels] + wide + plain[pixels:]
    return files


def code_files() -> dict[str, bytes]:
    """Return files with each code of the primaries, and with each code of the transfer function."""
    wide = icc.png_chunk(b"iCCP", b"wide\0\0" + zlib.compress(icc.matrix_profile(icc.PROPHOTO, icc.gamma_curve(1.8))))
    plain = encoded(scene(), "PNG")
    pairs = [(primaries, 13) for primaries in (*range(13), 22, 23, 99)]
    pairs += [(primaries, transfer) for primaries in (1, 12) for transfer in (*range(20), 99)]
    files = {}
    for primaries, transfer in pairs:
        codes = icc.png_chunk(b"cICP", bytes([primaries, transfer, 0, 1]))
        files[f"codes-{primaries}-{transfer}.png"] = icc.png_with(plain, codes)
        files[f"codes-{primaries}-{transfer}-with-profile.png"] = icc.png_with(plain, codes, wide)
        files[f"codes-{primaries}-{transfer}.avif"] = _avif_with_cicp(primaries, transfer)
    return files
