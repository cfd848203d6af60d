"""Files whose colours depend on a profile or on transparency."""

import struct

import numpy as np
from PIL import Image, ImageCms, ImageFilter

from tests.annotation.bad_files import encoded
from tests.annotation.bad_files import scene as sharp_scene
from tests.annotation.photos import profiles as icc

WIDTH, HEIGHT = 120, 80


def scene(seed: int = 1) -> Image.Image:
    """Return a picture whose colours fill the cube, small and soft enough for every encoder."""
    return sharp_scene(seed, WIDTH, HEIGHT).filter(ImageFilter.GaussianBlur(1))


P3_CURVED = icc.matrix_profile(icc.P3, icc.srgb_curve())
LINEAR = icc.matrix_profile(icc.SRGB, icc.gamma_curve(1.0))


def matrix_profiles() -> dict[str, bytes]:
    def middle(values: np.ndarray) -> np.ndarray:
        return np.interp(values, [0, 0.2, 0.5, 1], [0, 0.1, 0.4, 1])  # no power function

    inverted = icc.matrix_profile(icc.SRGB, icc.table_curve(lambda v: 1 - v))
    return {
        "srgb-little-cms": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "srgb-parametric": icc.matrix_profile(icc.SRGB, icc.srgb_curve()),
        "srgb-table": icc.matrix_profile(icc.SRGB, icc.table_curve(icc.srgb_to_linear)),
        "srgb-gamma-2.2": icc.matrix_profile(icc.SRGB, icc.gamma_curve(2.2)),
        "p3": P3_CURVED,
        "p3-table": icc.matrix_profile(icc.P3, icc.table_curve(icc.srgb_to_linear, 256)),
        "p3-version-4": icc.matrix_profile(icc.P3, icc.srgb_curve(), version=0x04300000),
        "adobe": icc.matrix_profile(icc.ADOBE, icc.gamma_curve(2.2)),
        "prophoto": icc.matrix_profile(icc.PROPHOTO, icc.gamma_curve(1.8)),
        "linear": LINEAR,
        "linear-no-entries": icc.matrix_profile(icc.SRGB, b"curv\0\0\0\0\0\0\0\0"),
        "swapped": icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(2.2)),
        "three-curves": icc.matrix_profile(icc.SRGB, *(icc.gamma_curve(g) for g in (1.4, 2.2, 2.8))),
        "table-curve": icc.matrix_profile(icc.SRGB, icc.table_curve(middle)),
        "table-inverted": inverted,
        "scanner": icc.matrix_profile(icc.P3, icc.gamma_curve(1.8), kind=b"scnr"),
        "printer-matrix": icc.matrix_profile(icc.P3, icc.gamma_curve(1.8), kind=b"prtr"),
        "colour-space-class": icc.matrix_profile(icc.P3, icc.gamma_curve(1.8), kind=b"spac"),
        "absolute-intent": icc.matrix_profile(icc.P3, icc.gamma_curve(1.8), intent=3),
        "lut": icc.rgb_lut_profile(),
        "lut-version-4": icc.rgb_lut_profile(version=0x04300000),
        "lut-relative-only": icc.profile({b"A2B1": icc.lut(3, lambda rgb: rgb**1.5, grid=33)}, pcs=b"Lab "),
        "lut-beside-matrix": icc.rgb_lut_profile(icc.matrix_tags(icc.SRGB, icc.gamma_curve(2.2))),
        "lut-two-intents": icc.rgb_lut_profile({b"A2B1": icc.lut(3, lambda rgb: rgb[:, ::-1] ** 2)}, intent=1),
    }


