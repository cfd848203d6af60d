"""Near-duplicates: which copies of photos are found, and how many different photos are taken for copies.

Copies of photos are mirrored, cropped, resized, compressed and coloured. Half of the photos (by theme, if `photos.csv`
has a column `group`) would choose the limits of the cosine; the shares are those of the other half. Two photos of one
theme are no false pair. The rivals are the hash alone, as it was used first; the hash and that of the mirrored picture;
and the features alone.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from annotation.photos.decoding import THUMBNAIL_SIDE, perceptual_hash, photo_open
from annotation.photos.near_duplicates import NEAR, Limits, Photos, duplicate_links, hash_distances, unit_rows
from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._photos import BATCH, THREADS, networks, photo_files
from inference.networks.config import EFFICIENTNET_LITE0
from inference.scoring.predictor import Backbone

PHOTOS, COPIED = 800, 160
#: The limits in use (`inference.services.near_duplicates.LIMITS`, which needs Django).
LIMITS = Limits(0.8, 0.5)
FALSE_PER_MILLION = 4.0
LARGE = 20_000

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def cropped(share: float) -> Change:
    """Return a function that cuts out a part of the picture with this share of its area, somewhere."""

    def change(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = (round(side * share**0.5) for side in picture.size)
        left, top = rng.integers(0, picture.width - width + 1), rng.integers(0, picture.height - height + 1)
        return picture.crop((left, top, left + width, top + height))

    return change


def compressed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the picture after JPEG compression of quality 20."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


def warmer(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the picture with 15 % more red and 20 % less blue."""
    bands = zip(picture.split(), (1.15, 1.0, 0.8), strict=True)
    return Image.merge("RGB", [band.point([min(255, int(v * gain)) for v in range(256)]) for band, gain in bands])


