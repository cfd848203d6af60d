"""`manage.py create_campaign SLUG --admin USER`: create a campaign, as the page New campaign does."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation.models import Campaign, User
from annotation.services.campaigns import campaign_create


class Command(BaseCommand):
    help = "Create a campaign. The page Settings changes everything else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="Its part of the address: small letters, digits and hyphens.")
        parser.add_argument("--admin", required=True, metavar="USER", help="User name of its first admin.")
        parser.add_argument("--name", help="Default: the slug.")
        parser.add_argument(
            "--scale",
            type=int,
            nargs=2,
            default=[1, 10],
            metavar=("LOWEST", "HIGHEST"),
            help="Lowest and highest opinion score. Default: 1 10.",
        )
        parser.add_argument("--votes", type=int, metavar="N", help="Votes that each photo needs.")
        parser.add_argument(
            "--mode", choices=Campaign.Mode.values, default=Campaign.Mode.REVEAL.value, help="Default: %(default)s."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        admin = User.objects.filter(name_key=options["admin"], is_active=True).first()
        if admin is None:
            raise CommandError(f"There is no active user {options['admin']!r}. Create one with createsuperuser.")
        lowest, highest = options["scale"]
        fields = {
            "slug": options["slug"],
            "name": options["name"] or options["slug"],
            "scale_min": lowest,
            "scale_max": highest,
            "mode": options["mode"],
        }
        if options["votes"] is not None:
            fields |= {"votes_per_image": options["votes"]}
        try:
            campaign = campaign_create(by=admin, **fields)
        except ValidationError as error:
            raise CommandError(
                " ".join(f"{name}: {' '.join(why)}" for name, why in error.message_dict.items())
            ) from error
        self.stdout.write(f"Created {campaign.slug}, with {admin.username} as its admin.")
