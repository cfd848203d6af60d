"""The recipe of the shipped int8 file: train a quantized network to give the features of the float network.

It needs photographs but no labels: the outputs of the float network are the training targets.
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
from inference.networks.efficientnet_lite import LiteBackbone
from inference.networks.heads import Heads
from inference.networks.quantization_aware import quantization_aware_copy, ranges_fit
from training.recipes.prior import PriorRecipe, Variant, random_crop, variant_pixels, vary_look

_THREADS = 2
_WARMUP = 30  # steps
_OUTLIER = 25.0  # limit of squared deviations: a few of a nearly constant feature would otherwise dominate the loss

Pixels = NDArray[np.uint8]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class DistillationRecipe:
    """All settings that decide the int8 weights; the photographs are the other input."""

    seed: int = 7
    views_per_photo: int = 26
    """The whole photograph once, then random crops. Half of the crops are mirrored; the look of each view is varied."""
    faults: tuple[float, float, float] = (0.5, 0.35, 0.15)
    """Shares of views without a fault, with one of the seven degradations, and with two."""
    fitting: int = 256
    """Number of views used to set the activation ranges before training."""
    steps: int = 300
    batch: int = 16
    learning_rate: float = 3e-5
    gradient_norm: float = 5.0
    """Gradients with a larger norm are scaled down to it."""
    classes_weight: float = 0.3
    """Weight of the divergence between ImageNet class probabilities. The weight of the mean squared error of the
    features, in units of their standard deviation, is 1."""
    watch_weight: float = 0.1
    """Weight of the smooth L1 error of the watch log-odds, which are clipped at −8 from below."""
    quality_weight: float = 0.5
    """Weight of the squared error of the quality mean, on 1 … 10."""

    def as_card(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def views(
    photographs: Sequence[Path],
    recipe: DistillationRecipe,
    report: Callable[[int, int], None],
    *,
    side: int,
    numbers: Sequence[int] | None = None,
) -> tuple[Pixels, NDArray[np.int64]]:
    """Return the input pixels of each view [N, side, side, 3], and the number of its photograph [N].

    `numbers`: of the photographs to look at, all by default. N is their count × `views_per_photo`: three gigabytes for
    750 and a side of 224. `report` is called with (photos done, all).
    """
    count = recipe.views_per_photo
    numbers = range(len(photographs)) if numbers is None else numbers
    pixels = np.empty((len(numbers) * count, side, side, 3), dtype=np.uint8)

    def fill(place: int) -> None:
        for index, view in enumerate(_views_of(numbers[place], photographs[numbers[place]], recipe, side)):
            pixels[place * count + index] = view

    with ThreadPoolExecutor(_THREADS) as pool:
        for done, _filled in enumerate(pool.map(fill, range(len(numbers))), start=1):
            report(done, len(numbers))
    return pixels, np.repeat(np.array(numbers), count)


def _views_of(number: int, path: Path, recipe: DistillationRecipe, side: int) -> Iterator[Pixels]:
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
        yield variant_pixels(vary_look(view, prior, rng), Variant(number, index, steps), rng, side)


def distil(
    teacher: LiteBackbone,
    pixels: Pixels,
    targets: Features,
    rows: NDArray[np.int64],
    heads: Heads,
    recipe: DistillationRecipe,
    report: Callable[[int, int], None],
) -> LiteBackbone:
    """Return a quantized copy of the teacher, trained to map pixels [N, side, side, 3] to targets [N, D].

    `targets` are the teacher's features; `rows` are the rows of the N to train on. The loss also contains the
    outputs of `heads`: ImageNet classes, watch and quality. `report` is called with (steps done, all).
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
    """The error of the features, plus the errors of the heads' outputs on them."""

    def __init__(self, heads: Heads, deviation: Tensor, recipe: DistillationRecipe) -> None:
        self.heads = heads.eval().requires_grad_(requires_grad=False)
        self.deviation = deviation
        self.recipe = recipe
        self.scores = torch.arange(1, heads.config.bins + 1, dtype=torch.float32)

    def __call__(self, features: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            classes, watch, mean = self._outputs(targets)
        student_classes, student_watch, student_mean = self._outputs(features)
        size = self.heads.config.pooled_stop
        value = ((features - targets) / self.deviation)[:, :size].square().clamp(max=_OUTLIER).mean()
        divergence = functional.kl_div(student_classes, classes, reduction="batchmean", log_target=True)
        value = value + self.recipe.classes_weight * divergence
        value = value + self.recipe.watch_weight * functional.smooth_l1_loss(student_watch, watch)
        result: Tensor = value + self.recipe.quality_weight * (student_mean - mean).square().mean()
        return result

    def _outputs(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log probabilities of classes [N, classes], log-odds of the watch [N], quality means [N]."""
        classes = features[:, self.heads.config.class_part]
        output = self.heads(features)
        return classes, output.watch_logit.clamp(min=-8.0), output.quality_logits.softmax(1) @ self.scores


def _split(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
