"""Whether the model files are there and undamaged, in sentences for pages. Loads no network.

Pages call these functions at each request. A file is read again only when its time or its size has changed, unless
`again` is set.
"""

import json
import os
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from annotation.models import Campaign
from inference.models import ModelVersion
from inference.networks.config import PRIOR_FOLDERS, WeightsMissing
from inference.networks.model_files import ModelFileError, checksum, checksum_verify
from inference.scoring.int8 import int8_verified
from inference.serving import runtime

_REINSTALL = "Install this version of IQS again."


def version_problem(version: ModelVersion, *, again: bool = False) -> str:
    """Return why a version cannot predict, as a sentence; "" if it can."""
    if version.files_deleted_at is not None:
        return version.deletion_text
    try:
        checksum_verify(version.path / "heads.onnx", version.checksum, find=checksum if again else checksum_cached)
    except ModelFileError as error:
        return str(error)
    return ""


def version_weights_problem(version: ModelVersion, *, again: bool = False) -> str:
    """Return what is wrong with the files of a version that prediction does not need, as a sentence; "" if nothing is.

    They are needed to export `heads.onnx` again, and to use the version outside IQS. Deleted files are not wrong.
    """
    if version.files_deleted_at is not None:
        return ""
    return _checkpoint_problem(version.path, "Restore it from a backup.", again=again)


def backbones_used() -> list[str]:
    """Return the names of the backbones of all campaigns, and that of new ones if there is none (one query)."""
    names = Campaign.objects.order_by("backbone").values_list("backbone", flat=True).distinct()
    return list(names) or [settings.IQS_BACKBONE]


def backbone_problem(name: str, *, again: bool = False) -> str:
    """Return why photos cannot be processed by this backbone, as a sentence; "" if they can."""
    try:
        config = runtime.backbone_chosen(name)
        runtime.features_key(name)
        if runtime.is_int8(config):
            folder = runtime.backbones_folder()
            int8_verified(folder, config.key(), find=checksum if again else checksum_cached)
    except WeightsMissing as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} cannot be read ({_reason(error)})."
    return ""


def prior_problem(*, again: bool = False) -> str:
    """Return what is wrong with the first damaged one of the shipped priors, as a sentence; "" if nothing is."""
    problems = (_checkpoint_problem(folder, _REINSTALL, again=again) for folder in PRIOR_FOLDERS.values())
    return next((problem for problem in problems if problem), "")


def site_problems() -> list[str]:
    """Return what is wrong with the files that campaigns share, and what follows, as sentences (one query)."""
    backbones, prior = filter(None, map(backbone_problem, backbones_used())), prior_problem()
    return [
        *(f"New photos are not processed. {backbone}" for backbone in backbones),
        *([f"New campaigns get no model, and single photos are not scored. {prior}"] if prior else []),
    ]


def checksum_cached(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; from memory if its time and size have not changed. Raises OSError."""
    found = path.stat()
    return _checksum(path, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=256)
def _checksum(path: Path, _modified: int, _size: int, _inode: int) -> str:
    return checksum(path)


def _checkpoint_problem(folder: Path, advice: str, *, again: bool) -> str:
    """Return what is wrong with heads.safetensors and card.json in a folder."""
    card, weights = folder / "card.json", folder / "heads.safetensors"
    try:
        expected = json.loads(card.read_text())["weights_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{card} cannot be read ({_reason(error)}). {advice}"
    try:
        found = checksum(weights) if again else checksum_cached(weights)
    except OSError as error:
        return f"{weights} cannot be read ({_reason(error)}). {advice}"
    return "" if found == expected else f"{weights} is damaged: it does not match its card. {advice}"


def _reason(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it is damaged"
