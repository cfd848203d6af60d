"""Files that differ in how their pixels are stored: orientation in each container, depths, BMP kinds, odd markers."""

import struct

import numpy as np
from PIL import Image

from tests.annotation.bad_files import encoded
from tests.annotation.photos import profiles as icc
from tests.annotation.photos.colour_files import HEIGHT, WIDTH, scene

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def tiffs() -> dict[str, bytes]:
    """Return TIFF structures, each with its own way of saying how the picture lies."""
    right = icc.orientation(6)
    short = (0x112, 3, 1, struct.pack("<HH", 6, 0))
    make = (0x10F, 2, 4, b"IQS\0")
    other = (0x112, 3, 1, struct.pack("<HH", 3, 0))
    second = struct.pack("<H", 1) + struct.pack("<HHI", 0x112, 3, 1) + struct.pack("<HHI", 8, 0, 0)
    plain = {str(value): icc.orientation(value) for value in range(1, 9)}
    return plain | {
        "big-endian": icc.orientation(6, order=">"),
        "long": icc.orientation(6, kind=4),
        "long-big-endian": icc.orientation(6, kind=4, order=">"),
        "byte": icc.orientation(6, kind=1),
        "signed-short": icc.orientation(6, kind=8),
        "signed-long": icc.orientation(6, kind=9),
        "two-values": icc.orientation(6, count=2),
        "no-values": icc.orientation(6, count=0),
        "zero": icc.orientation(0),
        "nine": icc.orientation(9),
        "huge": icc.orientation(65535),
        "twice": icc.tiff(short, other),
        "unsorted": icc.tiff((0x11A, 3, 1, bytes(4)), short, make),
        "second-directory": icc.tiff(make, second=second),
        "both-directories": icc.tiff(short, second=second),
        "empty-directory": b"II*\0" + struct.pack("<IHI", 8, 0, 0),
        "no-directory": b"II*\0" + struct.pack("<I", 0xFFFFFFFF),
        "cut": right[:-8],
        "cut-after-the-entry": right[:-4],
        "count-too-large": right[:8] + struct.pack("<H", 200) + right[10:],
        "wrong-mark": b"II+\0" + right[4:],
        "directory-far-away": b"II*\0" + struct.pack("<I", 40) + bytes(32) + right[8:],
        "empty": b"",
    }


def orientation_files() -> dict[str, bytes]:
    jpeg, png = encoded(scene(), "JPEG", quality=95), encoded(scene(), "PNG")
    webp = encoded(scene(), "WEBP", quality=95)
    files = {}
    for name, data in tiffs().items():
        segment = icc.jpeg_segment(0xE1, b"Exif\0\0" + data)
        files[f"exif-{name}.jpg"] = icc.jpeg_with(jpeg, segment)
        files[f"exif-{name}.png"] = icc.png_with(png, icc.png_chunk(b"eXIf", data))
        files[f"exif-{name}.webp"] = icc.webp_with(webp, WIDTH, HEIGHT, 8, after=icc.riff_chunk(b"EXIF", data))
    files |= {f"exif-{n}.avif": encoded(scene(), "AVIF", quality=95, exif=icc.orientation(n)) for n in range(1, 9)}
    one, six, three = (icc.orientation(value) for value in (1, 6, 3))

    def app1(data: bytes) -> bytes:
        return icc.jpeg_segment(0xE1, data)

    exif = b"Exif\0\0"
    pixels = png.index(b"IDAT") - 4
    tables = jpeg.index(b"\xff\xc4")
    adobe = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    after = icc.riff_chunk(b"EXIF", six)
    files |= {
        "exif-first-of-two.jpg": icc.jpeg_with(jpeg, app1(exif + one), app1(exif + six)),
        "exif-second-of-two.jpg": icc.jpeg_with(jpeg, app1(exif + six), app1(exif + three)),
        "exif-after-an-empty-one.jpg": icc.jpeg_with(jpeg, app1(exif), app1(exif + six)),
        "exif-after-a-broken-one.jpg": icc.jpeg_with(jpeg, app1(exif + b"nonsense"), app1(exif + six)),
        "exif-in-two-pieces.jpg": icc.jpeg_with(jpeg, app1(exif + six[:14]), app1(exif + six[14:])),
        "exif-other-padding.jpg": icc.jpeg_with(jpeg, app1(b"Exif\0\xff" + six)),
        "exif-behind-the-frame-header.jpg": jpeg[:tables] + app1(exif + six) + jpeg[tables:],
        "exif-in-app2.jpg": icc.jpeg_with(jpeg, icc.jpeg_segment(0xE2, exif + six)),
        "xmp.jpg": icc.jpeg_with(jpeg, app1(adobe)),
        "xmp-against-exif.jpg": icc.jpeg_with(jpeg, app1(adobe), app1(exif + three)),
        "xmp.webp": icc.webp_with(webp, WIDTH, HEIGHT, 4, after=icc.riff_chunk(b"XMP ", XMP)),
        "xmp.png": encoded(scene(), "PNG", xmp=XMP),
        "xmp.avif": encoded(scene(), "AVIF", quality=95, xmp=XMP),
        "exif-with-prefix.webp": icc.webp_with(webp, WIDTH, HEIGHT, 8, after=icc.riff_chunk(b"EXIF", exif + six)),
        "exif-without-its-flag.webp": icc.webp_with(webp, WIDTH, HEIGHT, 0, after=after),
        "exif-before-the-picture.webp": icc.webp_with(webp, WIDTH, HEIGHT, 8, before=after),
        "exif-twice.webp": icc.webp_with(webp, WIDTH, HEIGHT, 8, after=after + icc.riff_chunk(b"EXIF", three)),
        "exif-with-prefix.png": icc.png_with(png, icc.png_chunk(b"eXIf", exif + six)),
        "exif-twice.png": icc.png_with(png, icc.png_chunk(b"eXIf", six), icc.png_chunk(b"eXIf", three)),
        "exif-behind-the-pixels.png": png[:-12] + icc.png_chunk(b"eXIf", six) + png[-12:],
        "exif-right-before-the-pixels.png": png[:pixels] + icc.png_chunk(b"eXIf", six) + png[pixels:],
        "exif-in-text.png": icc.png_with(png, icc.png_chunk(b"tEXt", b"exif\0" + exif + six)),
        "exif-in-raw-profile.png": icc.png_with(png, _raw_profile(exif + six)),
    }
    return files


