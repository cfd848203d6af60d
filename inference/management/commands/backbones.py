"""List backbones, or download and prepare one."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inference.networks.config import BackboneConfig, LiteConfig, WeightsMissing, backbone_names
from inference.serving import runtime


class Command(BaseCommand):
    requires_system_checks = ()  # works without a database
    help = "List the backbones that a campaign can use, or download the weights of one and prepare it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", nargs="?", help="a backbone, or a vision transformer with several sizes: vit_b_16@224+384"
        )
        parser.add_argument("--weights", metavar="FILE", help="weight file to use instead of its own, or 'random'")
        parser.add_argument("--fetch", action="store_true", help="download missing weights and prepare the network")

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
            mark = "  (of new campaigns)" if config.name == settings.IQS_BACKBONE else ""
            size = f"{config.input_size:>6}{config.feature_size:>10}"
            self.stdout.write(f"{config.name:<24}{size}  {weights_state(config)}{mark}")


def weights_state(config: BackboneConfig) -> str:
    """Return the state of a backbone's weights in a few words."""
    if config.random:
        return "random"
    try:
        path = config.weights_path()
    except WeightsMissing:
        return "not installed" if isinstance(config, LiteConfig) else "not fetched"
    if config.weights is not None:
        return str(path)
    return "bundled" if isinstance(config, LiteConfig) else "fetched"
