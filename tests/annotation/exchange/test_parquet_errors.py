"""What goes wrong while Parquet is written is raised as it is, and few rows are in memory meanwhile."""

import io
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from arro3.io import read_parquet

from annotation.exchange import parquet
from annotation.exchange.parquet import library_errors, parquet_write


@pytest.mark.parametrize("error", [LookupError("no row"), OSError(5, "I/O error"), KeyboardInterrupt()], ids=repr)
def test_an_error_of_the_rows_is_raised_as_it_is(error: BaseException) -> None:
    def rows() -> Iterator[tuple[str]]:
        yield ("a",)
        raise error

    with pytest.raises(type(error)) as raised:
        parquet_write({"text": str}, rows(), io.BytesIO())
    assert raised.value is error


@pytest.mark.parametrize("opened", [True, False])
def test_a_full_disk_is_an_os_error(opened: bool) -> None:
    rows = ((str(number),) for number in range(100))
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space left on device"):  # noqa: PTH123  # a device
        parquet_write({"text": str}, rows, file if opened else "/dev/full")


def test_a_missing_folder_is_an_os_error(tmp_path: Any) -> None:
    with pytest.raises(FileNotFoundError):
        parquet_write({"text": str}, [("a",)], str(tmp_path / "missing" / "a.parquet"))


def test_a_panic_of_the_library_becomes_the_given_error() -> None:
    with pytest.raises(ValueError, match="too small"), library_errors(ValueError):
        read_parquet(io.BytesIO(b"PAR1"))
    with pytest.raises(KeyboardInterrupt), library_errors(ValueError):
        raise KeyboardInterrupt


def test_few_rows_are_in_memory_while_a_file_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    class Row(tuple[int]):
        alive: ClassVar[int] = 0

        def __del__(self) -> None:
            Row.alive -= 1

    most = 0

    def rows() -> Iterator[Row]:
        nonlocal most
        for number in range(1000):
            Row.alive += 1
            most = max(most, Row.alive)
            yield Row([number])

    monkeypatch.setattr(parquet, "_GROUP", 50)  # the real number takes a while
    file = io.BytesIO()
    parquet_write({"number": int}, rows(), file)
    assert read_parquet(io.BytesIO(file.getvalue())).read_all().num_rows == 1000
    assert most <= 101  # two groups, and the row that is made
