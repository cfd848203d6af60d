"""One reader for each format: from bytes to a picture that is not decoded yet. Does not use Django."""

import io
from collections.abc import Callable

import numpy as np
from PIL import AvifImagePlugin, BmpImagePlugin, ExifTags, GifImagePlugin, Image, PngImagePlugin, WebPImagePlugin

from annotation.language import gettext_noop
from annotation.photos import damage
from annotation.photos.avif_file import avif_colour_codes, avif_is_premultiplied
from annotation.photos.bmp_file import bmp_profile
from annotation.photos.colour import ProfileUnusable, colour_transform, profile_transform
from annotation.photos.colour_codes import avif_codes_transform
from annotation.photos.jpeg_file import JpegFile, jpeg_coefficient_bytes, jpeg_read, jpeg_scan_count
from annotation.photos.orientation import UPRIGHT, exif_orientation
from annotation.photos.png_colour import png_colour
from annotation.photos.png_file import COLOUR, GREY, PALETTE, PngFile, png_read
from annotation.photos.rejected import PhotoRejected
from annotation.photos.stored_picture import StoredPicture
from annotation.photos.webp_file import webp_profile


def picture_read(data: bytes) -> StoredPicture | None:
    """Read the header of a file. Return None when it is in no supported format.

    Raises PhotoRejected when the header is damaged, and anything that a decoder raises.
    """
    for is_kind, reader in _READERS:
        if is_kind(data):
            return reader(data)
    return None


# Sequential and progressive, with Huffman or arithmetic coding.
_SHOWN_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
#: A decoder passes over the whole picture once for each scan of a JPEG. Progressive photos have about 10.
MAX_SCANS = 100


def _jpeg(data: bytes) -> StoredPicture:
    file = jpeg_read(data)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(file.components)
    if mode is None:
        raise PhotoRejected(
            gettext_noop("A JPEG with %(components)s colour components cannot be shown.")
            % {"components": file.components}
        )
    if file.frame not in _SHOWN_FRAMES:
        raise PhotoRejected(gettext_noop("Browsers cannot show this kind of JPEG (lossless or hierarchical)."))
    if (scans := jpeg_scan_count(data, file)) > MAX_SCANS:
        raise PhotoRejected(
            gettext_noop("The JPEG has %(scans)s scans. At most %(max_scans)s are allowed.")
            % {"scans": f"{scans:,}", "max_scans": MAX_SCANS}
        )
    colour = colour_transform(file.profile, mode)

    def scale(at_least: int) -> int:
        # Reducing first would change the result where one value is not the mean of its neighbours' colours.
        can_reduce = at_least and mode != "CMYK" and (colour is None or colour.is_mild)
        return _scale(file, at_least) if can_reduce else 1

    def decode(at_least: int) -> tuple[Image.Image, None]:
        return _jpeg_picture(data, file, scale(at_least)), None

    return StoredPicture(
        "JPEG",
        file.width,
        file.height,
        exif_orientation(file.exif),
        is_animated=False,
        colour=colour,
        decode=decode,
        decoder_bytes=1 if mode == "L" else 4,
        kept_bytes=jpeg_coefficient_bytes(file) if scans > 1 else 0,  # until the last scan
        scale=scale,
    )


def _scale(file: JpegFile, at_least: int) -> int:
    """Return by how much libjpeg may reduce the sides, so that both stay at least as long."""
    smallest = min(file.width, file.height) // at_least
    return next((scale for scale in (8, 4, 2) if smallest >= scale), 1)


def _jpeg_picture(data: bytes, file: JpegFile, scale: int) -> Image.Image:
    pixels = damage.jpeg_pixels(data, file, scale)
    if file.components == 1:
        return Image.fromarray(pixels[:, :, 0])
    if file.components == 3:
        return Image.fromarray(pixels)
    return Image.frombuffer("CMYK", pixels.shape[1::-1], 255 - pixels)  # stored inverted, as Adobe does


def _png(data: bytes) -> StoredPicture:
    file = png_read(data)
    mode = "L" if file.colour_type in {0, 4} else "RGB"

    def decode(at_least: int) -> tuple[Image.Image, Image.Image | None]:
        damage.png_check(file)
        picture = PngImagePlugin.PngImageFile(io.BytesIO(file.needed()))
        picture.load()
        # Pillow leaves rows that are missing at zero. Only a picture that ends in such a row is checked any further.
        if file.is_interlaced or not picture.crop((0, file.height - 1, file.width, file.height)).getbbox():
            damage.png_rows_check(file)
        alpha = _png_key(file, picture) if file.transparency and file.colour_type in {GREY, COLOUR} else None
        if alpha is None:
            return _split(picture)
        return _split(picture)[0], alpha

    orientation = exif_orientation(file.before_pixels(b"eXIf"))
    has_key = bool(file.transparency) and file.colour_type in {GREY, COLOUR}
    return StoredPicture(
        "PNG",
        file.width,
        file.height,
        orientation,
        file.frames > 1,
        png_colour(file, mode),
        decode,
        decoder_bytes=(2 if file.depth == 16 else 1 if mode == "L" or file.colour_type == PALETTE else 4)
        + (_KEY_BYTES if has_key else 0),
        is_transparent=bool(file.transparency) or file.colour_type in {4, 6},
    )


# Bytes per pixel while pixels are compared with a key: two copies of 16 bits and one of 8 bits in three channels.
_KEY_BYTES = 16


