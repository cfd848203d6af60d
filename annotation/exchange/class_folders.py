"""Photos in folders that are named after their class, in a zip or a folder. Pure."""

import zipfile
from collections.abc import Iterator
from os import walk
from pathlib import Path, PurePosixPath

from annotation.exchange.reading import MeanScore, VoteFileError, VoteReader, Wrong
from annotation.exchange.values import LineError, name_read, shown
from annotation.files.names import name_text
from annotation.measures.class_limits import class_limits

#: The folders of quality classes, worst first.
CLASSES = ("rejected", "pending", "accepted")
_WATCH_FOLDERS = ("watch", "no-watch", "no_watch", "no watch")
_NO_PHOTOS = {".csv", ".tsv", ".json", ".jsonl", ".md", ".txt", ".yaml", ".yml"}
_SYSTEM_NAMES = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"}


class ClassFolders(VoteReader):
    """A zip or a folder with the folders `rejected`, `pending` and `accepted`, at any depth.

    A class says between which scores the mean of a photo is, and not what the mean is. So each photo gets the mean in
    the middle of its class, by the limits of the campaign, and no number of votes. The name of a photo is that of its
    file. The line of a row is the number of the file, in the order of their paths.
    """

    name = "class-folders"
    label = "Folders by class (zip)"
    description = "A zip with the folders rejected, pending and accepted: each photo gets the middle of its class."
    reads = MeanScore
    counts_lines = False
    takes_folders = True

    def __init__(self, limits: tuple[float, float] | None = None) -> None:
        """Limits: rejected and pending up to, on the scale of the file. None: the default limits of the scale."""
        self.limits = limits

    def for_limits(self, limits: tuple[float, float]) -> "ClassFolders":
        """Return the reader for a campaign with these limits."""
        return ClassFolders(limits)

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[MeanScore | Wrong]:
        """Yield the rows of the folders, as `VoteReader.read` says."""
        means = class_means(scale, self.limits or class_limits(*scale))
        for number, name in enumerate(_photos_in(path), start=1):
            folders, file = PurePosixPath(name).parts[:-1], PurePosixPath(name).name
            found = next((folder.casefold() for folder in reversed(folders) if folder.casefold() in means), None)
            if found is None:
                yield Wrong(number, _folder_wrong(file, folders))
                continue
            try:
                yield MeanScore(number, name_read(file), means[found])
            except LineError as error:
                yield Wrong(number, str(error))


def class_means(scale: tuple[int, int], limits: tuple[float, float]) -> dict[str, float]:
    """Return {class: the mean score in its middle}.

    limits: rejected and pending up to these means. A class that the limits leave no room for is missing.
    """
    ends = (scale[0], *limits, scale[1])
    parts = zip(CLASSES, ends[:-1], ends[1:], strict=True)
    # A mean on the upper end of a class is in it, and one on the lower end is not, but for the lowest score.
    return {name: (low + high) / 2 for name, low, high in parts if low < high or (name == "rejected" and low == high)}


def _folder_wrong(file: str, folders: tuple[str, ...]) -> str:
    wanted = "A photo must be in a folder rejected, pending or accepted."
    if not folders:
        return f"{shown(file)} is in no folder. {wanted}"
    if any(folder.casefold() in _WATCH_FOLDERS for folder in folders):
        return f"{shown(file)} is in {shown(folders[-1])}. A vote needs a score, so watch folders are not read."
    if any(folder.casefold() in CLASSES for folder in folders):
        return f"{shown(file)} is in {shown(folders[-1])}, a class that the limits of the campaign leave no room for."
    return f"{shown(file)} is in {shown(folders[-1])}. {wanted}"


def _photos_in(path: Path) -> list[str]:
    """Return the paths of the photos in a zip or a folder, sorted. Raises OSError and VoteFileError."""
    if path.is_dir():
        names = [
            name_text((Path(place) / file).relative_to(path).as_posix())
            for place, _, files in walk(path)
            for file in files
        ]
    else:
        with path.open("rb") as file:
            if not file.read(1):
                raise VoteFileError("The file is empty.")
            try:
                with zipfile.ZipFile(file) as archive:
                    names = [one.filename for one in archive.infolist() if not one.is_dir()]
            except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
                raise VoteFileError("The file is not a zip, or the zip is damaged or incomplete.") from error
    return sorted(name.replace("\\", "/") for name in names if not _is_ignored(name))


def _is_ignored(name: str) -> bool:
    """Return whether a file is hidden, of the operating system, or a text."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return PurePosixPath(name).suffix.lower() in _NO_PHOTOS or any(
        part.startswith(".") or part.lower() in _SYSTEM_NAMES for part in parts
    )
