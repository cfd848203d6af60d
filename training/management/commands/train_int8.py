"""Make the shipped int8 file again by quantization-aware training, with a card of its accuracy."""

import json
import tempfile
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray

from annotation.files.whole_file import put_in_place, whole_file
from annotation.management.progress import progress_report
from inference.management.options import whole_number
from inference.networks.config import (
    EFFICIENTNET_LITE0,
    LITES,
    LiteConfig,
    WeightsMissing,
    backbone_config,
    without_sizes,
)
from inference.networks.model_files import checksum
from inference.scoring.files import PathMissing, files_find
from inference.scoring.int8 import (
    Int8Card,
    feature_correlation,
    features_of,
    int8_card,
    int8_measure,
    int8_quantise,
    int8_verified,
)
from inference.serving import runtime

if TYPE_CHECKING:  # torch takes seconds to import
    from inference.networks.efficientnet_lite import LiteBackbone
    from inference.networks.heads import Heads

Pixels = NDArray[np.uint8]

_RANGES = 8  # views for ONNX Runtime's calibration, which requires some even though the ranges are already learned
_COMPARED = 64  # views on which the file and the network must agree
_AGREEMENT = 0.995


class Command(BaseCommand):
    requires_system_checks = ()  # works without a database
    help = "Train the int8 file of a bundled backbone on photographs, and measure it on other photographs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photos", type=Path, help="folder of photographs; 750 take three gigabytes of memory")
        parser.add_argument(
            "--leave-out",
            type=int,
            default=7,
            metavar="N",
            help="use every Nth photograph for measuring, not for training (default: %(default)s)",
        )
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument(
            "--backbone",
            default=EFFICIENTNET_LITE0.name,
            metavar="NAME",
            help="one of the bundled backbones (default: %(default)s). One with two sizes takes its weights from the "
            "int8 file of its network with one size: that in the folder of --out, or the shipped one",
        )
        parser.add_argument(
            "--steps", type=whole_number, help="training steps, with 16 views each (default: as in the recipe)"
        )
        parser.add_argument("--views", type=whole_number, help="views of each photograph (default: as in the recipe)")
        parser.add_argument("--out", type=Path, required=True, help="folder for the file and its card")

    def handle(self, *args: Any, **options: Any) -> None:
        from inference.networks.backbones import backbone_load
        from inference.networks.checkpoint import prior_for_scale
        from inference.networks.efficientnet_lite import LiteBackbone
        from inference.networks.heads import PRIOR_BINS
        from inference.scoring.predictor import Backbone
        from training.recipes.int8_distillation import DistillationRecipe, distil, views
        from training.recipes.prior import PriorRecipe

        config = _bundled(options["backbone"])
        recipe = DistillationRecipe(seed=options["seed"])
        recipe = replace(
            recipe,
            steps=options["steps"] or recipe.steps,
            views_per_photo=options["views"] or recipe.views_per_photo,
        )
        every = options["leave_out"]
        try:
            photographs = files_find([options["photos"]]).photos
            if every < 2 or len(photographs) < every + 1:
                raise CommandError(
                    f"{len(photographs)} photographs are too few to train and to measure with --leave-out {every}."
                )
            # A network of two sizes is not trained, so only the photographs to measure on are needed.
            numbers = range(0, len(photographs), every) if config.scales else range(len(photographs))
            pixels, of_photo = views(
                photographs,
                recipe,
                progress_report(self.stderr, "photographs"),
                side=config.input_size,
                numbers=numbers,
            )
        except (PathMissing, OSError) as error:
            raise CommandError(str(error)) from error
        left_out = of_photo % every == 0

        teacher = backbone_load(config)
        assert isinstance(teacher, LiteBackbone)
        heads = prior_for_scale(PRIOR_BINS, PriorRecipe().synsets, config=config)
        if config.scales:
            network, weights_from = _with_weights_of_one_size(teacher, config, options["out"])
            calibrated = int8_card(options["out"], _one_size(config).key()).calibration_photos
        else:
            plain = Backbone(runtime.backbone_file(config), device="cpu")
            targets = features_of(plain, list(pixels), progress_report(self.stderr, "views"))
            rows = np.flatnonzero(~left_out)
            network = distil(teacher, pixels, targets, rows, heads, recipe, progress_report(self.stderr, "steps"))
            weights_from, calibrated = {}, min(recipe.fitting, len(rows))

        options["out"].mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=options["out"], prefix=".int8-") as folder:
            part = Path(folder) / "int8.onnx"
            card = _write_file(part, network, heads, pixels[left_out], config=config, calibrated=calibrated)
            described = {
                "name": f"int8 file of {config.name}",
                "licence": "Apache-2.0",  # the licence of the float weights
                **asdict(card),
                "photographs": len(np.unique(of_photo[left_out])),
                "recipe": recipe.as_card(),
                **weights_from,
                "data": [{"file": path.name, "sha256": checksum(path)} for path in photographs],
            }
            target = options["out"] / f"{config.key()}.int8.onnx"
            put_in_place(part, target)
        with whole_file(target.with_suffix(".json"), "w") as file:
            file.write(json.dumps(described, indent=2, ensure_ascii=False) + "\n")
        for key, value in asdict(card).items():
            self.stdout.write(f"{key}: {value}")
        self.stdout.write(f"Wrote {target} and its card.")


