"""The recipe of the shipped quality prior: train on photographs that were degraded by known grades.

Each grade has a fixed score distribution. The prior learns technical quality only: nobody rated these photographs.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from scipy.stats import betabinom
from torch import Tensor, nn

from annotation.measures.correlation import srcc
from inference.distortion.degradations import DEGRADATIONS, GRADES, photo_degrade
from inference.networks.config import LiteConfig
from inference.networks.heads import PRIOR_BINS, Heads, heads_fresh
from inference.networks.transforms import pixels

_BATCH = 8
_THREADS = 2

Extract = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]


@dataclass(frozen=True)
class PriorRecipe:
    """All settings that decide the prior's weights; the photographs are the other input."""

    seed: int = 7
    crops_per_photo: int = 8
    """Crops of each photograph, each with a random position, scale and look."""
    long_sides: tuple[int, int] = (200, 900)
    """Pixels of a crop's long side: from small web photos to screen size."""
    base_qualities: tuple[int, int] = (60, 95)
    """JPEG qualities of undegraded crops: most photographs have been compressed."""
    singles_per_crop: int = 14
    """Variants of each crop with one degradation, drawn from the 28; 0: all of them."""
    mixtures_per_crop: int = 4
    """Variants of each crop with two degradations at once."""
    means: tuple[float, ...] = (6.4, 5.3, 4.2, 3.2, 2.2)
    """The mean opinion score assigned to each grade."""
    sos: float = 0.22
    """The panel's spread: variance = sos·(x − 1)(10 − x), Hossfeld et al. 2011 (SOS hypothesis)."""
    stage_features: int = 912
    """The quality head uses this number of features: all stages before the last two, and part of the last but one.
    Later features describe the content and not the quality: on held-out photographs, with EfficientNet-Lite0, the SRCC
    with the grade was .894 with the first 608 features, .903 with 912 and .890 with all (see `recipe_for`)."""
    hidden: int = 512
    dropout: float = 0.4
    input_dropout: float = 0.3
    input_noise: float = 0.4
    """Standard deviation of the noise on standardised features, against overfitting to single photographs."""
    epochs: int = 12
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.5
    synsets: tuple[int, ...] = (409, 530, 531, 826, 892)

    def as_card(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def recipe_for(config: LiteConfig, recipe: PriorRecipe | None = None) -> PriorRecipe:
    """Return the recipe with the number of stage features for this backbone.

    It is half as many again as the stages before the last two have: 912 with EfficientNet-Lite0, 984 with -Lite2.
    """
    return replace(recipe or PriorRecipe(), stage_features=3 * sum(config.stage_channels[:-2]))


@dataclass(frozen=True)
class Variant:
    """A crop and its degradations (name, grade), which give its mean opinion score."""

    photo: int
    crop: int
    degradations: tuple[tuple[str, int], ...]

    def mean(self, recipe: PriorRecipe) -> float:
        """Return the mean opinion score: the worse of two faults counts in full, the other one third."""
        losses = sorted((recipe.means[0] - recipe.means[grade] for _, grade in self.degradations), reverse=True)
        loss = losses[0] + sum(losses[1:]) / 3 if losses else 0.0
        return max(1.2, recipe.means[0] - loss)


def variants(photo: int, recipe: PriorRecipe, rng: np.random.Generator) -> Iterator[Variant]:
    """Yield the variants of one photograph: each crop without a degradation, with one, and with two."""
    names = list(DEGRADATIONS)
    for crop in range(recipe.crops_per_photo):
        yield Variant(photo, crop, ())
        singles = [(name, grade) for name in names for grade in range(1, GRADES)]
        drawn = rng.choice(len(singles), size=recipe.singles_per_crop or len(singles), replace=False)
        for index in sorted(drawn):
            yield Variant(photo, crop, (singles[index],))
        for _ in range(recipe.mixtures_per_crop):
            first, second = rng.choice(len(names), size=2, replace=False)
            grades = rng.integers(1, GRADES, size=2)
            yield Variant(photo, crop, ((names[first], int(grades[0])), (names[second], int(grades[1]))))


def degraded(crop: Image.Image, steps: Sequence[tuple[str, int]], rng: np.random.Generator) -> Image.Image:
    """Return the degraded crop; it is compressed as JPEG once for each degradation."""
    data = photo_degrade(crop, "blur", 0, rng)
    for name, grade in steps:
        data = photo_degrade(Image.open(io.BytesIO(data)).convert("RGB"), name, grade, rng)
    return Image.open(io.BytesIO(data)).convert("RGB")


def random_crop(photo: Image.Image, recipe: PriorRecipe, rng: np.random.Generator) -> Image.Image:
    """Return a part of a photograph (0.4 … 1 of its sides), scaled to a random long side, never enlarged."""
    share = rng.uniform(0.4, 1.0)
    width, height = round(photo.width * share), round(photo.height * share)
    left, top = (
        int(rng.integers(0, 1 + whole - part)) for whole, part in ((photo.width, width), (photo.height, height))
    )
    crop = photo.crop((left, top, left + width, top + height))
    side = min(max(crop.size), round(float(np.exp(rng.uniform(*np.log(recipe.long_sides))))))
    crop.thumbnail((side, side), Image.Resampling.LANCZOS)
    return crop


def vary_look(crop: Image.Image, recipe: PriorRecipe, rng: np.random.Generator) -> Image.Image:
    """Return the crop with slightly different colour, contrast, brightness and sharpness, compressed as JPEG.

    One in ten crops becomes grey. None of this counts as a degradation: it shows the model the normal variety of
    photographs.
    """
    for enhance, low, high in (
        (ImageEnhance.Color, 0.5, 1.3),
        (ImageEnhance.Contrast, 0.75, 1.25),
        (ImageEnhance.Brightness, 0.85, 1.15),
    ):
        crop = enhance(crop).enhance(rng.uniform(low, high))
    if rng.random() < 0.3:
        crop = ImageEnhance.Sharpness(crop).enhance(rng.uniform(1.0, 2.0))
    if rng.random() < 0.1:
        crop = crop.convert("L").convert("RGB")
    buffer = io.BytesIO()
    quality = int(rng.integers(*recipe.base_qualities, endpoint=True))
    crop.save(buffer, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2])))
    return Image.open(buffer).convert("RGB")