def broken_profiles() -> dict[str, bytes]:
    good = icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(1.5))
    curves = icc.matrix_tags(icc.SWAPPED, icc.gamma_curve(1.5))
    no_curve = {name: value for name, value in curves.items() if name != b"bTRC"}
    no_colour = {name: value for name, value in curves.items() if name != b"gXYZ"}
    return {
        "empty-text": b"not a profile",
        "zeros": bytes(400),
        "cut": good[:-40],
        "cut-in-head": good[:100],
        "longer": good + bytes(40),
        "size-too-large": struct.pack(">I", len(good) + 99) + good[4:],
        "size-too-small": struct.pack(">I", 200) + good[4:],
        "signature": icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(1.5), signature=b"nope"),
        "no-curve": icc.profile(no_curve),
        "no-colour": icc.profile(no_colour),
        "no-tags": icc.profile({}),
        "version-5": icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(1.5), version=0x05000000),
        "link-class": icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(1.5), kind=b"link"),
        "curve-of-no-kind": icc.matrix_profile(icc.SWAPPED, b"what\0\0\0\0\0\0\0\1\1\x80\0\0"),
        "matrix-of-zeros": icc.matrix_profile(((0, 0, 0),) * 3, icc.gamma_curve(2.2)),
        "xyz-space": icc.profile(curves, space=b"XYZ "),
        "lab-space": icc.profile(curves, space=b"Lab "),
        "grey-in-colour": icc.grey_profile(icc.gamma_curve(1.0)),
        "cmyk-in-colour": icc.cmyk_profile(),
        "pcs-lab": icc.profile(curves, pcs=b"Lab "),
    }


def profile_files() -> dict[str, bytes]:
    files = {}
    for name, data in {**matrix_profiles(), **{f"broken-{n}": d for n, d in broken_profiles().items()}}.items():
        files[f"{name}.png"] = encoded(scene(), "PNG", icc_profile=data)
        files[f"{name}.jpg"] = encoded(scene(), "JPEG", quality=95, icc_profile=data)
        if name.startswith("broken"):
            files[f"{name}.webp"] = encoded(scene(), "WEBP", quality=95, icc_profile=data)
            files[f"{name}.avif"] = encoded(scene(), "AVIF", quality=95, subsampling="4:4:4", icc_profile=data)
            files[f"{name}-grey.png"] = encoded(scene().convert("L"), "PNG", icc_profile=data)
            files[f"{name}-grey.jpg"] = encoded(scene().convert("L"), "JPEG", quality=95, icc_profile=data)
            files[f"{name}-grey.avif"] = encoded(scene().convert("L"), "AVIF", quality=95, icc_profile=data)
    wide = icc.matrix_profile(icc.PROPHOTO, icc.gamma_curve(1.8))
    for name, data in {"p3": P3_CURVED, "prophoto": wide, "lut": icc.rgb_lut_profile()}.items():
        files[f"{name}.webp"] = encoded(scene(), "WEBP", quality=95, icc_profile=data)
        files[f"{name}-lossless.webp"] = encoded(scene(), "WEBP", lossless=True, icc_profile=data)
        files[f"{name}.avif"] = encoded(scene(), "AVIF", quality=95, subsampling="4:4:4", icc_profile=data)
        files[f"{name}-palette.png"] = encoded(scene().quantize(64), "PNG", icc_profile=data)
        files[f"{name}-progressive.jpg"] = encoded(scene(), "JPEG", quality=95, progressive=True, icc_profile=data)
    plain = encoded(scene(), "WEBP", quality=95)
    chunk = icc.riff_chunk(b"ICCP", wide)
    files["profile-without-its-flag.webp"] = icc.webp_with(plain, WIDTH, HEIGHT, 0, before=chunk)
    files["profile-behind-the-picture.webp"] = icc.webp_with(plain, WIDTH, HEIGHT, 0x20, after=chunk)
    return {**files, **_grey_files(), **_cmyk_files(), **_jpeg_profile_pieces(wide)}


