"""The files of photos, in Django's storage `STORAGES["photos"]`: by default a folder.

File names contain the SHA-256 of the content. So a file never changes, and two campaigns share the file of a photo.
"""

from pathlib import Path
from typing import IO, cast

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from annotation.files.whole_file import whole_file

# Every finding about an original begins with these words. `Image.problem` has the finding of a damaged photo.
FILE_PROBLEM = "The file of this photo "
_CHUNK = 1024 * 1024
# Each attempt that fails means that another worker has stored the file in the meantime.
_ATTEMPTS = 20


def photo_name(sha256: str, suffix: str) -> str:
    """Return the name of a photo's original bytes. sha256: 64 hex digits; suffix: with the dot."""
    return f"{sha256[:2]}/{sha256}{suffix}"


def thumbnail_name(sha256: str) -> str:
    """Return the name of the thumbnail (WebP, long side 320 pixels) of the photo with this SHA-256."""
    return f"{sha256[:2]}/{sha256}.thumb.webp"


def photo_file_write(name: str, data: bytes) -> bool:
    """Write a file, unless a file with this name and content exists; return whether it was written.

    A file of this name with other content is damaged, and is replaced. In a folder the file is whole and on the disk
    afterwards, because an upload is deleted after its photos are stored. Several workers may write the same file at
    the same time. Raises OSError when the storage cannot write.
    """
    if _has_content(name, data):
        return False
    store = _store()
    if isinstance(store, FileSystemStorage):
        path = Path(store.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(data)
        return True
    for _attempt in range(_ATTEMPTS):
        saved = store.save(name, ContentFile(data))
        if saved == name:
            return True
        # This storage never replaces files. Either another worker wrote the same file just now, or the file is damaged.
        store.delete(saved)
        if _has_content(name, data):
            return True
        store.delete(name)
    raise OSError(f"{name} cannot be stored: other files of this name appear again and again.")


def _has_content(name: str, data: bytes) -> bool:
    """Return whether a file exists and has exactly these bytes. False for a file that cannot be read."""
    try:
        with photo_file_open(name) as file:
            position = 0
            while chunk := file.read(_CHUNK):
                if data[position : position + len(chunk)] != chunk:
                    return False
                position += len(chunk)
    except OSError:
        return False
    return position == len(data)


def photo_file_source(name: str) -> Path | IO[bytes]:
    """Return the path if the storage is a folder (fastest), else the open file.

    The caller closes the file. A missing file raises OSError here or when the path is read.
    """
    store = _store()
    # `path` does not tell: storages without real files, such as Django's InMemoryStorage, may have paths too.
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


def photo_file_size(name: str) -> int:
    """Return the number of bytes of a file. Raises OSError when it is missing."""
    return int(_store().size(name))


def photo_file_delete(name: str) -> None:
    """Delete a file. A missing file is no error."""
    _store().delete(name)


def _store() -> Storage:
    return storages["photos"]