def panel_distribution(mean: float, *, sos: float, bins: int = PRIOR_BINS) -> NDArray[np.float64]:
    """Return the score distribution [bins] of a panel with this mean on 1 … bins.

    Beta-binomial on bins − 1 trials: its variance is sos·(mean − 1)(bins − mean), as in the SOS hypothesis.
    """
    trials = bins - 1
    p = (mean - 1) / trials
    # variance = trials·p·(1 − p)·(1 + (trials − 1)·rho), which must equal sos·trials²·p·(1 − p)
    rho = (sos * trials - 1) / (trials - 1)
    strength = 1 / rho - 1
    result: NDArray[np.float64] = betabinom.pmf(np.arange(bins), trials, p * strength, (1 - p) * strength)
    return result


def corpus(
    photographs: Sequence[Path],
    recipe: PriorRecipe,
    extract: Extract,
    report: Callable[[int, int], None],
    *,
    side: int,
    whole_photos: bool = False,
) -> tuple[list[Variant], NDArray[np.float32]]:
    """Return every variant of the photographs and its features [N, D]. `report` is called with (photos done, all).

    `side`: pixels of the network's square input. `whole_photos`: whole photographs without variation instead
    of crops, for measuring.
    """

    def work(numbered: tuple[int, Path]) -> tuple[list[Variant], NDArray[np.float32]]:
        number, path = numbered
        rng = np.random.default_rng([recipe.seed, number])
        with Image.open(path) as file:
            photo = file.convert("RGB")
        photo.thumbnail((2600, 2600), Image.Resampling.LANCZOS)
        crops = [
            photo if whole_photos else vary_look(random_crop(photo, recipe, rng), recipe, rng)
            for _ in range(recipe.crops_per_photo)
        ]
        mine = list(variants(number, recipe, rng))
        vectors = [
            extract([variant_pixels(crops[item.crop], item, rng, side) for item in mine[start : start + _BATCH]])
            for start in range(0, len(mine), _BATCH)
        ]
        return mine, np.concatenate(vectors)

    found: list[Variant] = []
    vectors: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, (mine, features) in enumerate(pool.map(work, enumerate(photographs)), start=1):
            found += mine
            vectors.append(features)
            report(done, len(photographs))
    return found, np.concatenate(vectors)


