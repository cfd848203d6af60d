"""Photos of each format with a marker in every place where metadata can be."""

import io
import struct
import zlib

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos import profiles as icc

MARKER = b"SECRETGPS"
_MPF = b"MPF\0" + MARKER
_XMP = b"http://ns.adobe.com/xap/1.0/\0" + MARKER
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> bytes:
    """Return EXIF with an orientation, and the marker as camera, place and preview."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = MARKER.decode()
    tags.get_ifd(0x8825)[29] = MARKER.decode()
    tags.get_ifd(0x8769)[0x927C] = MARKER
    return tags.tobytes() + MARKER


def marked_files() -> dict[str, bytes]:
    """Return {name: file}; each file has the marker."""
    jpeg, png, webp = encoded(scene(1), quality=95), encoded(scene(1), "PNG"), encoded(scene(1), "WEBP", quality=95)
    return {
        **_jpeg_files(jpeg),
        **_png_files(png),
        **_webp_files(webp),
        **_gif_files(encoded(scene(1), "GIF")),
        **_bmp_files(encoded(scene(1), "BMP")),
        **_avif_files(),
    }


def _jpeg_files(jpeg: bytes) -> dict[str, bytes]:
    segments = {
        "exif": (0xE1, exif()),
        "exif-turned": (0xE1, exif(6)),
        "xmp": (0xE1, _XMP),
        "second-exif": (0xE1, exif(3)),
        "comment": (0xFE, MARKER),
        "jfif-extension": (0xE0, b"JFXX\0\x10" + MARKER),
        "jfif-preview": (0xE0, b"JFIF\0\1\2\0\0\1\0\1\3\1" + MARKER),
        "mpf": (0xE2, _MPF),
        "gain-map": (0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + MARKER),
        "photoshop": (0xED, b"Photoshop 3.0\0" + MARKER),
        "adobe-tail": (0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARKER),
        "picture-info": (0xEC, b"Picture Info" + MARKER),
        "content-credentials": (0xEB, b"JP" + MARKER),
        "number-of-lines": (0xDC, MARKER),
        **{f"application-{marker:x}": (marker, MARKER) for marker in range(0xE0, 0xF0)},
    }
    files = {f"{name}.jpg": icc.jpeg_with(jpeg, icc.jpeg_segment(*one)) for name, one in segments.items()}
    profile = b"ICC_PROFILE\0\1\1" + SRGB
    late = icc.jpeg_segment(0xE2, b"ICC_PROFILE\0\2\1" + MARKER)
    progressive = encoded(scene(2), progressive=True, quality=95)
    second_scan = progressive.index(b"\xff\xda", progressive.index(b"\xff\xda") + 2)
    mpo = io.BytesIO()
    scene(3).save(mpo, "MPO", save_all=True, append_images=[scene(4)], exif=exif(8))
    restarts = encoded(scene(5), quality=95, restart_marker_blocks=2)
    return files | {
        "behind-the-profile.jpg": icc.jpeg_with(jpeg, icc.jpeg_segment(0xE2, profile), late),
        "between-segments.jpg": jpeg[:20] + MARKER + jpeg[20:],
        "behind-the-end.jpg": jpeg + MARKER,
        "behind-the-end-with-restarts.jpg": restarts + MARKER,
        "another-picture.jpg": jpeg + icc.jpeg_with(jpeg, icc.jpeg_segment(0xE1, exif())),
        "between-scans.jpg": progressive[:second_scan] + icc.jpeg_segment(0xFE, MARKER) + progressive[second_scan:],
        "exif-between-scans.jpg": progressive[:second_scan]
        + icc.jpeg_segment(0xE1, exif())
        + progressive[second_scan:],
        "before-the-end.jpg": jpeg[:-2] + icc.jpeg_segment(0xFE, MARKER) + jpeg[-2:],
        "mpo.jpg": mpo.getvalue(),
        "everything.jpg": encoded(
            scene(6), quality=95, exif=exif(5), comment=MARKER, xmp=MARKER, icc_profile=SRGB, progressive=True
        ),
        "grey.jpg": encoded(scene(6).convert("L"), exif=exif(7), comment=MARKER),
        "cmyk.jpg": encoded(scene(6).convert("CMYK"), exif=exif(2), comment=MARKER),
    }


def _png_files(png: bytes) -> dict[str, bytes]:
    text = PngInfo()
    text.add_text("GPS", MARKER.decode(), zip=False)
    international = PngInfo()
    international.add_itxt("XML:com.adobe.xmp", MARKER.decode())
    packed = zlib.compress(SRGB)
    chunks = {
        "exif": (b"eXIf", exif()[6:]),
        "exif-turned": (b"eXIf", exif(6)[6:]),
        "packed-text": (b"zTXt", b"GPS\0\0" + zlib.compress(b"x") + MARKER),
        "time": (b"tIME", MARKER[:7] + MARKER),
        "suggested-palette": (b"sPLT", b"name\0\x08" + MARKER),
        "private": (b"prVt", MARKER),
        "content-credentials": (b"caBX", MARKER),
        "offset": (b"oFFs", MARKER),
        "gamma-too-long": (b"gAMA", struct.pack(">I", 45455) + MARKER),
        "profile-name": (b"iCCP", MARKER + b"\0\0" + packed),
        "behind-the-profile": (b"iCCP", b"name\0\0" + packed + MARKER),
    }
    files = {f"{name}.png": icc.png_with(png, icc.png_chunk(*one)) for name, one in chunks.items()}
    primaries = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    once = icc.png_chunk(b"cHRM", primaries)
    broken = bytearray(icc.png_chunk(b"prVt", MARKER))
    broken[-1] ^= 1
    return files | {
        "text.png": encoded(scene(1), "PNG", pnginfo=text),
        "international-text.png": encoded(scene(1), "PNG", pnginfo=international),
        "behind-the-end.png": png + MARKER,
        "behind-the-pixels.png": png[:-12] + icc.png_chunk(b"eXIf", exif(6)[6:]) + png[-12:],
        "twice.png": icc.png_with(png, once, icc.png_chunk(b"cHRM", MARKER + bytes(23))),
        "wrong-checksum.png": icc.png_with(png, bytes(broken)),
        "transparent.png": encoded(scene(1).convert("RGBA"), "PNG", pnginfo=text, exif=exif(3)),
    }


def _webp_files(webp: bytes) -> dict[str, bytes]:
    picture = scene(1)
    clear = picture.convert("RGBA")
    clear.putalpha(128)
    options = {"exif": exif(6), "xmp": MARKER, "icc_profile": SRGB}
    extended = encoded(picture, "WEBP", exif=exif())
    size = int.from_bytes(extended[4:8], "little")
    private = icc.riff_chunk(b"PRVT", MARKER)
    return {
        "exif.webp": extended,
        "exif-turned.webp": encoded(picture, "WEBP", **options),
        "lossless.webp": encoded(picture, "WEBP", lossless=True, **options),
        "transparent.webp": encoded(clear, "WEBP", **options),
        "xmp.webp": encoded(picture, "WEBP", xmp=MARKER),
        "behind-the-end.webp": webp + MARKER,
        "behind-the-picture.webp": _riff(webp[12:] + private),
        "private.webp": extended[:4] + (size + len(private)).to_bytes(4, "little") + extended[8:] + private,
        "behind-the-end-of-extended.webp": extended + MARKER,
    }


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WEBP" + chunks


def _gif_files(gif: bytes) -> dict[str, bytes]:
    place = 13 + (3 << (gif[10] & 7) + 1)
    block = bytes([len(MARKER)]) + MARKER + b"\0"
    extensions = {
        "comment": b"\x21\xfe" + block,
        "application": b"\x21\xff\x0bXMP DataXMP" + block,
        "text": b"\x21\x01\x0c" + bytes(12) + block,
        "unknown": b"\x21\x77" + block,
        "control-tail": b"\x21\xf9\x04\0\0\0\0" + block,
    }
    files = {f"{name}.gif": gif[:place] + one + gif[place:] for name, one in extensions.items()}
    return files | {
        "behind-the-end.gif": gif + MARKER,
        "behind-the-picture.gif": gif[:-1] + extensions["comment"] + gif[-1:],
    }


def _bmp_files(bmp: bytes) -> dict[str, bytes]:
    start = int.from_bytes(bmp[10:14], "little")
    moved = bmp[:10] + (start + 16).to_bytes(4, "little") + bmp[14:start] + MARKER.ljust(16) + bmp[start:]
    header = bytearray(124)
    header[:40] = bmp[14:54]
    header[:4] = (124).to_bytes(4, "little")
    header[56:60] = b"KNIL"  # a profile in another file
    header[112:120] = struct.pack("<II", 124 + len(bmp) - start, len(MARKER) + 4)
    linked = bmp[:10] + (14 + 124).to_bytes(4, "little") + bytes(header) + bmp[start:] + b"C:\\\\" + MARKER
    return {
        "behind-the-pixels.bmp": bmp + MARKER,
        "before-the-pixels.bmp": moved,
        "path-of-a-profile.bmp": linked,
        "reserved.bmp": bmp[:6] + MARKER[:4] + bmp[10:] + MARKER,
        "palette.bmp": encoded(scene(1).quantize(64), "BMP") + MARKER,
    }


def _avif_files() -> dict[str, bytes]:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), kind) + content

    plain = encoded(scene(1), "AVIF", quality=80)
    return {
        "exif.avif": encoded(scene(1), "AVIF", quality=80, exif=exif()),
        "exif-turned.avif": encoded(scene(1), "AVIF", quality=80, exif=exif(6)),
        "xmp.avif": encoded(scene(1), "AVIF", quality=80, xmp=MARKER),
        "everything.avif": encoded(scene(1), "AVIF", quality=80, exif=exif(8), xmp=MARKER, icc_profile=SRGB),
        "transparent.avif": encoded(scene(1).convert("RGBA"), "AVIF", quality=80, exif=exif(), xmp=MARKER),
        "free.avif": plain + box(b"free", MARKER),
        "uuid.avif": plain + box(b"uuid", bytes(16) + MARKER),
        "more-data.avif": plain + box(b"mdat", MARKER),
        "behind-the-end.avif": plain + MARKER,
    }
