"""`manage.py plan_campaign`: what a campaign with these numbers of photos and votes will be able to say."""

from argparse import ArgumentParser
from math import inf
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.measures.panels import PUBLISHED, Panel
from annotation.measures.signs import ends
from annotation.measures.study_design import FEWEST_HOLDOUT, Study, best_change, changes, mos_width, outcome
from annotation.models import Campaign
from annotation.selectors.panels import campaign_pace, campaign_panel

_MEASURES = {"mos_width": "MOS intervals", "alpha_width": "interval of alpha", "gain": "detected gain"}


class Command(BaseCommand):
    help = "Plan a campaign: width of MOS intervals, alpha, the gain that the promotion rule detects, hours and cost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--noise",
            default="oasis",
            metavar="NAME",
            help=f"Where the noise of the votes is from: {', '.join(PUBLISHED)}, or the slug of a campaign. "
            "Default: %(default)s.",
        )
        parser.add_argument("--scale", default=None, metavar="LOW-HIGH", help="Default: 1-10, or that of the campaign.")
        parser.add_argument("--photos", type=int, default=800, help="Photos to learn from. Default: %(default)s.")
        parser.add_argument("--votes", type=int, default=3, help="Votes on each of them. Default: %(default)s.")
        parser.add_argument("--holdout-photos", type=int, default=200, help="Default: %(default)s.")
        parser.add_argument("--holdout-votes", type=int, default=5, help="Default: %(default)s.")
        parser.add_argument("--people", type=int, default=10, help="Annotators. Default: %(default)s.")
        parser.add_argument("--seconds", type=float, help="Of one vote. Default: 5, or the median of the campaign.")
        parser.add_argument("--cost", type=float, default=0.0, help="Of an hour. Default: %(default)s.")
        parser.add_argument(
            "--champion",
            type=float,
            default=0.6,
            help="SRCC of the present model with the opinion of everybody. Default: %(default)s.",
        )
        parser.add_argument(
            "--similarity", type=float, default=0.9, help="SRCC of the two models' scores. Default: %(default)s."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = None if options["noise"] in PUBLISHED else campaign_named(options["noise"])
        panel = PUBLISHED[options["noise"]] if campaign is None else _panel_of(campaign)
        panel = panel.on_scale(*_scale(options["scale"], campaign))
        pace = campaign_pace(campaign) if campaign is not None else None
        try:
            study = Study(
                photos=options["photos"],
                votes=options["votes"],
                holdout_photos=options["holdout_photos"],
                holdout_votes=options["holdout_votes"],
                people=options["people"],
                seconds=options["seconds"] if options["seconds"] is not None else pace or 5.0,
                cost_per_hour=options["cost"],
                champion=options["champion"],
                similarity=options["similarity"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self._print(study, panel)

    def _print(self, study: Study, panel: Panel) -> None:
        found = outcome(study, panel)
        write = self.stdout.write
        write(f"Noise: {panel.name} ({panel.source}).")
        write(
            f"On the scale {panel.lowest}-{panel.highest}, photos differ by {panel.photos:.2f} points, votes on one "
            f"photo by {panel.votes:.2f} (standard deviations). Reliability of one vote {panel.reliability:.2f}."
        )
        halves = f"±{found.half_width:.2f} points, ±{found.holdout_half_width:.2f} on the holdout"
        write(f"{'MOS interval (95 %)':<34} {halves}")
        alpha = found.alpha
        text = (
            f"{alpha.value:.2f} ({ends(f'{alpha.low:.2f}', f'{alpha.high:.2f}')})"
            if alpha.n
            else "- (needs two votes on a photo)"
        )
        write(f"{'Krippendorff alpha':<34} {text}")
        write(f"{'Ceiling on the holdout':<34} {found.ceiling:.2f}")
        if found.gain < inf:
            gain = f"+{found.gain:.3f} with a probability of 80 %"
        elif study.holdout_photos < FEWEST_HOLDOUT:
            gain = f"- (the promotion rule needs {FEWEST_HOLDOUT} holdout photos)"
        else:
            gain = "- (no gain with a probability of 80 %)"
        write(f"{'Gain in SRCC that is detected':<34} {gain}")
        write(
            f"{'Votes, hours, cost':<34} {study.all_votes:,.0f} votes, {study.hours:,.1f} hours "
            f"({study.hours / study.people:,.1f} each), cost {study.cost:,.0f}"
        )
        write("\nVotes on each photo, width of the MOS interval, hours:")
        for votes in range(1, min(study.people, 10) + 1):
            hours = (study.photos * votes + study.holdout_photos * study.holdout_votes) * study.seconds / 3600
            write(f"{votes:>4} {mos_width(panel, votes):>8.2f} {hours:>10,.1f}")
        write("\nOne more hour, in percent (negative is better): " + ", ".join(_MEASURES.values()))
        options = changes(study, panel)
        for one in options:
            write(f"  {one.name:<34} {'  '.join(f'{text:>8}' for text in one.percents)}")
        for measure, name in _MEASURES.items():
            best = best_change(options, measure)
            if best is not None:
                write(f"Change first for the {name}: {best.name}.")


def _panel_of(campaign: Campaign) -> Panel:
    panel = campaign_panel(campaign)
    if panel is None:
        raise CommandError(f"{campaign} has not enough votes to tell its noise: it needs 20 photos with two votes.")
    return panel


def _scale(text: str | None, campaign: Campaign | None) -> tuple[int, int]:
    if text is None:
        return (1, 10) if campaign is None else (campaign.scale_min, campaign.scale_max)
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal() and int(low) < int(high) <= 100):
        raise CommandError(f"{text!r} is not a scale; write it like 1-10.")
    return int(low), int(high)
