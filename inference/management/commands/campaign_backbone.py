"""Give a campaign another backbone, also one that the settings page does not offer."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.models import Campaign
from annotation.services.campaigns import campaign_update
from inference.networks.config import WeightsMissing
from inference.selectors import backbone_key


class Command(BaseCommand):
    help = "Show the backbone of a campaign, or change it. Workers then process all photos of the campaign again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="address of the campaign")
        parser.add_argument("backbone", nargs="?", help="name of a backbone (manage.py backbones lists them)")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(addresses__slug=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['campaign']!r}.")
        name = options["backbone"]
        if name is None:
            self.stdout.write(campaign.backbone)
            return
        try:
            backbone_key(name)
        except WeightsMissing as error:
            raise CommandError(str(error)) from error
        campaign_update(campaign=campaign, backbone=name)
        self.stdout.write(f"{campaign.name} now uses {name}. Workers compute the features of its photos.")
