"""`manage.py train CAMPAIGN`: train on the answers so far, in the foreground, with a progress bar.

A worker starts `manage.py train --run ID --attempt N` for a run that it has claimed.
"""

import shutil
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.models import Campaign
from annotation.tasks import announce
from inference.tasks import predictions_run
from training.evaluation.measured import measured_pairs
from training.evaluation.promotion_rule import Rule, description
from training.learning.registry import DEFAULT_RECIPE, EXPOSED_ANSWERS_LABEL, RECIPES
from training.models import Evaluation, TrainingRun
from training.services.execution import Outcome, run_perform
from training.services.runs import RunEndedError, run_cancel, run_claim, run_finish, run_request

State = TrainingRun.State


class Command(BaseCommand):
    help = (
        "Train a challenger on a campaign's answers and evaluate it on the holdout. In campaigns that promote "
        f"automatically, it becomes the champion if it passes the promotion rule. {description(Rule())}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", nargs="?", help="The campaign's slug, as in its URL.")
        parser.add_argument(
            "--exposed-answers",
            action=BooleanOptionalAction,
            default=None,
            help=f"{EXPOSED_ANSWERS_LABEL}. Default: as in the campaign's last run, or off if there was none.",
        )
        parser.add_argument(
            "--recipe",
            choices=list(RECIPES),
            default=DEFAULT_RECIPE,
            help=f"How the quality head learns. Default: {DEFAULT_RECIPE}.",
        )
        parser.add_argument("--run", type=int, help="Work on this run, which the caller has claimed.")
        parser.add_argument("--attempt", type=int, help="The attempt number that the claim gave.")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["campaign"] is None) == (options["run"] is None) or (options["run"] and not options["attempt"]):
            raise CommandError("Give either a CAMPAIGN, or --run and --attempt.")
        if options["run"]:
            self._perform(options["run"], options["attempt"])
        else:
            self._train(campaign_named(options["campaign"]), options["exposed_answers"], options["recipe"])

    def _perform(self, run_id: int, attempt: int) -> None:
        try:
            outcome = run_perform(run_id=run_id, attempt=attempt)
        except RunEndedError as error:
            raise CommandError(str(error)) from error
        self._follow_up(outcome)
        self.stdout.write(f"Run {run_id}: {outcome.state}. {outcome.message}")

    def _train(self, campaign: Campaign, exposed_answers: bool | None, recipe: str) -> None:
        run = run_request(
            campaign=campaign, trigger=TrainingRun.Trigger.COMMAND, exposed_answers=exposed_answers, recipe=recipe
        )
        attempt = run_claim(run_id=run.pk)
        if attempt is None:
            raise CommandError(f"Run {run.pk} of {campaign} is already running; see its page.")
        bar = _Bar(self.stderr, live=sys.stderr.isatty())
        try:
            outcome = run_perform(run_id=run.pk, attempt=attempt, echo=bar.show)
        except RunEndedError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._cancel_interrupted(run, attempt)
        finally:
            bar.end()
        self._follow_up(outcome)
        if outcome.state == State.FAILED:
            raise CommandError(outcome.message)
        self.stdout.write(f"Run {run.pk} is {outcome.state}. {outcome.message}".strip())
        if outcome.challenger is not None:
            self._print_metrics(outcome)

    def _cancel_interrupted(self, run: TrainingRun, attempt: int) -> NoReturn:
        run_cancel(run=run)
        run_finish(run_id=run.pk, attempt=attempt, state=State.CANCELLED)
        raise CommandError("Interrupted. The run is cancelled and nothing was stored.")

    def _follow_up(self, outcome: Outcome) -> None:
        if outcome.promotion is not None:
            announce(predictions_run, outcome.promotion.version_id)

    def _print_metrics(self, outcome: Outcome) -> None:
        evaluation = Evaluation.objects.filter(model_version=outcome.challenger).first()
        if evaluation is None:
            return
        self.stdout.write(
            f"Version {outcome.challenger.number} on {evaluation.image_count} holdout photos "  # type: ignore[union-attr]
            f"with {evaluation.vote_count} votes:"
        )
        for one, difference in measured_pairs(evaluation.metrics, evaluation.differences):
            against = f"   {difference.signed} ({difference.verdict})" if difference and difference.known else ""
            self.stdout.write(f"  {one.metric.label:<16} {one.text:>7}  [{one.interval}]{against}")


class _Bar:
    """Progress with the share done and the stage: one updated line on a terminal, otherwise a line per stage."""

    def __init__(self, stream: Any, *, live: bool) -> None:
        self.stream = stream
        self.live = live
        self.stage = ""

    def show(self, share: float, stage: str) -> None:
        """Show the progress."""
        if not self.live:
            if stage != self.stage:
                self.stream.write(f"{share:4.0%} {stage}", str)
        else:
            room = max(10, min(40, shutil.get_terminal_size().columns - len(stage) - 10))
            full = round(share * room)
            self.stream.write(f"\r\033[K[{'█' * full}{'·' * (room - full)}] {share:4.0%} {stage}", str, ending="")
            self.stream.flush()
        self.stage = stage

    def end(self) -> None:
        """End the line."""
        if self.live and self.stage:
            self.stream.write("", str)