def _raw_profile(exif: bytes) -> bytes:
    """Return the text chunk in which ImageMagick stored EXIF before PNG had a chunk for it."""
    text = b"\nexif\n%8d\n%s\n" % (len(exif), exif.hex().encode())
    return icc.png_chunk(b"tEXt", b"Raw profile type exif\0" + text)


def jpeg_files() -> dict[str, bytes]:
    plain = encoded(scene(), "JPEG", quality=95)
    files = {
        f"subsampling-{name}.jpg": encoded(scene(), "JPEG", quality=95, subsampling=name)
        for name in ("4:4:4", "4:2:2", "4:2:0")
    }
    files |= {
        "progressive.jpg": encoded(scene(), "JPEG", quality=95, progressive=True),
        "restart.jpg": encoded(scene(), "JPEG", quality=95, restart_marker_blocks=2),
        "grey.jpg": encoded(scene().convert("L"), "JPEG", quality=95),
        "rgb-stored.jpg": encoded(scene(), "JPEG", quality=95, keep_rgb=True),
        "fill-bytes.jpg": plain[:2] + b"\xff\xff\xff" + plain[2:],
        "trailing.jpg": plain + bytes(4096) + b"<html></html>",
        "leading.jpg": b"\0\0" + plain,
        "comment.jpg": icc.jpeg_with(plain, icc.jpeg_segment(0xFE, b"a comment")),
        "several-pictures.jpg": encoded(scene(), "MPO", save_all=True, append_images=[scene(2)]),
    }
    frame = plain.index(b"\xff\xc0")
    files["arithmetic.jpg"] = plain[: frame + 1] + b"\xc9" + plain[frame + 2 :]
    files["twelve-bits.jpg"] = plain[: frame + 4] + b"\x0c" + plain[frame + 5 :]
    files["lossless.jpg"] = plain[: frame + 1] + b"\xc3" + plain[frame + 2 :]
    return files