#: The kinds of each claim, with the share that must be found.
KINDS: dict[str, tuple[float, dict[str, Change]]] = {
    "mirrored": (0.98, {"mirrored": lambda picture, rng: ImageOps.mirror(picture)}),
    "cropped": (0.93, {f"{share:.0%} of the area": cropped(share) for share in (0.95, 0.9, 0.8, 0.7, 0.6)}),
    "mirrored and cropped": (
        0.93,
        {
            f"{share:.0%} of the area": lambda picture, rng, share=share: ImageOps.mirror(cropped(share)(picture, rng))
            for share in (0.9, 0.7)
        },
    ),
    "resized, compressed or coloured": (
        0.98,
        {
            "half size": lambda picture, rng: picture.resize((picture.width // 2, picture.height // 2)),
            "JPEG quality 20": compressed,
            "30 % brighter": lambda picture, rng: ImageEnhance.Brightness(picture).enhance(1.3),
            "grey": lambda picture, rng: ImageOps.grayscale(picture).convert("RGB"),
            "warmer": warmer,
        },
    ),
}


class Seen(NamedTuple):
    """Pictures as the search sees them: hashes [N] and pooled features [N, P]."""

    hashes: NDArray[np.int64]
    pooled: NDArray[np.float32]

    def of(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Seen":
        """Return some of the pictures."""
        return Seen(self.hashes[chosen], self.pooled[chosen])


class Rival(NamedTuple):
    """A way to tell copies: which distance and cosine it reads, and its limit of the cosine."""

    name: str
    found: Callable[[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]], NDArray[np.bool_]]
    """From the different bits, those with the mirrored picture too, and the cosine."""


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure the copies found of each kind, the false pairs, and the time of a large campaign."""
    with tempfile.TemporaryDirectory() as name:
        files = photo_files(setting, Path(name), 12 if setting.tiny else PHOTOS)
        groups = groups_of(files)
        _, network = networks(Path(name))
        seen = seen_of(network, [photo_open(path) for path in files])
        rng = np.random.default_rng(0)
        copied = np.sort(rng.choice(len(files), min(COPIED, len(files)), replace=False))
        copies = {
            (claim, kind): seen_of(network, [change(photo_open(files[place]), rng) for place in copied])
            for claim, (_, changes) in KINDS.items()
            for kind, change in changes.items()
        }
    halves = dict(zip(np.unique(groups), rng.permutation(len(np.unique(groups))) % 2, strict=True))
    reported = np.array([halves[group] == 1 for group in groups])
    centre = seen.pooled.mean(axis=0)
    chosen = limit_of(seen.of(~reported), groups[~reported], centre)
    rivals = [
        Rival("hash alone", lambda bits, either, cosine: bits <= NEAR),
        Rival("hash, mirrored too", lambda bits, either, cosine: either <= NEAR),
        *(
            Rival(f"cosine {limit}", lambda bits, either, cosine, limit=limit: cosine >= limit)
            for limit in (0.75, LIMITS.cosine, 0.85)
        ),
        Rival("both", _both),
    ]
    for claim, (target, changes) in KINDS.items():
        shares = {rival.name: [] for rival in rivals}
        for kind in changes:
            own, of = copies[claim, kind], seen.of(copied)
            kept = reported[copied]
            compared = _distances(own.of(kept), of.of(kept), centre)
            for rival in rivals:
                shares[rival.name].append(float(rival.found(*(one.diagonal() for one in compared)).mean()))
        means = {rival: float(np.mean(values)) for rival, values in shares.items()}
        parts = ", ".join(f"{kind} {value:.0%}" for kind, value in zip(changes, shares["both"], strict=True))
        others = ", ".join(f"{rival} {value:.0%}" for rival, value in means.items() if rival != "both")
        yield Claim(
            claim=f"Copies that are {claim}: {means['both']:.1%} found (n = {int(kept.sum())} photos; {parts})",
            value=means["both"],
            unit="of the copies found",
            baseline=others,
            target=target,
        )
    yield _false_pairs(seen.of(reported), groups[reported], centre, rivals, chosen)
    yield _large(200 if setting.tiny else LARGE)


def _both(bits: NDArray[np.uint8], either: NDArray[np.uint8], cosine: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (cosine >= LIMITS.cosine) | ((either <= NEAR) & (cosine >= LIMITS.cosine_with_hash))


def groups_of(files: list[Path]) -> NDArray[np.str_]:
    """Return the theme of each photo from `photos.csv` beside the folder; a photo without one is its own theme."""
    table = files[0].parent.parent / "photos.csv"
    themes = {}
    if table.is_file():
        with table.open(newline="") as rows:
            themes = {row["file"]: row.get("group") for row in csv.DictReader(rows)}
    return np.array([themes.get(path.name) or path.name for path in files])


def seen_of(network: Backbone, pictures: list[Image.Image]) -> Seen:
    """Return the hashes and pooled features of pictures."""
    with ThreadPoolExecutor(THREADS) as pool:
        hashes = list(pool.map(_hash, pictures))
        pixels = list(pool.map(network.prepare, pictures))
    features = np.concatenate([network.features(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)])
    config = EFFICIENTNET_LITE0
    return Seen(np.array(hashes, dtype=np.int64), features[:, config.pooled_start : config.pooled_stop])


def _hash(picture: Image.Image) -> int:
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return perceptual_hash(small)


def _distances(
    own: Seen, others: Seen, centre: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Return the different bits [N, M], those with the mirrored picture too, and the cosines."""
    bits = np.bitwise_count(own.hashes.view(np.uint64)[:, None] ^ others.hashes.view(np.uint64)[None])
    either, _ = hash_distances(own.hashes, others.hashes)
    return bits, either, unit_rows(own.pooled, centre) @ unit_rows(others.pooled, centre).T


def limit_of(seen: Seen, groups: NDArray[np.str_], centre: NDArray[np.float32]) -> float:
    """Return the lowest limit of the cosine with at most `FALSE_PER_MILLION` false pairs in a million."""
    cosines = _different(_distances(seen, seen, centre)[2], groups)
    ordered = np.sort(cosines)[::-1]
    return float(ordered[int(FALSE_PER_MILLION * len(ordered) / 1e6)])


def _different(matrix: NDArray[np.generic], groups: NDArray[np.str_]) -> NDArray[np.generic]:
    """Return the values of the pairs of two themes."""
    first, second = np.triu_indices(len(groups), 1)
    return matrix[first, second][groups[first] != groups[second]]


def _false_pairs(
    seen: Seen, groups: NDArray[np.str_], centre: NDArray[np.float32], rivals: list[Rival], chosen: float
) -> Claim:
    compared = [_different(matrix, groups) for matrix in _distances(seen, seen, centre)]
    counts = {rival.name: int(rival.found(*compared).sum()) for rival in rivals}  # type: ignore[arg-type]
    pairs = len(compared[0])
    return Claim(
        claim=f"Pairs of different photos taken for copies: {counts['both']} of {pairs:,}. The other half of the "
        f"photos would choose the limit {chosen:.2f} for the cosine; it is {LIMITS.cosine}",
        value=pairs / max(counts["both"], 1) / 1000,
        unit="thousand pairs of different photos for each such pair",
        baseline=", ".join(f"{name}: {count} pairs" for name, count in counts.items() if name != "both"),
        target=0.0 if pairs < 100_000 else 100.0,
    )


def _large(count: int) -> Claim:
    """Compare a large campaign with itself; the baseline computes only the cosines."""
    rng = np.random.default_rng(0)
    features = unit_rows(rng.exponential(size=(count, EFFICIENTNET_LITE0.pooled_size)).astype(np.float32) - 1)
    photos = Photos(np.arange(count), rng.integers(-(2**63), 2**63, count), features)

    def cosines_only() -> None:
        for start in range(0, count, 1024):
            features[start : start + 1024] @ features.T

    ours = seconds_of(lambda: sum(1 for _ in duplicate_links(photos, photos, LIMITS)))
    plain = seconds_of(cosines_only)
    return Claim(
        claim=f"All pairs of {count:,} photos compared in {ours:.0f} s, in blocks of 1,024 rows",
        value=plain / ours,
        unit="times as fast",
        baseline=f"the matrix products of the cosines alone: {plain:.0f} s",
        target=0.2,
    )
