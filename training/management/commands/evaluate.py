"""`manage.py evaluate CAMPAIGN [--version N]`: measure a version on the holdout and print its figures."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.management.lookup import campaign_named
from annotation.models import Campaign
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.selectors import champion
from training.evaluation.registry import measured
from training.services.evaluations import evaluation_make
from training.services.promotions import promotion_verdict


class Command(BaseCommand):
    help = "Measure a model version on the holdout, against the champion, and print its figures with intervals."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django's own --version, which prints Django's, gives way.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its address.")
        parser.add_argument(
            "--version",
            dest="number",
            metavar="N",
            type=int,
            help="Which version; without it the champion is measured.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        standing = champion(campaign)
        version = standing if options["number"] is None else self._version(campaign, options["number"])
        if version is None:
            raise CommandError(f"{campaign} has no model version yet; its workers install the first one.")
        against = standing if version != standing else None
        try:
            evaluation = evaluation_make(version=version, against=against)
        except ModelFileError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{version} on the holdout: {evaluation.image_count} photos, {evaluation.vote_count} votes, "
            "95 % intervals by bootstrap over photos."
        )
        differences = {one.figure.name: one for one in measured(evaluation.differences)}
        head = f"{'':<16} {'value':>7}  {'interval':<18} {'n':>5} {'ceiling':>8}"
        self.stdout.write(head + (f"   against v{against.number}" if against else ""))
        for one in measured(evaluation.metrics):
            line = f"{one.figure.label:<16} {one.text:>7}  {one.interval:<18} {one.n:>5} "
            line += f"{one.ceiling:>8.3f}" if one.ceiling is not None else " " * 8
            if (difference := differences.get(one.figure.name)) is not None:
                line += f"   {difference.signed:>7}  {difference.signed_interval}  {difference.verdict}"
            self.stdout.write(line.rstrip())
        if against is not None:
            verdict = promotion_verdict(evaluation)
            self.stdout.write(f"{'Promote' if verdict.promote else 'Do not promote'}: {verdict.reason}")

    def _version(self, campaign: Campaign, number: int) -> ModelVersion:
        version = ModelVersion.objects.filter(campaign=campaign, number=number).first()
        if version is None:
            raise CommandError(f"{campaign} has no model version {number}.")
        return version
