"""Which files a newer version of the decoding shows differently. Does not use Django, and decodes no pixels."""

import io

from PIL import ExifTags, Image

from annotation.photos.orientation import UPRIGHT
from annotation.photos.png_file import COLOUR, GREY
from annotation.photos.readers import picture_read
from annotation.photos.stored_picture import StoredPicture

# Places of two bytes in every PNG.
_PNG_DEPTH, _PNG_COLOUR_TYPE = 24, 25


def decoding_changed(data: bytes, *, since: int) -> bool:
    """Return whether the pixels of a file may differ between the version `since` and the present one.

    They are the same if it returns False. It reads the header only. True also for a file whose header the present
    version refuses.
    """
    try:
        stored = picture_read(data)
        return stored is None or any(changed(data, stored) for version, changed in _CHANGES.items() if version > since)
    except Exception:  # decoders raise many kinds of errors on damaged bytes
        return True


def _changed_by_version_2(data: bytes, stored: StoredPicture) -> bool:
    """Return whether colour, orientation or transparency may differ. Version 2 shows what Chromium shows."""
    with Image.open(io.BytesIO(data)) as picture:
        if stored.colour is not None or stored.orientation != _orientation_of_version_1(picture):
            return True
        if stored.format == "PNG":
            # Version 1 also read EXIF behind the pixels, and compared a transparent colour with rounded values.
            has_key = data[_PNG_COLOUR_TYPE] in {GREY, COLOUR} and b"tRNS" in data
            return (has_key and data[_PNG_DEPTH] != 8) or data.rfind(b"eXIf") > data.find(b"IDAT")
        if stored.format == "JPEG":
            return picture.mode == "CMYK"  # version 1 reduced these before the conversion
        if stored.format == "GIF":
            return not picture.tile or picture.tile[0].extents != (0, 0, *picture.size)
    return stored.format == "AVIF" and stored.is_transparent


def _orientation_of_version_1(picture: Image.Image) -> int:
    """Return the orientation in the EXIF that Pillow finds in any format. Values of any type counted."""
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        found = int(exif.get(ExifTags.Base.Orientation, UPRIGHT))
    except Exception:  # Pillow raises many kinds of errors on broken EXIF
        return UPRIGHT
    return found if 1 <= found <= 8 else UPRIGHT


_CHANGES = {2: _changed_by_version_2}
