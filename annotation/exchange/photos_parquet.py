"""Photos with predictions, distortions and MOS as Parquet. Pure."""

from annotation.exchange.parquet import ParquetFormat
from annotation.exchange.records import PhotoRecord
from annotation.language import gettext_noop


class PhotosParquet(ParquetFormat[PhotoRecord]):
    """One row per photo."""

    name = "photos-parquet"
    label = gettext_noop("Photos (Parquet)")
    description = gettext_noop(
        "One row per photo, with the model's prediction, the distortions and the annotators' votes."
    )
    record = PhotoRecord
