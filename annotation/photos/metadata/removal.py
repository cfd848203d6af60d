"""Photo files without metadata: place, time, camera, names, comments and previews. Does not use Django.

Only the structure of a file is changed. The compressed pixels, the colour profile and everything else that changes the
picture stay as they are, so nothing is decoded or compressed again. What each format keeps, its module says.
"""

from collections.abc import Callable

from annotation.photos.metadata.avif import avif_parts
from annotation.photos.metadata.bmp import bmp_parts
from annotation.photos.metadata.gif import gif_parts
from annotation.photos.metadata.jpeg import jpeg_parts
from annotation.photos.metadata.png import png_parts
from annotation.photos.metadata.webp import webp_parts

_FORMATS: dict[str, Callable[[bytes], list[bytes | memoryview]]] = {
    ".jpg": jpeg_parts,
    ".png": png_parts,
    ".webp": webp_parts,
    ".gif": gif_parts,
    ".bmp": bmp_parts,
    ".avif": avif_parts,
}


class MetadataStays(Exception):
    """The metadata cannot be removed, because the file is built in an unusual way or damaged."""


def metadata_remove(data: bytes, suffix: str) -> list[bytes | memoryview]:
    """Return the pieces of a photo file without metadata; together they are the file.

    `suffix`: of the stored file, one of the values of `decoding.SUFFIXES`. Raises MetadataStays.
    """
    try:
        return _FORMATS[suffix](data)
    except (ValueError, LookupError) as error:
        raise MetadataStays(f"The metadata of this photo cannot be removed ({error}).") from error
