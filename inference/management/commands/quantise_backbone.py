"""Make the int8 file of a backbone and measure how its scores differ."""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray

from annotation.models import DEFAULT_SYNSETS
from annotation.photos.decoding import PhotoRejected, photo_open
from inference.networks.config import WeightsMissing
from inference.scoring.files import PathMissing, files_find
from inference.serving import runtime

_FEWEST = 8


class Command(BaseCommand):
    requires_system_checks = ()  # works without a database
    help = (
        "Make the int8 file of the site's backbone from a folder of photos, and print how its scores differ. "
        "It is used with IQS_PRECISION=int8."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="photos similar to those that will be scored")
        parser.add_argument("--backbone", default="", metavar="NAME", help="default: IQS_BACKBONE")
        parser.add_argument("--weights", metavar="FILE", help="weight file to use instead of its own, or 'random'")
        parser.add_argument(
            "--calibration", type=int, default=100, metavar="N", help="number of photos to calibrate the ranges on"
        )
        parser.add_argument(
            "--measure", type=int, default=200, metavar="N", help="number of other photos to compare on"
        )
        parser.add_argument("--seed", type=int, default=0, help="seed of the random choice of photos")

    def handle(self, *args: Any, **options: Any) -> None:
        from inference.networks.checkpoint import prior_for
        from inference.networks.export import heads_to_onnx
        from inference.scoring.int8 import int8_make, int8_path
        from inference.scoring.predictor import Backbone, HeadsPredictor

        try:
            config = runtime.backbone_chosen(options["backbone"], options["weights"])
            path = runtime.backbone_file(config)
            heads, card = prior_for(config, bins=10, synsets=tuple(DEFAULT_SYNSETS))
            found = files_find([options["folder"]]).photos
        except (WeightsMissing, PathMissing) as error:
            raise CommandError(str(error)) from error
        wanted = options["calibration"] + options["measure"]
        order = np.random.default_rng(options["seed"]).permutation(len(found))
        photos = list(_pixels([found[place] for place in order], Backbone(path, device="cpu"), wanted))
        if len(photos) < 2 * _FEWEST:
            raise CommandError(
                f"{options['folder']} has {len(photos)} photos that can be opened; at least {2 * _FEWEST} are needed."
            )
        # If there are fewer photos than asked for, split them in the same proportion.
        share = options["calibration"] / wanted
        calibrating = min(max(round(len(photos) * share), _FEWEST), len(photos) - _FEWEST)
        with tempfile.TemporaryDirectory() as folder:
            heads_to_onnx(heads, Path(folder) / "heads.onnx")
            result = int8_make(
                path,
                photos[:calibrating],
                photos[calibrating:],
                predict=HeadsPredictor(Path(folder) / "heads.onnx").predict,
                measures_quality="neutral" not in card.get("recipe", {}),
            )
        for name, value in asdict(result).items():
            self.stdout.write(f"{name}: {value}")
        self.stdout.write(f"Wrote {int8_path(path.parent, path.stem)} and its card.")


def _pixels(paths: list[Path], network: Any, wanted: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the network's input pixels of the first `wanted` files that can be opened."""
    for path in paths:
        if not wanted:
            return
        try:
            picture = photo_open(path, max_pixels=settings.IQS_MAX_PIXELS, at_least=network.side)
        except PhotoRejected:
            continue
        wanted -= 1
        yield network.prepare(picture)
