"""The input of a smoke run: a folder of photos and their labels."""

from dataclasses import dataclass
from pathlib import Path

from annotation.photos.sources import ImportSource, Limits, SourceError
from iqs_site.demo.photos import photos_plan, photos_write
from iqs_site.smoke.labels import labels_read
from iqs_site.smoke.report import Report


class PlanError(ValueError):
    """There are no photos to run with; the message says why."""


@dataclass(frozen=True)
class SmokePlan:
    """The photos and the labels of one run.

    photos: folder to import. labels: file name → whether it shows a watch; empty: unknown.
    holdout_fraction: share of the photos in the holdout. seed: random seed of the holdout and the annotators.
    """

    photos: Path
    labels: dict[str, bool]
    holdout_fraction: float
    seed: int


def plan_for_folder(photos: Path, labels: Path | None, seed: int) -> SmokePlan:
    """Return the plan for a folder of photos. Raises PlanError for an empty folder, LabelsError for wrong labels."""
    try:
        with ImportSource(photos, Limits(2**62, 2**62, 10**6)) as source:
            found = len(source.candidates)
    except SourceError as error:
        raise PlanError(str(error)) from error
    if not found:
        raise PlanError(f"{photos} contains no files.")
    return SmokePlan(photos, labels_read(labels) if labels else {}, holdout_fraction=0.2, seed=seed)


def plan_for_demo_photos(folder: Path, count: int, seed: int, report: Report) -> SmokePlan:
    """Write demo photos into the folder and return the plan for them.

    The holdout has half of them: a fifth of a few photos is too small to show a difference.
    """
    plan = photos_plan(count, seed)
    with report.step("photos") as facts:
        for done, _ in enumerate(photos_write(folder, plan), start=1):
            if done % 25 == 0:
                report.say(f"{done} of {count} photos drawn")
        facts["drawn"] = len(plan)
    return SmokePlan(folder, {photo.name: bool(photo.watch) for photo in plan}, holdout_fraction=0.5, seed=seed)