def png_files() -> dict[str, bytes]:
    picture = np.asarray(scene())
    grey = np.asarray(scene().convert("L"))
    noise = np.random.default_rng(1).integers(0, 256, picture.shape, dtype=np.uint16)  # in the lower eight bits
    rgb = (picture.astype(np.uint16) * 256 + noise).reshape(HEIGHT, -1)
    four = [(row[::2] // 16 * 16 + row[1::2] // 16).astype(np.uint8).tobytes() for row in grey]
    plain = encoded(scene(), "PNG")
    animated = icc.png_chunk(b"acTL", struct.pack(">II", 1, 0))
    control = icc.png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0))
    ground = icc.png_chunk(b"bKGD", struct.pack(">3H", 255, 0, 0))
    see_through = scene().convert("RGBA")
    see_through.putalpha(120)
    return {
        "rgb-16.png": icc.png_raw(WIDTH, HEIGHT, 16, 2, [row.astype(">u2").tobytes() for row in rgb]),
        "grey-16.png": encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"),
        "grey-4.png": icc.png_raw(WIDTH, HEIGHT, 4, 0, four),
        "palette.png": encoded(scene().quantize(200), "PNG"),
        "palette-4.png": encoded(scene().quantize(12), "PNG"),
        "bilevel.png": encoded(scene().convert("1"), "PNG"),
        "interlaced.png": encoded(scene(), "PNG", interlace=True),
        "one-frame.png": icc.png_with(plain, animated, control),
        "no-frames.png": icc.png_with(plain, icc.png_chunk(b"acTL", bytes(8))),
        "ground.png": icc.png_with(encoded(see_through, "PNG"), ground),
        "significant-bits.png": icc.png_with(plain, icc.png_chunk(b"sBIT", b"\5\5\5")),
        "palette-in-colour.png": icc.png_with(plain, icc.png_chunk(b"PLTE", bytes(range(48)))),
    }


def bmp_files() -> dict[str, bytes]:
    rgb = np.asarray(scene())[::-1]
    bgr = rgb[:, :, ::-1]
    bgrx = np.dstack([bgr, np.zeros((HEIGHT, WIDTH), np.uint8)])
    alpha = np.linspace(0, 255, WIDTH).astype(np.uint8) + np.zeros((HEIGHT, 1), np.uint8)
    bgra = np.dstack([bgr, alpha])
    r, g, b = (rgb[:, :, channel].astype(np.uint16) for channel in range(3))
    five = ((r >> 3) << 10 | (g >> 3) << 5 | b >> 3).astype("<u2")
    six = ((r >> 3) << 11 | (g >> 2) << 5 | b >> 3).astype("<u2")
    standard = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    reversed_masks = struct.pack("<4I", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    odd_masks = struct.pack("<4I", 0xFF00, 0xFF0000, 0xFF000000, 0xFF)
    palette = scene().quantize(16)
    return {
        "plain.bmp": encoded(scene(), "BMP"),
        "palette.bmp": encoded(scene().quantize(100), "BMP"),
        "palette-4.bmp": _bmp(4, 0, _nibbles(palette), colours=_bmp_colours(palette, 16)),
        "bilevel.bmp": encoded(scene().convert("1"), "BMP"),
        "grey.bmp": encoded(scene().convert("L"), "BMP"),
        "32.bmp": _bmp(32, 0, bgrx.tobytes()),
        "32-alpha-ignored.bmp": _bmp(32, 0, bgra.tobytes()),
        "32-masks-40.bmp": _bmp(32, 3, bgra.tobytes(), extra=standard[:12]),
        "32-masks-56.bmp": _bmp(32, 3, bgra.tobytes(), header=56, extra=standard),
        "32-masks-56-no-alpha.bmp": _bmp(32, 3, bgrx.tobytes(), header=56, extra=standard[:12] + bytes(4)),
        "32-masks-108.bmp": _bmp(32, 3, bgra.tobytes(), header=108, extra=standard),
        "32-masks-124.bmp": _bmp(32, 3, bgra.tobytes(), header=124, extra=standard),
        "32-masks-124-clear.bmp": _bmp(32, 3, bgrx.tobytes(), header=124, extra=standard),
        "32-masks-rgba.bmp": _bmp(32, 3, bgra[:, :, [2, 1, 0, 3]].tobytes(), header=124, extra=reversed_masks),
        "32-masks-abgr.bmp": _bmp(32, 3, bgra[:, :, [3, 2, 1, 0]].tobytes(), header=124, extra=odd_masks),
        "32-no-masks-124.bmp": _bmp(32, 0, bgra.tobytes(), header=124, extra=bytes(16)),
        "16-555.bmp": _bmp(16, 0, five.tobytes()),
        "16-565.bmp": _bmp(16, 3, six.tobytes(), extra=struct.pack("<3I", 0xF800, 0x7E0, 0x1F)),
        "16-4444.bmp": _bmp(16, 3, six.tobytes(), header=124, extra=struct.pack("<4I", 0xF00, 0xF0, 0xF, 0xF000)),
        "top-down.bmp": _bmp(24, 0, bgr[::-1].tobytes(), height=-HEIGHT),
        "core-header.bmp": _core_bmp(bgr.tobytes()),
        "rle-8.bmp": _bmp(8, 1, _rle8(palette), colours=_bmp_colours(palette, 256)),
        "rle-8-short.bmp": _bmp(8, 1, _rle8(palette, rows=40), colours=_bmp_colours(palette, 256)),
        "profile.bmp": _bmp(24, 0, bgr.tobytes(), header=124, extra=bytes(16), profile=True),
        "calibrated.bmp": _bmp(24, 0, bgr.tobytes(), header=108, extra=bytes(16) + bytes(4) + bytes(36) + bytes(12)),
    }


def _bmp(
    bits: int,
    compression: int,
    pixels: bytes,
    *,
    header: int = 40,
    height: int = HEIGHT,
    extra: bytes = b"",
    colours: bytes = b"",
    profile: bool = False,
) -> bytes:
    """Return a BMP. `extra`: the masks; in a header of 40 bytes they follow it."""
    info = struct.pack("<IiiHHIIiiII", header, WIDTH, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    info += extra if header == 40 else extra.ljust(header - 40, b"\0")
    tail = b""
    if header >= 108 and not profile:
        info = info[:56] + b"BGRs" + info[60:]
    if profile:
        tail = icc.matrix_profile(icc.SWAPPED, icc.gamma_curve(1.5))
        info = info[:56] + b"DEBM" + info[60:112] + struct.pack("<II", len(info) + len(pixels), len(tail)) + bytes(4)
    start = 14 + len(info) + len(colours)
    body = info + colours + pixels + tail
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, start) + body


def _core_bmp(pixels: bytes) -> bytes:
    body = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24) + pixels
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 26) + body


