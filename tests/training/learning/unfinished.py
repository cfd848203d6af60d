"""A program that learns with checkpoints and prints each epoch, so that a test can kill it in between.

`python -m tests.training.learning.unfinished RECIPE CHECKPOINTS RESULT`; without checkpoints: "-".
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from tests.training.learning.recipe_data import rated_photos
from training.learning.checkpoints import Checkpoints, fingerprint_of
from training.learning.recipe import History
from training.learning.registry import RECIPES


def main(recipe_name: str, folder: str, result: str) -> None:
    torch.set_num_threads(1)
    recipe = RECIPES[recipe_name]
    data, _ = rated_photos(320, group=2)
    data = replace(data, checkpoints=None if folder == "-" else Checkpoints(Path(folder), fingerprint_of("data")))

    def report(_stage: str, _share: float, history: History) -> None:
        if history:
            print(f"epoch {history[-1]['epoch']:.0f}", flush=True)

    fitted = recipe.fit(data, config=recipe.config_class(), seed=3, report=report)
    torch.save([fitted.heads.state_dict(), fitted.history, fitted.figures], result)


if __name__ == "__main__":
    main(*sys.argv[1:])
