"""`manage.py refresh_consensus [CAMPAIGN …]`: compute the stored consensus again, from nothing."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.lookup import campaign_named
from annotation.management.progress import ProgressBar
from annotation.models import Campaign
from annotation.services.consensus import consensus_refresh
from annotation.services.enough_votes import votes_needed_plan


class Command(BaseCommand):
    help = "Compute the consensus of campaigns from all their votes, and apply their targets for enough votes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help="Slugs. Default: all campaigns.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [campaign_named(slug) for slug in options["campaigns"]] or list(Campaign.objects.order_by("pk"))
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty(), what="campaigns")
        lines = []
        for done, campaign in enumerate(chosen):
            bar.show(done, len(chosen))
            refreshed = consensus_refresh(campaign=campaign, is_full=True)
            if not refreshed.kind:
                lines.append(f"{campaign.slug}: a worker is computing it now.")
                continue
            changed = votes_needed_plan(campaign=campaign)
            lines.append(f"{campaign.slug}: {refreshed.photos} photos, {changed} with another number of votes needed.")
        bar.show(len(chosen), len(chosen))
        bar.end()
        self.stdout.write("\n".join(lines) or "There are no campaigns.")
