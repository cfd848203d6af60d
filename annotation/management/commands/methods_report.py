"""`manage.py methods_report CAMPAIGN`: print the methods report as Markdown."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from annotation.exchange.methods_report import markdown
from annotation.management.lookup import campaign_named
from annotation.management.progress import StepBar
from annotation.models import AuditKind
from annotation.selectors.methods import methods_figures
from annotation.services.audit import audit_record
from annotation.services.lane_registry import lane_labels


class Command(BaseCommand):
    help = "Print what a paper or an audit must state about the votes of a campaign, as Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="The campaign's slug, as in its URL.")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = campaign_named(options["campaign"])
        bar = StepBar(self.stderr, live=sys.stderr.isatty())
        figures = methods_figures(campaign, lane_labels=lane_labels(), tell=bar.show)
        bar.end()
        text = markdown(figures)
        audit_record(kind=AuditKind.EXPORT, campaign=campaign, what="methods report by command")
        self.stdout.write(text, ending="")
