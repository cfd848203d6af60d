"""The Parquet table of the scoring command: what it holds, and files that cannot be resumed."""

from pathlib import Path

import pytest

from inference.scoring.rows import Column
from inference.scoring.tables import ParquetTable, ResumeError

COLUMNS = [Column("file", str), Column("quality", float), Column("watch", bool)]


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = [{"file": "é.jpg", "quality": 0.1, "watch": True}, {"file": "b.jpg", "quality": None, "watch": None}]
    table = ParquetTable(tmp_path / "a.parquet", COLUMNS)
    table.append(rows)
    table.finish()
    assert list(table.read()) == rows


@pytest.mark.parametrize("data", [b"", b"PAR1", b"file,quality\n", b"PAR1" * 5])
def test_a_damaged_table_says_what_to_do(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(ResumeError, match="start again with --restart"):
        list(ParquetTable(tmp_path / "a.parquet", COLUMNS).read())
