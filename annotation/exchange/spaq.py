"""The means of the data set SPAQ. Pure."""

from annotation.exchange.reading import MeanScore
from annotation.exchange.rows import formula_unguard
from annotation.exchange.table_reader import TableReader
from annotation.exchange.values import mean_read, name_read
from annotation.language import gettext_noop


class Spaq(TableReader):
    """The columns `Image name,MOS`, or `image_id,MOS`. Other columns are ignored.

    The scale is 0 to 100 in the table of the data set, and 0 to 10 in some copies; no file says which. The table of the
    data set is a workbook: save it as CSV.
    Source: Fang and others, Perceptual quality assessment of smartphone photography (CVPR 2020).
    """

    name = "spaq"
    label = gettext_noop("SPAQ")
    description = gettext_noop(
        "SPAQ as CSV: one line per photo with its MOS, from 0 to 100, or from 0 to 10 in some copies."
    )
    reads = MeanScore
    needed = {"Image name": ("image_name", "image_id"), "MOS": ("mos",)}

    def row(self, line: int, cells: tuple[str, ...], scale: tuple[int, int]) -> MeanScore:
        """Return the mean of a line. Raises LineError."""
        photo, mos = cells
        return MeanScore(line, name_read(formula_unguard(photo)), mean_read(mos, scale, "MOS"))
