"""`manage.py find_near_duplicates [CAMPAIGN …]`: compare photos, and join groups of near-duplicates."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import campaign_named
from annotation.management.progress import progress_report
from annotation.models import Campaign
from inference.networks.config import WeightsMissing
from inference.services.near_duplicates import Compared, comparisons_forget, near_duplicates_join
from training.selectors.runs import learned_photos


class Command(BaseCommand):
    help = (
        "Compare the photos of campaigns by perceptual hash and by features, and join the groups of near-duplicates. "
        "Workers do this by themselves for photos that were not compared yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help="Slugs. Default: all campaigns.")
        parser.add_argument("--again", action="store_true", help="Compare all photos, also those already compared.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [campaign_named(slug) for slug in options["campaigns"]] or list(Campaign.objects.order_by("pk"))
        for campaign in chosen:
            if options["again"]:
                comparisons_forget(campaign=campaign)
            try:
                found = near_duplicates_join(
                    campaign=campaign,
                    learned_from=partial(learned_photos, campaign),
                    report=progress_report(self.stderr, "photos"),
                )
            except WeightsMissing as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{campaign.slug}: {sentence(found)}")
        if not chosen:
            self.stdout.write("There are no campaigns.")


def sentence(found: Compared) -> str:
    """Return what a comparison has done, in words."""
    joined = found.joined
    moved = [
        f"{counted(count, 'photo')} moved to {split}"
        for count, split in ((joined.to_holdout, "the holdout"), (joined.to_neither, "neither split"))
        if count
    ]
    return (
        ", ".join(
            [f"{counted(found.photos, 'photo')} compared, {counted(joined.groups, 'group')} joined to others", *moved]
        )
        + "."
    )


def counted(count: int, what: str) -> str:
    """Return a number with its noun."""
    return f"{count} {what}{'' if count == 1 else 's'}"
