"""The features of photo files, computed once and kept in a file. Pure."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.files.whole_file import whole_file
from annotation.photos.decoding import photo_open
from inference.scoring.predictor import Backbone

Features = NDArray[np.float32]

_BATCH = 16


def features_extract(
    backbone: Backbone, files: Sequence[Path], progress: Callable[[int, int], None] = lambda done, total: None
) -> Features:
    """Return the features [N, D] of photo files, rounded as the database stores them.

    Raises PhotoRejected or OSError for a file that is no photo.
    """
    found = []
    for start in range(0, len(files), _BATCH):
        some = files[start : start + _BATCH]
        found.append(backbone.features([backbone.prepare(photo_open(file)) for file in some]))
        progress(min(start + _BATCH, len(files)), len(files))
    rounded: Features = np.concatenate(found).astype(np.float16).astype(np.float32)
    return rounded


def features_kept(
    folder: Path, key: str, files: Sequence[Path], extract: Callable[[Sequence[Path]], Features]
) -> Features:
    """Return the features of the files from `folder`, or compute and store them there.

    `key`: of the network. The name of the stored file also says which photos it is of: their paths, sizes and times.
    """
    digest = hashlib.sha256(key.encode())
    for file in files:
        stat = file.stat()
        digest.update(f"\0{file.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}".encode())
    path = folder / f"{digest.hexdigest()[:32]}.npy"
    try:
        stored: Features = np.load(path)
        return stored
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        pass  # not there, or damaged
    found = extract(files)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path, "wb") as target:
        np.save(target, found)
    return found
