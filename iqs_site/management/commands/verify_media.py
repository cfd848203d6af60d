"""`manage.py verify_media`: look for missing and damaged files of photos, uploads and models."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.progress import ProgressBar
from annotation.models import Campaign
from annotation.selectors.photo_files import damaged_photos
from annotation.services.photo_files import Verified, photo_files_verify
from annotation.services.upload_files import uploads_lost
from inference.models import ModelVersion
from inference.serving import runtime
from inference.serving.exported import exported_damaged
from inference.serving.model_check import (
    backbone_problem,
    backbones_used,
    prior_problem,
    version_problem,
    version_weights_problem,
)

_LISTED = 200  # photos of a campaign


class Command(BaseCommand):
    help = (
        "Read every photo, thumbnail and model file, and list those that are missing or damaged. Ends with status 1 if "
        "there is one. A call that was interrupted is continued by the next one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair-thumbnails", action="store_true", help="make missing and damaged thumbnails again"
        )
        parser.add_argument("--restart", action="store_true", help="begin again with the first photo")

    def handle(self, *args: Any, **options: Any) -> None:
        others = [*_model_problems(), *_upload_problems()]
        result = self._photos(**{name: options[name] for name in ("repair_thumbnails", "restart")})
        for sentence in others:
            self.stdout.write(sentence)
        if result.damaged or result.thumbnails_damaged:
            self._list_photos()
        self.stdout.write(
            f"{result.total} photos: {result.damaged} originals and {result.thumbnails_damaged} thumbnails missing or "
            f"damaged, {result.thumbnails_repaired} thumbnails repaired. {len(others)} problems with other files."
        )
        if result.damaged:
            self.stdout.write("Import the same photos again to repair them; the file names may differ.")
        if result.damaged or result.thumbnails_damaged or others:
            raise CommandError("Some files are missing or damaged.", returncode=1)

    def _photos(self, *, restart: bool, repair_thumbnails: bool) -> Verified:
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty())
        try:
            return photo_files_verify(restart=restart, repair_thumbnails=repair_thumbnails, progress=bar.show)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Run the command again to continue.") from None
        finally:
            bar.end()

    def _list_photos(self) -> None:
        for campaign in Campaign.objects.order_by("slug"):
            photos = damaged_photos(campaign)
            for name, finding in photos.values_list("name", "finding")[:_LISTED]:
                self.stdout.write(f"{campaign.slug}: {name}: {finding}")
            if (more := photos.count() - _LISTED) > 0:
                self.stdout.write(f"{campaign.slug}: and {more} more")


def _model_problems() -> list[str]:
    problems = [*(backbone_problem(name, again=True) for name in backbones_used()), prior_problem(again=True)]
    for version in (
        ModelVersion.objects.filter(files_deleted_at=None)
        .select_related("campaign")
        .order_by("campaign__slug", "number")
    ):
        for check in (version_problem, version_weights_problem):
            if problem := check(version, again=True):
                problems.append(f"{version.campaign.slug}, version {version.number}: {problem}")
    for folder in (runtime.backbones_folder(), runtime.backbones_folder().with_name("heads")):
        problems += [
            f"The exported file {path} is damaged. It is exported again when it is needed."
            for path in exported_damaged(folder)
        ]
    return [problem for problem in problems if problem]


def _upload_problems() -> list[str]:
    return [
        f"{batch.campaign.slug}: {lost} of {batch.received} files of upload {batch.pk} are missing. Upload them again."
        for batch, lost in uploads_lost()
    ]