def _grey_files() -> dict[str, bytes]:
    grey = scene().convert("L")
    alpha = scene().convert("LA")
    alpha.putalpha(Image.linear_gradient("L").resize(grey.size))
    grid = {
        "grey-linear": icc.grey_profile(icc.gamma_curve(1.0)),
        "grey-1.8": icc.grey_profile(icc.gamma_curve(1.8)),
        "grey-20-percent": icc.grey_profile(icc.table_curve(lambda v: v**1.75)),
        "grey-lab": icc.grey_profile(icc.gamma_curve(1.4), pcs=b"Lab "),
        "grey-rgb-linear": LINEAR,
        "grey-rgb-swapped": icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(1.8)),
        "grey-lut": icc.rgb_lut_profile(),
    }
    files = {}
    for name, data in grid.items():
        files[f"{name}.png"] = encoded(grey, "PNG", icc_profile=data)
        files[f"{name}-alpha.png"] = encoded(alpha, "PNG", icc_profile=data)
        files[f"{name}.jpg"] = encoded(grey, "JPEG", quality=95, icc_profile=data)
        files[f"{name}.avif"] = encoded(grey, "AVIF", quality=95, icc_profile=data)
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    files["grey-16-linear.png"] = encoded(sixteen, "PNG", icc_profile=grid["grey-linear"])
    return files


def _cmyk_files() -> dict[str, bytes]:
    cmyk = scene().convert("CMYK")
    plain = encoded(cmyk, "JPEG", quality=95)
    place = plain.index(b"\xff\xee")
    bare = plain[:place] + plain[place + 2 + int.from_bytes(plain[place + 2 : place + 4], "big") :]
    ycck = bytearray(plain)
    ycck[place + 4 + 11] = 2
    return {
        "cmyk.jpg": plain,
        "cmyk-without-adobe.jpg": bare,
        "cmyk-marked-as-ycck.jpg": bytes(ycck),
        "cmyk-progressive.jpg": encoded(cmyk, "JPEG", quality=95, progressive=True),
        "cmyk-profile.jpg": encoded(cmyk, "JPEG", quality=95, icc_profile=icc.cmyk_profile()),
        "cmyk-profile-version-4.jpg": encoded(
            cmyk, "JPEG", quality=95, icc_profile=icc.cmyk_profile(version=0x04300000)
        ),
        "cmyk-with-rgb-profile.jpg": encoded(cmyk, "JPEG", quality=95, icc_profile=LINEAR),
    }


def _jpeg_profile_pieces(wide: bytes) -> dict[str, bytes]:
    plain = encoded(scene(), "JPEG", quality=95)
    half = len(wide) // 2
    parts = wide[:half], wide[half:]

    def piece(number: int, count: int, data: bytes) -> bytes:
        return icc.jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + data)

    first, second = piece(1, 2, parts[0]), piece(2, 2, parts[1])
    tables = plain.index(b"\xff\xc4")  # behind the frame header
    return {
        "pieces.jpg": icc.jpeg_with(plain, first, second),
        "pieces-reversed.jpg": icc.jpeg_with(plain, second, first),
        "pieces-one-missing.jpg": icc.jpeg_with(plain, first),
        "pieces-twice.jpg": icc.jpeg_with(plain, first, second, first),
        "pieces-wrong-count.jpg": icc.jpeg_with(plain, piece(1, 2, parts[0]), piece(2, 3, parts[1])),
        "pieces-other-profile-behind.jpg": icc.jpeg_with(plain, piece(1, 1, wide), piece(1, 1, LINEAR)),
        "pieces-too-many.jpg": icc.jpeg_with(plain, piece(1, 1, wide), piece(2, 1, LINEAR)),
        "pieces-from-zero.jpg": icc.jpeg_with(plain, piece(0, 2, parts[0]), piece(1, 2, parts[1])),
        "profile-behind-the-frame-header.jpg": plain[:tables] + piece(1, 1, wide) + plain[tables:],
    }


