"""Distortions: measurements of the four detectors, once per photo and detector version."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields

from django.conf import settings

from annotation.photos.site_sandbox import site_sandbox
from annotation.photos.storage import photo_file_source
from inference.distortion.combine import DistortionScores, distortions_measure
from inference.models import Distortion
from inference.scoring.pipeline import PhotoResult, photos_extract
from inference.selectors import distortions_queue
from inference.services.backlog import queue_process, work_finish


def distortions_compute(*, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
    """Measure queued photos at full size until none is left or the time is over; return how many were finished.

    A photo that cannot be opened fails with a reason; the others go on.
    """

    def process(batches: Iterable[Sequence[Distortion]]) -> Iterator[list[tuple[Distortion, PhotoResult]]]:
        return photos_extract(
            batches,
            source=lambda row: photo_file_source(row.image.photo_name),
            network=None,
            distortion=distortions_measure,
            max_pixels=settings.IQS_MAX_PIXELS,
            threads=settings.IQS_THREADS,
            budget=site_sandbox().budget,
        )

    return queue_process(queue=distortions_queue(), processor=process, store=_store, seconds=seconds, stop=stop)


def _store(processed: Sequence[tuple[Distortion, PhotoResult]]) -> None:
    for row, result in processed:
        row.state, row.reason = Distortion.State.FAILED, result.reason
        if result.distortion is not None:
            row.state = Distortion.State.DONE
            for name, value in asdict(result.distortion).items():
                setattr(row, name, value)
    work_finish(
        queue=distortions_queue(),
        rows=[row for row, _ in processed],
        columns=[field.name for field in fields(DistortionScores)],
    )
