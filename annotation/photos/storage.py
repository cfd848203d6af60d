"""The files of photos, in Django's storage `STORAGES["photos"]`: by default a folder, by setting anything else.

Names are made of the content's SHA-256, so a file never changes, and the same photo in two campaigns is one file.
"""

from pathlib import Path
from typing import IO, Any, cast

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from annotation.files.whole_file import whole_file


class PhotoFolder(FileSystemStorage):
    """Files below MEDIA_ROOT, each there whole and on the disk: an upload is deleted once its photos are kept.

    A file of the same name is replaced.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name itself."""
        return name

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.writelines(content.chunks())
        return name


def photo_name(sha256: str, suffix: str) -> str:
    """Return the name of a photo's original bytes. sha256: 64 hex digits; suffix: by content, with the dot."""
    return f"{sha256[:2]}/{sha256}{suffix}"


def thumbnail_name(sha256: str) -> str:
    """Return the name of the small copy for galleries (WebP, long side 320 pixels) of the photo with this SHA-256."""
    return f"{sha256[:2]}/{sha256}.thumb.webp"


def photo_file_write(name: str, data: bytes) -> None:
    """Keep a file; one that is there with the same length stays. Raises OSError when the storage does not take it."""
    store = _store()
    if store.exists(name) and store.size(name) == len(data):
        return
    kept = store.save(name, ContentFile(data))
    if kept != name:
        # This storage never replaces a file. Another worker wrote the same one just now, or it is damaged.
        store.delete(kept)
        if store.size(name) != len(data):
            store.delete(name)
            store.save(name, ContentFile(data))


def photo_file_source(name: str) -> Path | IO[bytes]:
    """Return what decoders read: the path where the storage is a folder, which is fastest, else the opened file.

    Whoever gets a file closes it. Raises OSError for a missing file, or the path's reader does.
    """
    store = _store()
    # Not by asking for the path: storages without files, such as Django's in memory, may also name one.
    if isinstance(store, FileSystemStorage):
        return Path(store.path(name))
    return cast(IO[bytes], store.open(name, "rb"))


def photo_file_open(name: str) -> IO[bytes]:
    """Open a file for reading. Raises OSError when it is missing."""
    source = photo_file_source(name)
    return source.open("rb") if isinstance(source, Path) else source


def photo_file_exists(name: str) -> bool:
    """Return whether the storage has a file of this name."""
    return bool(_store().exists(name))


def photo_file_delete(name: str) -> None:
    """Delete a file; nothing happens when it is not there."""
    _store().delete(name)


def _store() -> Storage:
    return storages["photos"]
