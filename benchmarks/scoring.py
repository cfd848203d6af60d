"""Files to a table of judgements: against the notebook, the desktop program, and decoding alone.

(a) The notebook's way: one pass over the files with ResNet50, another with InceptionResNetV2, eager PyTorch, one
photo at a time, 224 × 224. (b) The desktop program's way: InceptionV3, eager, 16 photos at a time, 299 × 299.
(c) Decoding alone, at full size, by as many threads. All with random weights where ours are not at stake: a
network's speed does not depend on them. Each has the same number of threads. Ours runs as it comes (fp32), and
once more with an int8 file of the backbone, made here from every other photo, whose loss is part of the claim.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import django
import numpy as np
import torch
from django.core.management import call_command
from django.test import override_settings
from PIL import Image

from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._photos import THREADS, camera_photos, photo_files
from inference.networks.torchvision_import import torchvision

Way = Callable[[Sequence[Path]], object]
# Megapixels of generated photos → share of decoding alone that the whole way must reach.
LARGE = {2: 0.60, 12: 0.85}


def measure(setting: Setting) -> Iterator[Claim]:
    """Score the same files in every way, after each has been warmed up."""
    django.setup()
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photo_files(setting, folder, 4 if setting.tiny else 450)
        ours, ours_with_distortions = _judged(distortions=False), _judged(distortions=True)
        a_rate = _rate(_notebook(setting.tiny), files[: 2 if setting.tiny else 24])
        b_rate = _rate(_desktop(setting.tiny), files[: 2 if setting.tiny else 64])
        rate = _rate(ours, files)
        notebook = f"ResNet50, then InceptionResNetV2, eager, one photo at a time: {a_rate:.1f} photos per second"
        yield Claim(
            claim=f"Scoring files, {rate:.0f} photos per second with {THREADS} threads",
            value=rate / a_rate,
            unit="times as many photos per second",
            baseline=notebook,
            target=40.0,
        )
        yield Claim(
            claim=f"Scoring files, {rate:.0f} photos per second with {THREADS} threads",
            value=rate / b_rate,
            unit="times as many photos per second",
            baseline=f"InceptionV3, eager, 16 photos at a time: {b_rate:.1f} photos per second",
            target=15.0,
        )
        full_rate = _rate(ours_with_distortions, files)
        yield Claim(
            claim=f"Scoring files with the four distortions, {full_rate:.0f} photos per second",
            value=full_rate / a_rate,
            unit="times as many photos per second",
            baseline=notebook,
            target=15.0,
        )
        large = {
            megapixels: camera_photos(
                folder, 0.2 if setting.tiny else megapixels, 2 if setting.tiny else 96 // megapixels
            )
            for megapixels in LARGE
        }
        decoding = {megapixels: _rate(_decoded, photos) for megapixels, photos in large.items()}
        yield from _large_claims(ours, large, decoding, "")
        with _int8(files, folder) as (loss, quantised):
            rate = _rate(quantised, files)
            for speed, baseline, target in (
                (a_rate, notebook, 40.0),
                (b_rate, f"InceptionV3, eager, 16 photos at a time: {b_rate:.1f} photos per second", 15.0),
            ):
                yield Claim(
                    claim=f"Scoring files with an int8 backbone, {rate:.0f} photos per second ({loss})",
                    value=rate / speed,
                    unit="times as many photos per second",
                    baseline=baseline,
                    target=target,
                )
            yield from _large_claims(quantised, large, decoding, " with an int8 backbone")


def _large_claims(
    way: Way, large: dict[int, list[Path]], decoding: dict[int, float], with_what: str
) -> Iterator[Claim]:
    for megapixels, photos in large.items():
        rate = _rate(way, photos)
        yield Claim(
            claim=f"Scoring photos of {megapixels} megapixels{with_what}, {rate:.1f} per second",
            value=rate / decoding[megapixels],
            unit="times as many photos per second",
            baseline=f"decoding them at full size and doing nothing else: {decoding[megapixels]:.1f} per second",
            target=LARGE[megapixels],
        )


@contextmanager
def _int8(files: Sequence[Path], folder: Path) -> Iterator[tuple[str, Way]]:
    """Make an int8 file of the backbone from every other file, in a folder of its own; give its loss and our way."""
    models, photos = folder / "models", folder / "calibration"
    photos.mkdir()
    for file in files[::2] if len(files) > 32 else photo_files(Setting(), folder, 32):
        (photos / file.name).symlink_to(file.resolve())
    with override_settings(MODELS_ROOT=models):
        said = io.StringIO()
        call_command("quantise_backbone", photos, stdout=said)
        card = dict(line.split(": ", 1) for line in said.getvalue().splitlines() if ": " in line)
        loss = (
            f"watch probability off by {float(card['watch_shift_mean']):.3f}, quality mean by "
            f"{float(card['quality_shift_mean']):.2f}, on {card['photos']} photos"
        )
        with override_settings(IQS_PRECISION="int8"):
            yield loss, _judged(distortions=False)


def _rate(way: Way, files: Sequence[Path]) -> float:
    """Return photos per second, the best of two runs."""
    way(files[:4])
    return len(files) / seconds_of(lambda: way(files), times=2)


def _judged(*, distortions: bool) -> Way:
    """Return our way, to the last cell of the table."""
    from inference.judging import judge_load
    from inference.scoring.rows import Rules

    rules = Rules(synsets=(409, 530, 531, 826, 892))
    judge = judge_load(rules, distortions=distortions, threads=THREADS)

    def way(files: Sequence[Path]) -> None:
        table = csv.writer(io.StringIO())
        for rows in judge.rows(files, name=str, source=lambda file: file):
            table.writerows(row.cells(rules).values() for row in rows)

    return way


def _notebook(tiny: bool) -> Way:
    """Return (a); in tiny runs with one small network in place of both."""
    import timm  # it imports torchvision itself, which has to be made importable first

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
    """Return (b); in tiny runs with a small network."""
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
    """(c)"""

    def decode(file: Path) -> None:
        with Image.open(file) as picture:
            picture.load()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(decode, files))
