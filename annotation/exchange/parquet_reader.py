"""Base class of readers whose files are Parquet tables. Pure."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from annotation.exchange.reading import Row, VoteFileError, VoteReader, Wrong
from annotation.exchange.rows import formula_guard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import LineError, shown
from annotation.language import gettext_noop

_CHILD = Path(__file__).with_name("parquet_child.py")
_MARK = b"PAR1"
# How the types of columns begin that cannot be the cell of a table.
_NO_CELLS = ("List", "LargeList", "FixedSizeList", "Struct", "Map", "Union", "Binary", "LargeBinary", "FixedSizeBinary")

#: What the sentences about lines are for rows, so that translations have them.
ROW_SENTENCES = (
    gettext_noop("The row has no votes."),
    gettext_noop("The row has %(votes)s votes. At most %(most)s are possible."),
)


class ParquetReader(VoteReader):
    """A reader of the same table as a reader of CSV, from Parquet. The number of a line is the number of the row.

    The file is read by another process (`parquet_child`), whose memory is limited: a damaged file can end it.
    """

    table: ClassVar[TableReader]
    """The reader of the same columns from CSV."""
    counts_lines = False

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Row | Wrong]:
        """Yield the rows of the file, as `VoteReader.read` says."""
        parts = _parts(path)
        header = next(parts)
        names = [name for name, _kind in header]
        places = self.table.places(names, scale)
        for place in places:
            if place < len(header) and header[place][1].startswith(_NO_CELLS):
                name, kind = header[place]
                raise VoteFileError(
                    gettext_noop("The column %(name)s has the type %(kind)s. It must have texts, numbers or times.")
                    % {"name": shown(name), "kind": kind.split("(")[0]}
                )
        number = 0
        for columns in parts:
            # Texts are as they are stored. The apostrophe that the reader of CSV removes is set first.
            cells = [[formula_guard(cell or "") for cell in column] for column in columns]
            for row in zip(*cells, [""] * len(cells[0]) if cells else [], strict=True):
                number += 1
                try:
                    found = self.table.row(number, tuple(row[place] for place in places), scale)
                except LineError as error:
                    yield Wrong(number, str(error).replace("The line has", "The row has"))
                else:
                    if found is not None:
                        yield found


def _parts(path: Path) -> Iterator[Any]:
    """Yield the columns as [name, type], then each part of the table as columns of texts.

    Raises OSError, and VoteFileError when the file is no Parquet, or is damaged.
    """
    _check(path)
    # -P: modules beside the script do not hide others of the same name. Its messages about panics are not shown.
    command = [sys.executable, "-P", str(_CHILD), str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        try:
            rows, is_header = 0, True
            for line in child.stdout:
                part = json.loads(line) if line.endswith(b"\n") else {"error": "it ended"}
                if isinstance(part, dict):
                    raise VoteFileError(_damaged(rows))
                yield part
                rows += 0 if is_header or not part else len(part[0])
                is_header = False
            if child.wait() or is_header:
                raise VoteFileError(_damaged(rows))
        finally:
            child.kill()


def _damaged(rows: int) -> str:
    words = (
        gettext_noop(
            "The file is damaged or incomplete, or needs too much memory. It cannot be read after row %(row)s. "
            "Write it again."
        )
        if rows
        else gettext_noop(
            "The file is damaged or incomplete, or needs too much memory. It cannot be read. Write it again."
        )
    )
    return words % {"row": f"{rows:,}"}


def _check(path: Path) -> None:
    """Raise VoteFileError when the file does not begin and end as Parquet does."""
    with path.open("rb") as file:
        start = file.read(len(_MARK))
        size = file.seek(0, 2)
        file.seek(max(size - len(_MARK), 0))
        end = file.read()
    if not size:
        raise VoteFileError(gettext_noop("The file is empty."))
    if start != _MARK:
        raise VoteFileError(gettext_noop("The file is not Parquet. Choose the format that the file has."))
    if end != _MARK or size < 12:
        raise VoteFileError(gettext_noop("The end of the Parquet file is missing. Copy or write the file again."))
