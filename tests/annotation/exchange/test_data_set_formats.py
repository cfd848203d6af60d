"""Histograms in the formats of data sets come back as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.reading import Histogram
from annotation.exchange.records import HistogramRecord
from annotation.exchange.registry import FORMATS, READERS
from tests.annotation.exchange.vote_files import counts, names, read_bytes

WRITTEN = ("ava-csv", "ava-json", "koniq")


@pytest.mark.parametrize("name", WRITTEN)
@given(data=st.data())
def test_histograms_come_back(name: str, data: st.DataObject) -> None:
    reader = READERS[name]
    scale = reader.file_scale
    assert scale is not None
    bins = scale[1] - scale[0] + 1
    histograms = st.lists(counts, min_size=bins, max_size=bins).filter(any)
    files = names.filter(lambda file: not reader.by_stem or ("/" not in file and "." not in file))
    rows = data.draw(st.lists(st.builds(HistogramRecord, files, histograms.map(tuple), st.just(scale[0])), max_size=5))
    written = b"".join(FORMATS[name].write(rows))
    assert read_bytes(name, written, scale) == [
        Histogram(line, row.file, row.counts) for line, row in zip(lines(name, written, rows), rows, strict=True)
    ]


def lines(name: str, written: bytes, rows: list[HistogramRecord]) -> list[int]:
    """Return the number of each row's line: of the entry in JSON, else after the header and line ends in names."""
    if name == "ava-json":
        return list(range(1, len(rows) + 1))
    return [row.line for row in read_bytes(name, written, READERS[name].file_scale or (0, 0))]


@pytest.mark.parametrize("name", [one for one in WRITTEN if READERS[one].by_stem])
def test_names_are_without_their_extension(name: str) -> None:
    written = b"".join(FORMATS[name].write([HistogramRecord("a/=1.5.jpg", (1,) * 10, 1)]))
    assert [row.photo for row in read_bytes(name, written)] == ["a/=1.5"]


@pytest.mark.parametrize("name", WRITTEN)
def test_another_scale_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="needs the scale 1 to"):
        list(FORMATS[name].write([HistogramRecord("1.jpg", (1, 2, 3), 1)]))