def _png_key(file: PngFile, picture: Image.Image) -> Image.Image:
    """Return the alpha channel of a PNG in which one grey or colour is transparent. The key has 16 bits a channel."""
    values = np.asarray(picture)
    key = np.frombuffer(file.transparency[: 6 if file.colour_type == COLOUR else 2], ">u2").astype(int)
    if file.depth == 16 and file.colour_type == COLOUR:
        # Pillow reads the upper byte of each value. Told that the bytes are swapped, it reads the lower one.
        again = PngImagePlugin.PngImageFile(io.BytesIO(file.needed()))
        again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]
        values = values.astype(np.uint16) * 256 + np.asarray(again)
    elif file.depth < 8:
        key = key * 255 // ((1 << file.depth) - 1)
    hidden = (values == key).all(axis=2) if values.ndim == 3 else values == key[0]
    return Image.fromarray(np.where(hidden, 0, 255).astype(np.uint8))


def _webp(data: bytes) -> StoredPicture:
    picture = WebPImagePlugin.WebPImageFile(io.BytesIO(data))

    def decode(at_least: int) -> tuple[Image.Image, Image.Image | None]:
        damage.webp_check(data)
        picture.load()
        return _split(picture)

    colour = colour_transform(webp_profile(data), "RGB")
    # Chromium does not turn a WebP, whatever its EXIF says.
    return StoredPicture(
        "WEBP",
        *picture.size,
        UPRIGHT,
        picture.n_frames > 1,
        colour,
        decode,
        decoder_bytes=16,  # with two canvases and a copy
        is_transparent=picture.has_transparency_data,
    )


# Chromium reads the alpha channel of an AVIF as video levels, 16 … 235, though files store 0 … 255.
_AVIF_ALPHA = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(int).tolist()


def _avif(data: bytes) -> StoredPicture:
    picture = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    mode = "L" if picture.mode in {"L", "LA"} else "RGB"
    profile = picture.info.get("icc_profile")
    try:
        colour = profile_transform(profile, mode) if profile else avif_codes_transform(*avif_colour_codes(data), mode)
    except ProfileUnusable:
        raise PhotoRejected(
            gettext_noop("Its colour profile is damaged, and browsers do not show such an AVIF.")
        ) from None
    if avif_is_premultiplied(data):
        raise PhotoRejected(
            gettext_noop("Its transparency is stored in a way (premultiplied) that browsers show with wrong colours.")
        )
    # Pillow writes the properties irot and imir into EXIF. Browsers ignore the EXIF of the file itself.
    exif = Image.Exif()
    exif.load(picture.info.get("exif", b""))
    orientation = int(exif.get(ExifTags.Base.Orientation, UPRIGHT))

    def decode(at_least: int) -> tuple[Image.Image, Image.Image | None]:
        picture.load()
        pixels, alpha = _split(picture)
        return pixels, alpha.point(_AVIF_ALPHA) if alpha else None

    return StoredPicture(
        "AVIF",
        *picture.size,
        orientation,
        picture.n_frames > 1,
        colour,
        decode,
        decoder_bytes=16,  # with its planes in up to 16 bits, and a copy
        is_transparent=picture.has_transparency_data,
    )


def _gif(data: bytes) -> StoredPicture:
    picture = GifImagePlugin.GifImageFile(io.BytesIO(data))

    def decode(at_least: int) -> tuple[Image.Image, Image.Image | None]:
        damage.gif_check(data)
        frame = picture.tile[0].extents if picture.tile else None
        picture.load()
        pixels, alpha = _split(picture)
        if frame and frame != (0, 0, *picture.size):  # around the frame, the screen is transparent
            inside = Image.new("L", picture.size, 0)
            inside.paste(alpha.crop(frame) if alpha else 255, frame)
            alpha = inside
        return pixels, alpha

    # Not `n_frames`: a GIF can have millions, and Pillow reads them all to count them.
    return StoredPicture("GIF", *picture.size, UPRIGHT, picture.is_animated, None, decode, is_transparent=True)


def _bmp(data: bytes) -> StoredPicture:
    picture = BmpImagePlugin.BmpImageFile(io.BytesIO(data))

    def decode(at_least: int) -> tuple[Image.Image, Image.Image | None]:
        picture.load()
        return _split(picture)

    profile = bmp_profile(data)
    if profile[16:20] == b"GRAY":
        raise PhotoRejected(gettext_noop("Its colour profile is for grey pictures."))
    colour = colour_transform(profile, "RGB")
    is_transparent = picture.has_transparency_data
    return StoredPicture("BMP", *picture.size, UPRIGHT, False, colour, decode, is_transparent=is_transparent)


def _split(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return a decoded picture as L or RGB of 8 bits, and its alpha channel if it has one."""
    if picture.mode.startswith("I"):
        # 16-bit grey. Pillow's own conversion clips at 255 instead of scaling.
        return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)), None
    plain = "L" if picture.mode in {"1", "L", "LA"} else "RGB"
    if not picture.has_transparency_data:
        return picture.convert(plain), None
    with_alpha = picture.convert("LA" if picture.mode == "LA" else "RGBA")
    return with_alpha.convert(plain), with_alpha.getchannel("A")


_Test = Callable[[bytes], bool]
_READERS: list[tuple[_Test, Callable[[bytes], StoredPicture]]] = [
    (lambda data: data.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    (lambda data: data[4:8] == b"ftyp" and data[8:12] in {b"avif", b"avis", b"mif1", b"msf1"}, _avif),
    (lambda data: data.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda data: data.startswith(b"BM"), _bmp),
]
