"""`manage.py learning_curve CAMPAIGN`: measure in the foreground whether more answers still help.

A worker starts `manage.py learning_curve --curve ID --attempt N` for a curve that it has claimed.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.measures.figures_text import figures_read
from annotation.measures.intervals import Interval
from annotation.measures.signs import minus
from annotation.models import Campaign
from training.evaluation.curve_gain import CurveReport
from training.evaluation.curve_words import curve_words
from training.models import LearningCurve
from training.services.curve_execution import curve_perform
from training.services.learning_curves import CurveEndedError, State, curve_claim, curve_finish, curve_request


class Command(BaseCommand):
    help = (
        "Measure how well the votes of a campaign are predicted after learning from more and more of its answers: the "
        "gain of the last 200 answers, and a forecast for the next 200, with intervals. The holdout is not looked at."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", nargs="?", help="The campaign's slug, as in its URL.")
        parser.add_argument("--curve", type=int, help="Work on this curve, which the caller has claimed.")
        parser.add_argument("--attempt", type=int, help="The attempt number that the claim gave.")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["campaign"] is None) == (options["curve"] is None) or (options["curve"] and not options["attempt"]):
            raise CommandError("Give either a CAMPAIGN, or --curve and --attempt.")
        if options["curve"]:
            self._perform(options["curve"], options["attempt"])
        else:
            self._measure(campaign_named(options["campaign"]))

    def _perform(self, curve_id: int, attempt: int) -> None:
        try:
            curve = curve_perform(curve_id=curve_id, attempt=attempt)
        except CurveEndedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Learning curve {curve_id}: {curve.state}. {curve.message}")

    def _measure(self, campaign: Campaign) -> None:
        curve = curve_request(campaign=campaign)
        attempt = curve_claim(curve_id=curve.pk)
        if attempt is None:
            raise CommandError(f"The learning curve of {campaign} is being measured already; see the models page.")
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty(), what="fits")
        try:
            curve = curve_perform(curve_id=curve.pk, attempt=attempt, echo=bar.show)
        except CurveEndedError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            curve_finish(curve_id=curve.pk, attempt=attempt, state=State.FAILED, message="Interrupted.")
            raise CommandError("Interrupted. Nothing was stored.") from None
        finally:
            bar.end()
        if curve.state == State.FAILED:
            raise CommandError(curve.message)
        self._print(campaign, curve)

    def _print(self, campaign: Campaign, curve: LearningCurve) -> None:
        report = figures_read(CurveReport, curve.result) if curve.result else None
        if report is None:
            self.stdout.write(curve.message)
            return
        words = curve_words(report, margin=campaign.promotion_margin)
        self.stdout.write(f"{words.title}.")
        for sentence in (*words.sentences, words.method):
            self.stdout.write(sentence)
        self.stdout.write("answers  photos   RPS (95 % interval)     SRCC (95 % interval)")
        for row in report.rows:
            self.stdout.write(f"{row.answers:7,.0f} {row.photos:7,.0f} {_text(row.rps, 3)}  {_text(row.srcc, 2)}")


def _text(interval: Interval, digits: int) -> str:
    value, low, high = (f"{one:.{digits}f}" for one in (interval.value, interval.low, interval.high))
    return minus(f"{value:>6} ({low} to {high})")
