"""The recipe of the shipped int8 file: rounded weights learn to see what the float network sees.

It needs no labels, only photographs: what the float network says of them is what is learned.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from inference.distortion.degradations import DEGRADATIONS, GRADES
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.efficientnet_lite import LiteBackbone
from inference.networks.heads import Heads
from inference.networks.quantization_aware import quantization_aware_copy, ranges_fit
from training.recipes.prior import PriorRecipe, Variant, random_crop, untouched_state, variant_pixels

_THREADS = 2
_WARMUP = 30  # steps
_OUTLIER = 25.0  # squared deviations are cut there: of a feature that hardly varies, a few would be the whole loss

Pixels = NDArray[np.uint8]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class DistillationRecipe:
    """Everything that decides the rounded weights, beside the photographs."""

    seed: int = 7
    views_per_photo: int = 26
    """The whole photograph once, then crops of it, half of them mirrored, each as another camera might have left it."""
    faults: tuple[float, float, float] = (0.5, 0.35, 0.15)
    """Shares of views without a fault, with one of the seven degradations, and with two."""
    fitting: int = 256
    """Views that the ranges of maps are chosen by, before learning begins."""
    steps: int = 300
    batch: int = 16
    learning_rate: float = 3e-5
    gradient_norm: float = 5.0
    """To which longer gradients are cut."""
    classes_weight: float = 0.3
    """Of the divergence between ImageNet class probabilities, beside the mean squared error of features (in units
    of their standard deviation), which weighs 1."""
    watch_weight: float = 0.1
    """Of the error of the watch's log-odds, where both are above −8; squared where it is below 1, then straight."""
    quality_weight: float = 0.5
    """Of the squared error of the quality mean, on 1 … 10."""

    def as_card(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def views(
    photographs: Sequence[Path], recipe: DistillationRecipe, report: Callable[[int, int], None]
) -> tuple[Pixels, NDArray[np.int64]]:
    """Return what a Lite0 sees of each view, [N, 224, 224, 3], and the number of its photograph [N].

    N is `views_per_photo` for each photograph: of 750, three gigabytes. `report` is called with (photos done, all).
    """
    count, side = recipe.views_per_photo, EFFICIENTNET_LITE0.input_size
    pixels = np.empty((len(photographs) * count, side, side, 3), dtype=np.uint8)

    def fill(number: int) -> None:
        for index, view in enumerate(_views_of(number, photographs[number], recipe)):
            pixels[number * count + index] = view

    with ThreadPoolExecutor(_THREADS) as pool:
        for done, _filled in enumerate(pool.map(fill, range(len(photographs))), start=1):
            report(done, len(photographs))
    return pixels, np.repeat(np.arange(len(photographs)), count)


def _views_of(number: int, path: Path, recipe: DistillationRecipe) -> Iterator[Pixels]:
    prior = PriorRecipe()
    rng = np.random.default_rng([recipe.seed, number])
    with Image.open(path) as file:
        photo = file.convert("RGB")
    photo.thumbnail((1800, 1800), Image.Resampling.LANCZOS)
    names = list(DEGRADATIONS)
    for index in range(recipe.views_per_photo):
        view = random_crop(photo, prior, rng) if index else photo.copy()
        if not index:
            view.thumbnail((prior.long_sides[1],) * 2, Image.Resampling.LANCZOS)
        elif rng.random() < 0.5:
            view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        faults = rng.choice(len(names), size=rng.choice(3, p=recipe.faults), replace=False)
        steps = tuple((names[fault], int(rng.integers(1, GRADES))) for fault in faults)
        yield variant_pixels(untouched_state(view, prior, rng), Variant(number, index, steps), rng)


def distil(
    teacher: LiteBackbone,
    pixels: Pixels,
    targets: Features,
    rows: NDArray[np.int64],
    heads: Heads,
    recipe: DistillationRecipe,
    report: Callable[[int, int], None],
) -> LiteBackbone:
    """Return a rounded copy of the teacher that has learned from pixels [N, side, side, 3] to give targets [N, D].

    `targets` are the teacher's features, `rows` those of the N that it learns from. `heads` say which changes of
    features matter: in ImageNet classes, watch and quality. `report` is called with (steps done, all).
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = quantization_aware_copy(teacher)
    fitting = rng.choice(rows, size=min(recipe.fitting, len(rows)), replace=False)
    ranges_fit(network, (torch.from_numpy(pixels[some]) for some in _split(fitting, recipe.batch)))
    loss = _Loss(heads, torch.from_numpy(targets[rows].std(axis=0)).clamp(min=1e-2), recipe)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / _WARMUP) * (1 + math.cos(math.pi * step / recipe.steps)) / 2
    )
    rounds = math.ceil(recipe.steps * recipe.batch / len(rows))
    order = np.concatenate([rng.permutation(rows) for _ in range(rounds)])[: recipe.steps * recipe.batch]
    for done, some in enumerate(_split(order, recipe.batch), start=1):
        value = loss(network(torch.from_numpy(pixels[some])), torch.from_numpy(targets[some]))
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]  # torch gives it no types
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_norm)
        optimiser.step()
        schedule.step()
        report(done, recipe.steps)
    return network.eval()


class _Loss:
    """How far features are from what they should be, and what the heads make of it."""

    def __init__(self, heads: Heads, deviation: Tensor, recipe: DistillationRecipe) -> None:
        self.heads = heads.eval().requires_grad_(requires_grad=False)
        self.deviation = deviation
        self.recipe = recipe
        self.scores = torch.arange(1, heads.config.bins + 1, dtype=torch.float32)

    def __call__(self, features: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            classes, watch, mean = self._said(targets)
        said_classes, said_watch, said_mean = self._said(features)
        size = self.heads.config.pooled_stop
        value = ((features - targets) / self.deviation)[:, :size].square().clamp(max=_OUTLIER).mean()
        divergence = functional.kl_div(said_classes, classes, reduction="batchmean", log_target=True)
        value = value + self.recipe.classes_weight * divergence
        value = value + self.recipe.watch_weight * functional.smooth_l1_loss(said_watch, watch)
        result: Tensor = value + self.recipe.quality_weight * (said_mean - mean).square().mean()
        return result

    def _said(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log probabilities of classes [N, classes], log-odds of the watch [N], quality means [N]."""
        classes = features[:, self.heads.config.pooled_stop :]
        output = self.heads(features)
        return classes, output.watch_logit.clamp(min=-8.0), output.quality_logits.softmax(1) @ self.scores


def _split(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
