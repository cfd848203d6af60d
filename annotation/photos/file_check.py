"""Checks the stored files of photos: the original by its SHA-256, the thumbnail by its perceptual hash.

A finding is a sentence, or "" for a file that is as it should be.
"""

import io
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image

from annotation.language import gettext_noop
from annotation.photos.decoding import NO_HASH, THUMBNAIL_SIDE, perceptual_hash
from annotation.photos.near_duplicates import NEAR
from annotation.photos.storage import FILE_PROBLEM, photo_file_open, photo_file_size, photo_name, thumbnail_name

_THUMBNAIL = "The thumbnail of this photo "
MISSING = "is missing on the server."
_DIFFERENT = "is damaged: it is not the one that was imported."
_DIFFERENT_THUMBNAIL = "is damaged: it does not show this photo."
_CHUNK = 1024 * 1024
#: The sentences that are put together here and in `annotation.photos.storage`, so that translations have them.
SENTENCES = (
    gettext_noop("The file of this photo is missing on the server."),
    gettext_noop("The file of this photo is damaged: it is not the one that was imported."),
    gettext_noop("The file of this photo cannot be read (%(error)s)."),
    gettext_noop("The thumbnail of this photo is missing on the server."),
    gettext_noop("The thumbnail of this photo is damaged: it does not show this photo."),
    gettext_noop("The thumbnail of this photo cannot be read (%(error)s)."),
)


@dataclass(frozen=True)
class StoredContent:
    """What is known about a photo's files. phash: of the photo, as in `Image.phash`."""

    sha256: str
    suffix: str
    byte_size: int
    phash: int


@dataclass(frozen=True)
class FileFindings:
    """The findings about a photo's two files, and how many bytes were read."""

    sha256: str
    original: str = ""
    thumbnail: str = ""
    bytes_read: int = 0

    @property
    def is_damaged(self) -> bool:
        """Return whether one of the files is missing or damaged."""
        return bool(self.original or self.thumbnail)


def photo_files_check(content: StoredContent) -> FileFindings:
    """Read both files completely and return the findings. Errors of the storage that are no OSError are raised."""
    name = photo_name(content.sha256, content.suffix)
    digest, read = sha256(), 0
    original = ""
    try:
        with photo_file_open(name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                read += len(chunk)
        if digest.hexdigest() != content.sha256:
            original = FILE_PROBLEM + _DIFFERENT
    except OSError as error:
        original = FILE_PROBLEM + _reason(error)
    thumbnail, thumbnail_bytes = _thumbnail_check(content)
    return FileFindings(content.sha256, original, thumbnail, read + thumbnail_bytes)


def original_found(content: StoredContent) -> bool:
    """Return whether the original exists and has its size; does not read it."""
    try:
        return photo_file_size(photo_name(content.sha256, content.suffix)) == content.byte_size
    except OSError:
        return False


def thumbnail_is_good(data: bytes, phash: int) -> bool:
    """Return whether bytes are a thumbnail of the photo with this perceptual hash."""
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
            if max(picture.size) > THUMBNAIL_SIDE:
                return False
            found = perceptual_hash(picture.convert("RGB"))
    except Exception:  # decoders raise many kinds of errors on damaged bytes
        return False
    # The hash of a nearly flat picture may or may not be NO_HASH after the compression.
    return NO_HASH in (found, phash) or ((found ^ phash) & 0xFFFF_FFFF_FFFF_FFFF).bit_count() <= NEAR


def _thumbnail_check(content: StoredContent) -> tuple[str, int]:
    try:
        with photo_file_open(thumbnail_name(content.sha256)) as file:
            data = file.read()
    except OSError as error:
        return _THUMBNAIL + _reason(error), 0
    return ("" if thumbnail_is_good(data, content.phash) else _THUMBNAIL + _DIFFERENT_THUMBNAIL), len(data)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return MISSING
    return f"cannot be read ({error.strerror or error})."[:120]
