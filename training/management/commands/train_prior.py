"""Train the shipped quality prior again, or measure it on other photographs."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray

from annotation.management.progress import progress_report
from annotation.measures.distribution import mean_score
from inference.management.options import whole_number
from inference.networks.config import EFFICIENTNET_LITE0, LITES, PRIOR_FOLDERS
from inference.networks.model_files import checksum
from inference.serving import runtime

if TYPE_CHECKING:
    from inference.networks.heads import Heads

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


class Command(BaseCommand):
    requires_system_checks = ()  # works without a database
    help = "Train the quality prior on degraded photographs, and measure it on other photographs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--photos", type=Path, help="folder of photographs to train on")
        parser.add_argument(
            "--leave-out",
            type=int,
            default=7,
            metavar="N",
            help="first train without every Nth photograph and measure on those; 0 skips this (default: %(default)s)",
        )
        parser.add_argument("--test", type=Path, help="folder of other photographs to measure on")
        parser.add_argument(
            "--test-count", type=int, default=150, help="number of photographs from --test (default: 150)"
        )
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument(
            "--backbone",
            default=EFFICIENTNET_LITE0.name,
            choices=LITES,
            metavar="NAME",
            help="one of the bundled backbones (default: %(default)s)",
        )
        parser.add_argument("--crops", type=whole_number, help="crops of each photograph (default: as in the recipe)")
        parser.add_argument(
            "--singles", type=whole_number, help="variants of a crop with one degradation (default: as in the recipe)"
        )
        parser.add_argument(
            "--mixtures", type=whole_number, help="variants of a crop with two (default: as in the recipe)"
        )
        parser.add_argument("--epochs", type=whole_number, help="training epochs (default: as in the recipe)")
        parser.add_argument("--out", type=Path, help="folder for the heads; without it nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        from inference.networks.checkpoint import heads_load, heads_save
        from inference.scoring.predictor import Backbone
        from training.recipes.prior import PriorRecipe, corpus, measure, recipe_for, train

        config = LITES[options["backbone"]]
        recipe = recipe_for(config, PriorRecipe(seed=options["seed"]))
        recipe = replace(
            recipe,
            crops_per_photo=options["crops"] or recipe.crops_per_photo,
            singles_per_crop=options["singles"] or recipe.singles_per_crop,
            mixtures_per_crop=options["mixtures"] or recipe.mixtures_per_crop,
            epochs=options["epochs"] or recipe.epochs,
        )
        # The heads are trained on features of the float network, and measured on those of the served network too.
        network = Backbone(runtime.backbone_file(config), threads=1)
        served = Backbone(runtime.backbone_served(config), threads=1)
        card: dict[str, Any] = {"name": "quality prior", "recipe": recipe.as_card(), "figures": {}}
        if options["photos"]:
            photographs = _photographs(options["photos"])
            found, features = corpus(
                photographs,
                recipe,
                network.features,
                progress_report(self.stderr, "photographs"),
                side=config.input_size,
            )
            if options["leave_out"]:
                left_out = np.array([variant.photo % options["leave_out"] == 0 for variant in found])
                kept = [variant for variant, out in zip(found, left_out, strict=True) if not out]
                out = [variant for variant, out in zip(found, left_out, strict=True) if out]
                partial = train(kept, features[~left_out], recipe, config=config)
                unseen = photographs[:: options["leave_out"]]
                measured = {"left out": (out, features[left_out])}
                if runtime.is_int8(config):
                    measured["left out, int8"] = corpus(
                        unseen,
                        recipe,
                        served.features,
                        progress_report(self.stderr, "photographs"),
                        side=config.input_size,
                    )
                for name, (some, vectors) in measured.items():
                    figures = measure(some, _mean_scores(partial, vectors))
                    card["figures"][name] = {"photographs": len(unseen), **figures}
            heads = train(found, features, recipe, config=config)
            card["data"] = {
                "photographs": [{"file": path.name, "sha256": checksum(path)} for path in photographs],
                "variants": len(found),
            }
        else:
            heads, _card = heads_load(_shipped(config.name))
        if options["test"]:
            rng = np.random.default_rng(0)
            others = _photographs(options["test"])
            others = [others[index] for index in rng.permutation(len(others))[: options["test_count"]]]
            test_recipe = replace(recipe, crops_per_photo=1, singles_per_crop=0, mixtures_per_crop=0)
            found, features = corpus(
                others,
                test_recipe,
                served.features,
                progress_report(self.stderr, "photographs"),
                side=config.input_size,
                whole_photos=True,
            )
            card["figures"]["other"] = {
                "photographs": len(others),
                **measure(found, _mean_scores(heads, features)),
            }
        for source, figures in card["figures"].items():
            for name, value in figures.items():
                self.stdout.write(f"{source}: {name}: {value}")
        if options["out"]:
            heads_save(options["out"], heads, card)
            self.stdout.write(f"Wrote {options['out']}")


def _mean_scores(heads: "Heads", features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the heads' mean scores [N] from features rounded to 16 bits, as the database stores them."""
    import torch

    with torch.no_grad():
        rows = torch.from_numpy(features.astype(np.float16).astype(np.float32))
        distribution: NDArray[np.float64] = heads(rows).quality_logits.softmax(1).double().numpy()
    return mean_score(distribution, lowest=1)


def _shipped(name: str) -> Path:
    if name not in PRIOR_FOLDERS:
        raise CommandError(f"No prior is shipped for {name}; train one with --photos.")
    return PRIOR_FOLDERS[name]


def _photographs(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    if not found:
        raise CommandError(f"There are no photographs in {folder}.")
    return found