def _bmp_colours(palette: Image.Image, count: int) -> bytes:
    colours = bytes(palette.getpalette("RGB") or []).ljust(768, b"\0")
    entries = [colours[3 * i : 3 * i + 3][::-1] + b"\0" for i in range(count)]
    return b"".join(entries)


def _nibbles(palette: Image.Image) -> bytes:
    rows = np.asarray(palette)[::-1]
    return (rows[:, ::2] * 16 + rows[:, 1::2]).astype(np.uint8).tobytes()


def _rle8(palette: Image.Image, rows: int = HEIGHT) -> bytes:
    """Return run lengths of one pixel each for the lowest `rows` rows."""
    coded = b""
    for row in np.asarray(palette)[::-1][:rows]:
        coded += b"".join(bytes([1, value]) for value in row) + b"\0\0"
    return coded + b"\0\1"


def gif_files() -> dict[str, bytes]:
    palette = scene().quantize(64)
    plain = encoded(palette, "GIF")
    screen = plain[:6] + struct.pack("<HH", WIDTH + 30, HEIGHT + 20) + plain[10:]
    block = 13 + 3 * 64 + 1  # behind the palette and the first byte of the frame
    assert screen[block - 1] == 0x2C
    return {
        "plain.gif": plain,
        "interlaced.gif": encoded(palette, "GIF", interlace=True),
        "grey.gif": encoded(scene().convert("L"), "GIF"),
        "screen-larger.gif": screen,
        "frame-inside-the-screen.gif": screen[:block] + struct.pack("<HH", 12, 7) + screen[block + 4 :],
        "screen-smaller.gif": plain[:6] + struct.pack("<HH", WIDTH - 30, HEIGHT - 20) + plain[10:],
        "comment.gif": encoded(palette, "GIF", comment=b"a comment"),
    }


def webp_avif_files() -> dict[str, bytes]:
    return {
        "plain.webp": encoded(scene(), "WEBP", quality=90),
        "lossless.webp": encoded(scene(), "WEBP", lossless=True),
        "grey.webp": encoded(scene().convert("L"), "WEBP", quality=90),
        "plain.avif": encoded(scene(), "AVIF", quality=90),
        "full-colour.avif": encoded(scene(), "AVIF", quality=90, subsampling="4:4:4"),
        "limited-range.avif": encoded(scene(), "AVIF", quality=90, range="limited"),
        "grey.avif": encoded(scene().convert("L"), "AVIF", quality=90),
    }
