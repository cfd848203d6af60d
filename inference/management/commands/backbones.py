"""The backbones that there are, and what a site needs for one of them."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inference.networks.config import BackboneConfig, LiteConfig, WeightsMissing, backbone_names
from inference.serving import runtime


class Command(BaseCommand):
    requires_system_checks = ()  # works without a database
    help = "List the networks that IQS_BACKBONE can name, or fetch the weights of one and prepare it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="one of them, or a vision transformer with sizes: vit_b_16@224+384")
        parser.add_argument("--weights", metavar="FILE", help="weight file in place of its own, or 'random'")
        parser.add_argument(
            "--fetch", action="store_true", help="download the weights where they are missing, and prepare the network"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] is None and (options["weights"] or options["fetch"]):
            raise CommandError("Name the backbone: manage.py backbones NAME --fetch.")
        try:
            names = [options["name"]] if options["name"] else backbone_names()
            configs = [runtime.backbone_chosen(name, options["weights"]) for name in names]
            if options["fetch"]:
                runtime.backbone_file(configs[0])
        except WeightsMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{'name':<24}{'side':>6}{'features':>10}  weights")
        for config in configs:
            mark = "  (this site's)" if config.name == settings.IQS_BACKBONE else ""
            size = f"{config.input_size:>6}{config.feature_size:>10}"
            self.stdout.write(f"{config.name:<24}{size}  {weights_state(config)}{mark}")


def weights_state(config: BackboneConfig) -> str:
    """Return in a few words where the weights of a backbone are."""
    if config.random:
        return "random"
    try:
        path = config.weights_path()
    except WeightsMissing:
        return "not installed" if isinstance(config, LiteConfig) else "not fetched"
    if config.weights is not None:
        return str(path)
    return "bundled" if isinstance(config, LiteConfig) else "fetched"