def variant_pixels(crop: Image.Image, variant: Variant, rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """Return the network's input pixels for this variant of the crop, uint8 [side, side, 3]."""
    return pixels(degraded(crop, variant.degradations, rng), side)


def train(found: Sequence[Variant], features: NDArray[np.float32], recipe: PriorRecipe, *, config: LiteConfig) -> Heads:
    """Return heads of this backbone whose quality part learned the variants' distributions.

    The loss is the squared EMD (Hou et al. 2016).
    """
    torch.manual_seed(recipe.seed)
    # Rounded to 16 bits, as the database stores features.
    x = torch.from_numpy(features.astype(np.float16).astype(np.float32))
    y = torch.tensor(
        np.array([panel_distribution(variant.mean(recipe), sos=recipe.sos) for variant in found]), dtype=torch.float32
    )
    heads = heads_fresh(config, bins=PRIOR_BINS, synsets=recipe.synsets, hidden=recipe.hidden)
    heads.feature_mean.copy_(x[:, : heads.config.pooled_stop].mean(0))
    heads.feature_std.copy_(x[:, : heads.config.pooled_stop].std(0).clamp(min=1e-3))
    quality = nn.Sequential(
        nn.Dropout(recipe.input_dropout),
        nn.Linear(recipe.stage_features, recipe.hidden),
        nn.GELU(),
        nn.Dropout(recipe.dropout),
        nn.Linear(recipe.hidden, PRIOR_BINS),
    )
    optimiser = torch.optim.AdamW(quality.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * -(-len(x) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate * 3, total_steps=steps)
    standardised = heads.standardise(x)[:, : recipe.stage_features]
    quality.train()
    for _ in range(recipe.epochs):
        for rows in torch.split(torch.randperm(len(x)), recipe.batch):
            seen = standardised[rows]
            seen = seen + recipe.input_noise * torch.randn_like(seen)
            loss = squared_emd(quality(seen).softmax(1), y[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch gives it no types
            optimiser.step()
            schedule.step()
    _copy_weights(heads, quality, recipe.stage_features)
    return heads.eval()


@torch.no_grad()
def _copy_weights(heads: Heads, quality: nn.Sequential, stage_features: int) -> None:
    """Copy the learned layers into the heads; unused features get weight zero."""
    first, last = heads.quality.get_submodule("0"), heads.quality.get_submodule("3")
    learned_first, learned_last = quality[1], quality[4]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    assert isinstance(learned_first, nn.Linear)
    first.weight.zero_()
    first.weight[:, :stage_features] = learned_first.weight
    first.bias.copy_(learned_first.bias)
    last.load_state_dict(learned_last.state_dict())


def squared_emd(p: Tensor, q: Tensor) -> Tensor:
    """Return the mean squared earth mover's distance (r = 2, without the root) of distributions [N, K]."""
    return (p.cumsum(1) - q.cumsum(1)).square().mean()


def measure(found: Sequence[Variant], mean_scores: NDArray[np.float64]) -> dict[str, Any]:
    """Return how well predicted means follow the grades, on photographs the heads have not seen.

    The figures are: for each degradation, the SRCC of grade and score over all variants of all photographs; the
    share of pairs of the same crop, two or more grades apart, that are in the right order; the mean score of
    undegraded crops.
    """
    figures: dict[str, Any] = {"n": len(found)}
    single = [(index, variant) for index, variant in enumerate(found) if len(variant.degradations) <= 1]
    right = total = 0
    for name in DEGRADATIONS:
        rows = [
            (index, variant.photo, variant.crop, variant.degradations[0][1] if variant.degradations else 0)
            for index, variant in single
            if not variant.degradations or variant.degradations[0][0] == name
        ]
        grades = np.array([row[3] for row in rows])
        scores = mean_scores[[row[0] for row in rows]]
        figures[f"srcc {name}"] = round(float(-srcc(grades, scores)), 4)
        by_crop: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for row, score in zip(rows, scores, strict=True):
            by_crop.setdefault((row[1], row[2]), []).append((row[3], float(score)))
        for members in by_crop.values():
            for grade, score in members:
                for worse_grade, worse_score in members:
                    if worse_grade >= grade + 2:
                        total += 1
                        right += worse_score < score
    untouched = mean_scores[[index for index, variant in single if not variant.degradations]]
    figures["srcc mean"] = round(float(np.mean([figures[f"srcc {name}"] for name in DEGRADATIONS])), 4)
    figures["pairs in order"] = round(right / total, 5)
    figures["untouched mean"] = round(float(untouched.mean()), 3)
    figures["untouched 5 % … 95 %"] = [round(float(value), 2) for value in np.quantile(untouched, [0.05, 0.95])]
    return figures
