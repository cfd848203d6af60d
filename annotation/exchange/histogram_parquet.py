"""Histograms of votes as Parquet. Pure."""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

from annotation.exchange.format import Format
from annotation.exchange.histogram_csv import HistogramCsv
from annotation.exchange.histogram_rows import histogram_cells
from annotation.exchange.parquet import file_pieces, parquet_write
from annotation.exchange.parquet_reader import ParquetReader
from annotation.exchange.reading import Histogram
from annotation.exchange.records import HistogramRecord
from annotation.language import gettext_noop


class HistogramParquet(Format[HistogramRecord], ParquetReader):
    """One row per photo, with a column for each score of the scale, as `HistogramCsv`."""

    name = "histogram-parquet"
    label = gettext_noop("Histograms (Parquet)")
    description = gettext_noop("One row per photo: file, and a column for each score with the number of its votes.")
    suffix = ".parquet"
    content_type = "application/vnd.apache.parquet"
    is_text = False
    record = HistogramRecord
    reads = Histogram
    table = HistogramCsv()

    def write(self, rows: Iterable[HistogramRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield the file in pieces, after all rows were read.

        Without rows the scores are not known, so there is only the column `file`. Raises ValueError when the rows have
        different scales.
        """
        scores, cells = histogram_cells(rows)
        with TemporaryFile() as file:
            columns = {"file": str, **{str(score): int for score in scores}}
            parquet_write(columns, cells, file)
            yield from file_pieces(file)