def _bundled(name: str) -> LiteConfig:
    """Return a bundled backbone, with one size or two. Raises CommandError for other names."""
    try:
        config = backbone_config(name, folder=runtime.weights_folder())
    except WeightsMissing as error:
        raise CommandError(str(error)) from error
    if not isinstance(config, LiteConfig) or config.weights is not None:
        raise CommandError(f"{name} is not a bundled backbone; choose one of {', '.join(LITES)}.")
    return config


def _one_size(config: LiteConfig) -> LiteConfig:
    """Return the backbone that gives the same network photos in one size."""
    return LITES[without_sizes(config.name)]


def _with_weights_of_one_size(
    teacher: "LiteBackbone", config: LiteConfig, folder: Path
) -> "tuple[LiteBackbone, dict[str, Any]]":
    """Return a quantized copy of a backbone of two sizes, and what its card says about its weights.

    Its weights and ranges are those of the int8 file of its network with one size: that in `folder`, or the shipped
    one. Raises CommandError if there is none.
    """
    from inference.networks.quantization_aware import quantization_aware_copy, rounding_read

    try:
        path = int8_verified(folder, _one_size(config).key())
    except WeightsMissing as error:
        raise CommandError(
            f"{config.name} takes its weights from the int8 file of its network with one size, which is "
            "missing or damaged. Make it first, with the same --out."
        ) from error
    network = quantization_aware_copy(teacher)
    rounding_read(network, path)
    return network.eval(), {"weights_from": {"file": path.name, "sha256": checksum(path)}}


def _write_file(
    path: Path, network: "LiteBackbone", heads: "Heads", unseen: Pixels, *, config: LiteConfig, calibrated: int
) -> Int8Card:
    """Write the int8 file of a quantization-aware trained network; return its card, measured on `unseen`.

    Raises CommandError if the features of the file differ from those of the network.
    """
    from inference.networks.export import backbone_to_onnx, heads_to_onnx
    from inference.networks.quantization_aware import rounding_remove
    from inference.scoring.predictor import Backbone, HeadsPredictor

    learned = _torch_features(network, unseen[:_COMPARED])
    rounding_remove(network)
    graph, heads_path = path.with_name("learned.onnx"), path.with_name("heads.onnx")
    backbone_to_onnx(network, graph)
    heads_to_onnx(heads, heads_path)
    int8_quantise(graph, path, list(unseen[:_RANGES]), has_learned_rounding=True)
    agreement = feature_correlation(learned, features_of(Backbone(path, device="cpu"), list(unseen[:_COMPARED])))
    if agreement < _AGREEMENT:
        raise CommandError(
            f"The int8 file differs from the trained network: the correlation of their features is {agreement:.4f}."
        )
    return int8_measure(
        runtime.backbone_file(config),
        path,
        list(unseen),
        calibrated=calibrated,
        predict=HeadsPredictor(heads_path).predict,
        measures_quality=config.prior_folder is not None,
    )


def _torch_features(network: Any, pixels: Pixels) -> NDArray[np.float32]:
    import torch

    with torch.no_grad():
        result: NDArray[np.float32] = network(torch.from_numpy(pixels)).numpy()
    return result
