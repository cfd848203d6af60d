"""What tests of vote files share: reading texts, and strategies for names."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from annotation.exchange.reading import NAME_LENGTH, Wrong
from annotation.exchange.registry import READERS

#: Every text that the database can hold and that is a name.
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=NAME_LENGTH
).filter(lambda name: not name.isspace())
counts = st.integers(0, 10**7)


def read_bytes(name: str, data: bytes, scale: tuple[int, int] = (1, 10), file_name: str = "votes.csv") -> list[Any]:
    """Return what the reader of this name yields for a file with this content."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / file_name
        path.write_bytes(data)
        return list(READERS[name].read(path, scale))


def read(name: str, text: str, scale: tuple[int, int] = (1, 10), file_name: str = "votes.csv") -> list[Any]:
    """Return what the reader of this name yields for a text in UTF-8."""
    return read_bytes(name, text.encode(), scale, file_name)


def why(name: str, text: str, scale: tuple[int, int] = (1, 10)) -> str:
    """Return what is wrong in the only line that is wrong; all other lines must be usable."""
    wrong = [row for row in read(name, text, scale) if isinstance(row, Wrong)]
    assert len(wrong) == 1, wrong
    return wrong[0].why
