"""`manage.py export_model CAMPAIGN [--model N] [--out FILE]`: write a model version for other programs."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.management.progress import StepBar
from annotation.models import AuditKind
from annotation.services.audit import audit_record
from inference.models import ModelVersion
from inference.networks.config import WeightsMissing
from inference.networks.model_files import ModelFileError
from training.services.version_exports import version_export_write


class Command(BaseCommand):
    help = "Write a zip with one ONNX file that goes from a photo to its scores, its card, and example programs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        parser.add_argument("--model", type=int, metavar="NUMBER", help="Number of the version. Default: the champion.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="Default: CAMPAIGN-vNUMBER.zip in this folder.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        number: int | None = options["model"]
        chosen = {"is_champion": True} if number is None else {"number": number}
        version = ModelVersion.objects.filter(campaign=campaign, **chosen).select_related("campaign").first()
        if version is None:
            wanted = "no model version yet" if number is None else f"no model version {number}"
            raise CommandError(f"{campaign.slug} has {wanted}.")
        path: Path = options["out"] or Path(f"{campaign.slug}-v{version.number}.zip")
        bar = StepBar(self.stderr, live=sys.stderr.isatty())
        try:
            card = version_export_write(
                version=version, path=path, report=lambda share, stage: bar.show(stage, round(100 * share), 100)
            )
        except (ModelFileError, WeightsMissing) as error:
            raise CommandError(str(error)) from error
        finally:
            bar.end()
        audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=f"model version {version.number}")
        self.stdout.write(f"{path}: {path.stat().st_size / 1e6:.1f} MB, version {version.number} of {campaign.slug}.")
        if photos := card["agreement"]["photos"]:
            most = card["agreement"]["mean_most"]
            self.stdout.write(f"On {photos} photos, its means differ by at most {most:.2g} from those in IQS.")
