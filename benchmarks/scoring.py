"""Scoring files into a table, compared with three baselines: a notebook, a desktop program, and decoding only.

(a) The notebook: one pass over the files with ResNet50 and one with InceptionResNetV2, in eager PyTorch, one photo at
a time, 224 × 224. (b) The desktop program: InceptionV3 in eager PyTorch, 16 photos at a time, 299 × 299. (c) Decoding
at full size only. The networks of the baselines have random weights, which do not change their speed. All use the
same number of threads. IQS runs with its defaults, so with the faster of int8 and fp32 on this processor, and once more
with the float network. On processors without VNNI, int8 is not faster, and some ratios are smaller.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django
import numpy as np
import torch
from django.test import override_settings
from PIL import Image

from annotation.photos.decoding import photo_open
from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._machine import machine
from benchmarks._photos import THREADS, camera_photos, photo_files
from inference.networks.config import (
    EFFICIENTNET_LITE0,
    EFFICIENTNET_LITE2,
    BackboneConfig,
    LiteConfig,
    backbone_config,
)
from inference.networks.torchvision_import import torchvision

Way = Callable[[Sequence[Path]], object]
# Megapixels of generated photos → minimum speed of scoring as a share of the speed of decoding only, with VNNI and
# without.
LARGE = {2: (0.60, 0.40), 12: (0.85, 0.85)}

TWO_SIZES = backbone_config("efficientnet_lite2@260+384")
_BATCH = 4


def measure(setting: Setting) -> Iterator[Claim]:
    """Score the same files in every way, each after a warm-up."""
    django.setup()
    from inference.serving import runtime  # it needs the settings

    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photo_files(setting, folder, 4 if setting.tiny else 450)
        ours, ours_with_distortions = _iqs(distortions=False), _iqs(distortions=True)
        a_rate = _rate(_notebook(setting.tiny), files[: 2 if setting.tiny else 24])
        b_rate = _rate(_desktop(setting.tiny), files[: 2 if setting.tiny else 64])
        rate = _rate(ours, files)
        notebook = (
            f"ResNet50, then InceptionResNetV2, in eager PyTorch, one photo at a time: {a_rate:.1f} photos per second"
        )
        yield Claim(
            claim=f"Scoring files with {THREADS} threads: {rate:.0f} photos per second",
            value=rate / a_rate,
            unit="times as many photos per second",
            baseline=notebook,
            target=machine().target(40.0, without_vnni=25.0),
            key="scoring_a",
        )
        yield Claim(
            claim=f"Scoring files with {THREADS} threads: {rate:.0f} photos per second",
            value=rate / b_rate,
            unit="times as many photos per second",
            baseline=f"InceptionV3 in eager PyTorch, 16 photos at a time: {b_rate:.1f} photos per second",
            target=machine().target(15.0, without_vnni=10.0),
            key="scoring_b",
        )
        full_rate = _rate(ours_with_distortions, files)
        yield Claim(
            claim=f"Scoring files with the four distortions: {full_rate:.0f} photos per second",
            value=full_rate / a_rate,
            unit="times as many photos per second",
            baseline=notebook,
            target=machine().target(15.0, without_vnni=10.0),
            key="scoring_distortions",
        )
        large = {
            megapixels: camera_photos(
                folder, 0.2 if setting.tiny else megapixels, 2 if setting.tiny else 96 // megapixels
            )
            for megapixels in LARGE
        }
        decoding = {megapixels: _rate(_decoded, photos) for megapixels, photos in large.items()}
        yield from _large_claims(ours, large, decoding)
        is_int8 = runtime.is_int8(EFFICIENTNET_LITE0)
        sharp_default_rate = _rate(_iqs(distortions=False, backbone=EFFICIENTNET_LITE2), files)
        with override_settings(IQS_PRECISION="fp32"):
            fp32_rate = _rate(_iqs(distortions=False), files)
            before = _megabytes()
            sharp_rate = _rate(_iqs(distortions=False, backbone=EFFICIENTNET_LITE2), files)
            sharp_megabytes = _megabytes() - before
        yield Claim(
            claim=f"Scoring files with the sharp backbone, {EFFICIENTNET_LITE2.name} in fp32: {sharp_rate:.0f} photos "
            f"per second, {sharp_megabytes:.0f} MiB more memory",
            value=sharp_rate / fp32_rate,
            unit="times as many photos per second",
            baseline=f"the fast backbone, {EFFICIENTNET_LITE0.name} in fp32: {fp32_rate:.0f} photos per second",
            target=0.35,
            key="sharp_backbone",
        )
        yield Claim(
            claim="Scoring files with the sharp backbone in "
            f"{'int8' if runtime.is_int8(EFFICIENTNET_LITE2) else 'fp32'}, the faster one on this processor: "
            f"{sharp_default_rate:.0f} photos per second",
            value=sharp_default_rate / sharp_rate,
            unit="times as many photos per second",
            baseline=f"{EFFICIENTNET_LITE2.name} in fp32: {sharp_rate:.0f} photos per second",
            target=machine().target(1.3, without_vnni=0.9),  # without VNNI, both may be the same file
            key="sharp_int8",
        )
        yield from _two_sizes(files[: len(files) // 2])
        yield Claim(
            claim=f"Scoring files with the {'int8' if is_int8 else 'fp32'} backbone, the faster one on this processor "
            f"({_int8_error()}): {rate:.0f} photos per second",
            value=rate / fp32_rate,
            unit="times as many photos per second",
            baseline=f"IQS_PRECISION=fp32: {fp32_rate:.0f} photos per second, {fp32_rate / a_rate:.1f} times as many "
            f"as ResNet50 with InceptionResNetV2 and {fp32_rate / b_rate:.1f} times as many as InceptionV3",
            target=machine().target(1.3, without_vnni=0.9),  # without VNNI, both may be the same file
            key="int8",
        )


def _two_sizes(files: Sequence[Path]) -> Iterator[Claim]:
    """Compare the backbone of two sizes with that of one size: files are read and features computed."""
    from inference.serving import runtime

    def rate_of(config: BackboneConfig) -> tuple[str, float]:
        runtime.precision_settle(config, has_database=False)
        return "int8" if runtime.is_int8(config) else "fp32", _rate(_features(config), files)

    named, rate = rate_of(TWO_SIZES)
    sharp_named, sharp_rate = rate_of(EFFICIENTNET_LITE2)
    with override_settings(IQS_PRECISION="fp32"):
        _, fp32_rate = rate_of(TWO_SIZES)
    claim = (
        f"Features of files with the sharpest backbone, {TWO_SIZES.name} in {named}, the faster one on this processor: "
        f"{rate:.0f} photos per second"
    )
    yield Claim(
        claim=claim,
        value=rate / sharp_rate,
        unit="times as many photos per second",
        baseline=f"the sharp one, {EFFICIENTNET_LITE2.name} in {sharp_named}: {sharp_rate:.0f} photos per second",
        target=0.28,
        key="sharpest_backbone",
    )
    yield Claim(
        claim=claim,
        value=rate / fp32_rate,
        unit="times as many photos per second",
        baseline=f"{TWO_SIZES.name} in fp32: {fp32_rate:.0f} photos per second",
        target=machine().target(1.3, without_vnni=0.9),  # without VNNI, both may be the same file
        key="sharpest_int8",
    )


def _features(config: BackboneConfig) -> Way:
    """Return a function that reads files and computes their features."""
    from inference.scoring.predictor import Backbone
    from inference.serving import runtime

    network = Backbone(runtime.backbone_served(config), threads=THREADS, device="cpu")

    def way(files: Sequence[Path]) -> None:
        for start in range(0, len(files), _BATCH):
            opened = (photo_open(file, at_least=network.side) for file in files[start : start + _BATCH])
            network.features([network.prepare(picture) for picture in opened])

    return way


def _large_claims(way: Way, large: dict[int, list[Path]], decoding: dict[int, float]) -> Iterator[Claim]:
    for megapixels, photos in large.items():
        rate = _rate(way, photos)
        yield Claim(
            claim=f"Scoring photos of {megapixels} megapixels: {rate:.1f} photos per second",
            value=rate / decoding[megapixels],
            unit="times as many photos per second",
            baseline=f"decoding them at full size, without scoring: {decoding[megapixels]:.1f} photos per second",
            target=machine().target(*LARGE[megapixels]),
            key=f"scoring_{megapixels}_megapixels",
        )


def _int8_error() -> str:
    """Return the differences between the int8 file and the float network, from the file's card."""
    from inference.scoring.int8 import int8_card
    from inference.serving import runtime

    card = int8_card(runtime.backbones_folder(), EFFICIENTNET_LITE0.key())
    return (
        f"int8: mean error of the watch probability {card.watch_shift_mean:.3f}, of the quality mean "
        f"{card.quality_shift_mean:.2f}, on {card.photos:,} photos that were not used for calibration"
    )


