"""`manage.py evaluate CAMPAIGN [--version N | --all]`: evaluate versions on the holdout and print their metrics."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.management.lookup import campaign_named
from annotation.models import Campaign
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.selectors import champion
from training.evaluation.measured import measured, measured_pairs
from training.evaluation.promotion_rule import Rule, description
from training.evaluation.registry import METRICS
from training.models import Evaluation
from training.selectors.verdicts import holdout_use, inverted_names, rule_of, verdict_of
from training.selectors.versions import newest_evaluations
from training.services.evaluations import evaluation_make, evaluations_refresh


class Command(BaseCommand):
    help = (
        "Evaluate model versions on the holdout, compare them with the champion, and print the metrics. "
        f"{description(Rule())}"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django's own --version prints the version of Django; this command's --version replaces it.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--version",
            dest="number",
            metavar="N",
            type=int,
            help="Number of the version. Default: the champion.",
        )
        which.add_argument(
            "--all",
            action="store_true",
            help="All versions, on the same votes. Versions that were evaluated on other votes are evaluated again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        current_champion = champion(campaign)
        version = current_champion if options["number"] is None else self._version(campaign, options["number"])
        if current_champion is None or version is None:
            raise CommandError(f"{campaign} has no model version yet. The workers install the first one.")
        if options["all"]:
            self._evaluate_all(campaign)
            return
        against = current_champion if version != current_champion else None
        try:
            evaluation = evaluation_make(version=version, against=against)
        except ModelFileError as error:
            raise CommandError(str(error)) from error
        self._print(evaluation)
        if against is not None:
            self._print_verdict(evaluation, campaign)

    def _evaluate_all(self, campaign: Campaign) -> None:
        problems = evaluations_refresh(campaign=campaign)
        versions = ModelVersion.objects.filter(campaign=campaign).select_related("campaign")
        evaluations = newest_evaluations(list(versions))
        for version in versions:
            if (evaluation := evaluations.get(version.pk)) is not None:
                evaluation.model_version = version
                self._print(evaluation)
        for problem in problems:
            self.stderr.write(problem)

    def _print(self, evaluation: Evaluation) -> None:
        against = evaluation.against
        self.stdout.write(
            f"{evaluation.model_version}, measured {evaluation.created_at:%Y-%m-%d %H:%M} UTC on "
            f"{evaluation.image_count} holdout photos with {evaluation.vote_count} votes; "
            "95 % intervals by bootstrap over groups of near-duplicates."
        )
        head = f"{'':<16} {'value':>7}  {'interval':<18} {'n':>5} {'groups':>6} {'ceiling':>8}"
        self.stdout.write(head + (f"   vs v{against.number}" if against else ""))
        for one, difference in measured_pairs(evaluation.metrics, evaluation.differences):
            line = f"{one.metric.label:<16} {one.text:>7}  {one.interval:<18} {one.n:>5} {one.groups or '':>6} "
            line += f"{one.ceiling:>8.3f}" if one.ceiling is not None else " " * 8
            if difference is not None:
                line += f"   {difference.signed:>7}  {difference.signed_interval}  {difference.verdict}"
            self.stdout.write(line.rstrip())
        for one in measured(evaluation.metrics):
            if one.ceiling is not None and one.metric is METRICS["quality_srcc"]:
                if one.worth_text:
                    self.stdout.write(f"Correlates with the MOS as well as the mean of {one.worth_text}.")
                self.stdout.write(f"Ceiling √r_k, what a perfect model would reach: {one.ceiling_text}.")

    def _print_verdict(self, evaluation: Evaluation, campaign: Campaign) -> None:
        self.stdout.write(description(rule_of(campaign)))
        if names := inverted_names(evaluation):
            self.stdout.write(f"Scores that run against those of the others are by: {', '.join(names)}.")
        if evaluation.against is not None and (use := holdout_use(evaluation.against)) is not None:
            self.stdout.write(use.text)
        verdict = verdict_of(evaluation)
        self.stdout.write(
            verdict.text if verdict else "The version is older than the champion, so the rule says nothing."
        )

    def _version(self, campaign: Campaign, number: int) -> ModelVersion:
        version = ModelVersion.objects.filter(campaign=campaign, number=number).first()
        if version is None:
            raise CommandError(f"{campaign} has no model version {number}.")
        return version