def transparent_files() -> dict[str, bytes]:
    picture = scene().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    holes = scene().convert("RGBA")
    holes.putalpha(scene(2).convert("L").point(lambda value: 255 * (value > 110)))
    palette = scene().quantize(16)
    grey = np.asarray(scene().convert("L"))
    rows16 = [row.astype(">u2").tobytes() for row in np.asarray(scene()).astype(np.uint16).reshape(HEIGHT, -1) * 257]
    key16 = struct.pack(">3H", *(int(v) * 257 for v in np.asarray(scene())[40, 60]))
    la16 = np.dstack([grey.astype(np.uint16) * 257, np.linspace(0, 65535, WIDTH).astype(np.uint16) + 0 * grey])
    four = [(row[::2] // 16 * 16 + row[1::2] // 16).astype(np.uint8).tobytes() for row in grey]
    two = [(row.reshape(-1, 4) // 64 @ np.array([64, 16, 4, 1])).astype(np.uint8).tobytes() for row in grey]
    one = [np.packbits(row > 128).tobytes() for row in grey]
    sixteen = [(row.astype(np.uint16) * 257).astype(">u2").tobytes() for row in grey]
    return {
        "alpha.png": encoded(picture, "PNG"),
        "alpha-all-clear.png": encoded(Image.new("RGBA", (WIDTH, HEIGHT), (255, 0, 0, 0)), "PNG"),
        "alpha.webp": encoded(picture, "WEBP", quality=95),
        "alpha-lossless.webp": encoded(holes, "WEBP", lossless=True),
        "alpha.avif": encoded(picture, "AVIF", quality=95, subsampling="4:4:4"),
        "alpha-reduced-colours.avif": encoded(picture, "AVIF", quality=95, subsampling="4:2:0"),
        "alpha-limited-range.avif": encoded(picture, "AVIF", quality=95, subsampling="4:4:4", range="limited"),
        "alpha-grey.avif": encoded(picture.convert("LA"), "AVIF", quality=95),
        "alpha-premultiplied.avif": encoded(picture, "AVIF", quality=95, alpha_premultiplied=True),
        "alpha-profile.png": encoded(picture, "PNG", icc_profile=P3_CURVED),
        "alpha-linear.png": encoded(picture, "PNG", icc_profile=LINEAR),
        "alpha-grey.png": encoded(picture.convert("LA"), "PNG"),
        "alpha-palette.png": encoded(palette, "PNG", transparency=bytes(range(0, 256, 16))),
        "alpha-palette-one.png": encoded(palette, "PNG", transparency=3),
        "alpha-palette-profile.png": encoded(palette, "PNG", transparency=bytes(range(0, 256, 16)), icc_profile=LINEAR),
        "alpha-colour-key.png": encoded(palette.convert("RGB"), "PNG", transparency=_common_colour(palette)),
        "alpha-colour-key-16.png": icc.png_raw(WIDTH, HEIGHT, 16, 2, rows16, icc.png_chunk(b"tRNS", key16)),
        "alpha-grey-16.png": icc.png_raw(WIDTH, HEIGHT, 16, 4, [row.astype(">u2").tobytes() for row in la16]),
        "grey-key.png": icc.png_raw(WIDTH, HEIGHT, 8, 0, [row.tobytes() for row in grey], _grey_key(int(grey[40, 60]))),
        "grey-key-4.png": icc.png_raw(WIDTH, HEIGHT, 4, 0, four, _grey_key(int(grey[40, 60]) // 16)),
        "grey-key-2.png": icc.png_raw(WIDTH, HEIGHT, 2, 0, two, _grey_key(1)),
        "grey-key-1.png": icc.png_raw(WIDTH, HEIGHT, 1, 0, one, _grey_key(1)),
        "grey-key-16.png": icc.png_raw(WIDTH, HEIGHT, 16, 0, sixteen, _grey_key(int(grey[40, 60]) * 257)),
        "alpha.gif": encoded(palette, "GIF", transparency=3),
    }


def _grey_key(value: int) -> bytes:
    return icc.png_chunk(b"tRNS", struct.pack(">H", value))


def _common_colour(palette: Image.Image) -> tuple[int, ...]:
    counts = palette.convert("RGB").getcolors(1 << 16)
    assert counts
    colour = max(counts)[1]
    assert isinstance(colour, tuple)
    return tuple(int(value) for value in colour)