def _rate(way: Way, files: Sequence[Path]) -> float:
    """Return the photos per second of the fastest of three runs."""
    way(files[:4])
    return len(files) / seconds_of(lambda: way(files), times=3)


def _megabytes() -> float:
    """Return the memory of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _iqs(*, distortions: bool, backbone: LiteConfig = EFFICIENTNET_LITE0) -> Way:
    """Return a function that scores files with IQS and writes every cell of the table."""
    from inference.scoring.rows import Rules
    from inference.serving.scorer import scorer_load

    rules = Rules(synsets=(409, 530, 531, 826, 892))
    scorer = scorer_load(rules, heads=backbone.prior_folder, distortions=distortions, threads=THREADS)

    def way(files: Sequence[Path]) -> None:
        table = csv.writer(io.StringIO())
        for rows in scorer.rows(files, name=str, source=lambda file: file):
            table.writerows(row.cells(rules).values() for row in rows)

    return way


def _notebook(tiny: bool) -> Way:
    """Return baseline (a); tiny runs use one small network instead of both."""
    import timm  # it imports torchvision, which `torchvision_import` has to load first

    models = (
        [torchvision.models.squeezenet1_1()]
        if tiny
        else [torchvision.models.resnet50(), timm.create_model("inception_resnet_v2", pretrained=False)]
    )

    @torch.inference_mode()
    def way(files: Sequence[Path]) -> None:
        for model in models:
            model.eval()
            for file in files:
                model(_tensor(file, 224)[None]).softmax(1).sum()

    return way


def _desktop(tiny: bool) -> Way:
    """Return baseline (b); tiny runs use a small network."""
    model = torchvision.models.squeezenet1_1() if tiny else torchvision.models.inception_v3(init_weights=False)
    model.eval()

    @torch.inference_mode()
    def way(files: Sequence[Path]) -> None:
        for start in range(0, len(files), 16):
            model(torch.stack([_tensor(file, 299) for file in files[start : start + 16]])).softmax(1)

    return way


def _tensor(file: Path, side: int) -> torch.Tensor:
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB").resize((side, side)), dtype=np.float32)
    return torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)


def _decoded(files: Sequence[Path]) -> None:
    """Decode all files: baseline (c)."""

    def decode(file: Path) -> None:
        with Image.open(file) as picture:
            picture.load()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(decode, files))
