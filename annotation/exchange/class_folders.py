"""Photos in folders that are named after their class, in a zip or a folder. Pure."""

import zipfile
from collections.abc import Iterator, Mapping
from os import walk
from pathlib import Path, PurePosixPath

from annotation.exchange.reading import MeanScore, VoteFileError, VoteReader, WatchLabel, Wrong
from annotation.exchange.values import LineError, name_read, shown
from annotation.files.names import name_text
from annotation.language import gettext_noop
from annotation.measures.class_limits import class_limits

#: The folders of quality classes, worst first.
CLASSES = ("rejected", "pending", "accepted")
#: {name of a folder: the watch label of its photos}
WATCH_FOLDERS = {"watch": "yes", "no-watch": "no", "no_watch": "no", "no watch": "no"}
_NO_PHOTOS = {".csv", ".tsv", ".json", ".jsonl", ".md", ".txt", ".yaml", ".yml"}
_SYSTEM_NAMES = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"}


class ClassFolders(VoteReader):
    """A zip or a folder with the folders `rejected`, `pending` and `accepted`, or `watch` and `no-watch`, at any depth.

    A class says between which scores the mean of a photo is, and not what the mean is. So each photo gets the mean in
    the middle of its class, by the limits of the campaign, and no number of votes. A watch folder says whether the
    photo shows a watch. A path such as accepted/watch/1.jpg says both, and so do two files of the same name in a
    folder of each kind. The name of a photo is that of its file. The line of a row is the number of the file, in the
    order of their paths.
    """

    name = "class-folders"
    label = gettext_noop("Folders by class (zip)")
    description = gettext_noop(
        "A zip with the folders rejected, pending and accepted (each photo gets the middle of its class), or watch and "
        "no-watch, or both, one inside the other."
    )
    reads = MeanScore
    counts_lines = False
    takes_folders = True

    def __init__(self, limits: tuple[float, float] | None = None) -> None:
        """Limits: rejected and pending up to, on the scale of the file. None: the default limits of the scale."""
        self.limits = limits

    def for_limits(self, limits: tuple[float, float]) -> "ClassFolders":
        """Return the reader for a campaign with these limits."""
        return ClassFolders(limits)

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[MeanScore | WatchLabel | Wrong]:
        """Yield the rows of the folders, as `VoteReader.read` says."""
        means = class_means(scale, self.limits or class_limits(*scale))
        rows: dict[str, MeanScore | WatchLabel] = {}
        twice: list[MeanScore | WatchLabel] = []
        for number, name in enumerate(_photos_in(path), start=1):
            row = _row(number, PurePosixPath(name), means)
            if isinstance(row, Wrong):
                yield row
            elif (joined := _joined(rows.get(row.photo), row)) is not None:
                rows[row.photo] = joined
            else:
                twice.append(row)  # the import says that it is there already
        yield from [*rows.values(), *twice]


def class_means(scale: tuple[int, int], limits: tuple[float, float]) -> dict[str, float]:
    """Return {class: the mean score in its middle}.

    limits: rejected and pending up to these means. A class that the limits leave no room for is missing.
    """
    ends = (scale[0], *limits, scale[1])
    parts = zip(CLASSES, ends[:-1], ends[1:], strict=True)
    # A mean on the upper end of a class is in it, and one on the lower end is not, but for the lowest score.
    return {name: (low + high) / 2 for name, low, high in parts if low < high or (name == "rejected" and low == high)}


def _row(number: int, place: PurePosixPath, means: Mapping[str, float]) -> MeanScore | WatchLabel | Wrong:
    """Return what the folders of one photo say. number: of the file. means: of `class_means`."""
    folders, file = place.parts[:-1], place.name
    nearest = [folder.casefold() for folder in reversed(folders)]
    found = next((folder for folder in nearest if folder in means), None)
    watch = next((WATCH_FOLDERS[folder] for folder in nearest if folder in WATCH_FOLDERS), "")
    if found is None and (not watch or any(folder in CLASSES for folder in nearest)):
        return Wrong(number, _folder_wrong(file, folders))
    try:
        photo = name_read(file)
    except LineError as error:
        return Wrong(number, str(error))
    return WatchLabel(number, photo, watch) if found is None else MeanScore(number, photo, means[found], watch=watch)


def _joined(before: MeanScore | WatchLabel | None, row: MeanScore | WatchLabel) -> MeanScore | WatchLabel | None:
    """Return one row for a photo that is in a folder of a class and in a watch folder; None if it has two of a kind."""
    if before is None:
        return row
    mean, label = (before, row) if isinstance(before, MeanScore) else (row, before)
    if isinstance(mean, MeanScore) and isinstance(label, WatchLabel) and not mean.watch:
        return mean._replace(line=before.line, watch=label.watch)
    return None


def _folder_wrong(file: str, folders: tuple[str, ...]) -> str:
    if not folders:
        words = gettext_noop(
            "%(file)s is in no folder. A photo must be in a folder rejected, pending or accepted, or watch or no-watch."
        )
        return words % {"file": shown(file)}
    without_room = next((folder for folder in reversed(folders) if folder.casefold() in CLASSES), None)
    if without_room:
        words = gettext_noop("%(file)s is in %(folder)s, a class that the limits of the campaign leave no room for.")
        return words % {"file": shown(file), "folder": shown(without_room)}
    words = gettext_noop(
        "%(file)s is in %(folder)s. A photo must be in a folder rejected, pending or accepted, or watch or no-watch."
    )
    return words % {"file": shown(file), "folder": shown(folders[-1])}


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
                raise VoteFileError(gettext_noop("The file is empty."))
            try:
                with zipfile.ZipFile(file) as archive:
                    names = [one.filename for one in archive.infolist() if not one.is_dir()]
            except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
                raise VoteFileError(
                    gettext_noop("The file is not a zip, or the zip is damaged or incomplete.")
                ) from error
    return sorted(name.replace("\\", "/") for name in names if not _is_ignored(name))


def _is_ignored(name: str) -> bool:
    """Return whether a file is hidden, of the operating system, or a text."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return PurePosixPath(name).suffix.lower() in _NO_PHOTOS or any(
        part.startswith(".") or part.lower() in _SYSTEM_NAMES for part in parts
    )
