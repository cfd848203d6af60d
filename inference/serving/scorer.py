"""Scoring of files without a database, with one backbone and one pair of heads. Loads lazily, as `runtime` does.

The files may come from anybody, so the sandbox decodes them.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from annotation.models import DEFAULT_SYNSETS
from annotation.photos.site_sandbox import site_sandbox
from inference.models import ModelVersion
from inference.networks.config import PRIOR_FOLDER, BackboneConfig
from inference.networks.model_files import ModelFileError, checksum
from inference.scoring.rows import Rules, ScoreRow, score_rows
from inference.serving import runtime
from inference.serving.exported import exported_file

if TYPE_CHECKING:  # web processes import this module through the tasks; only workers load ONNX Runtime
    from inference.scoring.predictor import Backbone, HeadsPredictor

#: Rules for photos that belong to no campaign.
SITE_RULES = Rules(tuple(DEFAULT_SYNSETS))
# Increase it when the export of the same heads gives other numbers or another graph.
_EXPORT_VERSION = 3

T = TypeVar("T")


class PhotoScorer:
    """A backbone with heads: scores photos and returns rows."""

    def __init__(
        self, network: "Backbone", heads: "HeadsPredictor", rules: Rules, *, distortions: bool, threads: int
    ) -> None:
        self.network = network
        self.heads = heads
        self.rules = rules
        self.distortions = distortions
        self.threads = threads

    def rows(
        self,
        items: Iterable[T],
        *,
        name: Callable[[T], str],
        source: Callable[[T], Path | IO[bytes]],
        batch: int | None = None,
    ) -> Iterator[list[ScoreRow]]:
        """Yield batches of rows in the order of the items. The row of a photo that cannot be opened has a reason.

        `batch`: the number of photos in a batch; by default the fastest one.
        """
        import numpy as np

        from inference.scoring.photo_reading import Reader
        from inference.scoring.pipeline import BATCH, photos_extract

        reader = Reader(
            site_sandbox(processes=self.threads),
            side=self.network.side,
            interpolation=self.network.interpolation,
            has_distortions=self.distortions,
            max_pixels=settings.IQS_MAX_PIXELS,
        )

        for results in photos_extract(
            _batches(items, batch or BATCH),
            source=source,
            network=self.network,
            max_pixels=settings.IQS_MAX_PIXELS,
            threads=self.threads,
            reader=reader,
        ):
            vectors = [result.features for _, result in results if result.features is not None]
            scores = self.heads.predict(np.stack(vectors)) if vectors else None
            yield score_rows([name(item) for item, _ in results], [result for _, result in results], scores, self.rules)


_lock = threading.Lock()
_site_scorers: dict[Path, PhotoScorer] = {}


def site_scorer() -> PhotoScorer:
    """Return the scorer for single photos: the shipped prior with SITE_RULES, loaded once per process."""
    key = Path(settings.MODELS_ROOT)
    with _lock:
        if key not in _site_scorers:
            _site_scorers[key] = scorer_load(SITE_RULES)
        return _site_scorers[key]


def version_scorer(version: ModelVersion, rules: Rules) -> PhotoScorer:
    """Return the scorer of a model version; its backbone and heads are loaded once per process.

    Raises WeightsMissing, DeviceMissing, and ModelFileError for missing, deleted or damaged heads, and for heads that
    need other features than the site computes.
    """
    name = version.backbone.rpartition("@")[0]
    if runtime.features_key(name) != version.backbone:
        raise ModelFileError(
            f"Version {version.number} needs features of {version.backbone}, which this site does not compute."
        )
    threads = settings.IQS_THREADS
    network, heads = runtime.backbone(name), runtime.heads(version)
    site_sandbox(processes=threads).start()
    return PhotoScorer(network, heads, rules, distortions=True, threads=threads)


def scorer_load(
    rules: Rules,
    *,
    heads: Path | None = None,
    backbone: str | None = None,
    watch_only: bool = False,
    distortions: bool = True,
    threads: int | None = None,
    report: Callable[[str], None] = lambda sentence: None,
) -> PhotoScorer:
    """Return a scorer with the heads in a checkpoint folder, by default the shipped prior.

    With `watch_only`, `backbone` may be one that the prior was not trained for. The watch probability is then the sum
    of that backbone's synset probabilities, and the quality has no meaning.

    The first call on a machine exports backbone and heads for ONNX Runtime: it loads torch, takes some seconds and
    calls `report` with a message. Later calls do not load torch.

    Raises ModelFileError if the folder has no heads, damaged heads, or heads for another backbone than `backbone`;
    WeightsMissing; DeviceMissing.
    """
    from inference.scoring.predictor import Backbone, HeadsPredictor

    folder: Path | None = heads or PRIOR_FOLDER
    named = str(_card(folder or PRIOR_FOLDER)["heads"]["backbone"])
    if backbone is not None and backbone != named:
        if heads is not None or not watch_only:
            raise ModelFileError(f"The heads in {folder} need features of {named}, not of {backbone}.")
        folder, named = None, backbone
    config = runtime.backbone_chosen(named)
    runtime.precision_settle(config, has_database=False, report=report)
    if not runtime.is_int8(config) and not (runtime.backbones_folder() / f"{config.key()}.onnx").exists():
        report(f"Preparing the backbone {config.name}, once on this machine …")
    network = Backbone(runtime.backbone_served(config), threads=1, device=settings.IQS_DEVICE)
    predictor = HeadsPredictor(_heads_file(folder, config, rules, report), threads=1)
    threads = threads or settings.IQS_THREADS
    site_sandbox(processes=threads).start()
    return PhotoScorer(network, predictor, rules, distortions=distortions, threads=threads)


def thumbnail(path: Path) -> bytes:
    """Return a thumbnail of a photo as WebP, made in the sandbox. Raises PhotoRejected, OSError, SandboxError."""
    from inference.scoring.photo_reading import thumbnail_apart

    return thumbnail_apart(path, site_sandbox(), max_pixels=settings.IQS_MAX_PIXELS)


def _card(folder: Path) -> dict[str, Any]:
    """Return the card of a checkpoint. Raises ModelFileError if it cannot be read or does not match its weights."""
    weights = folder / "heads.safetensors"
    try:
        card: dict[str, Any] = json.loads((folder / "card.json").read_text())
        card["heads"]["backbone"], card["heads"]["bins"]
        found = checksum(weights)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"The heads in {folder} cannot be read (heads.safetensors and card.json): {error}."
        ) from error
    expected = card.get("weights_sha256")
    if expected is not None and found != expected:
        raise ModelFileError(
            f"{weights} does not match its card "
            f"(checksum {found[:12]}…, expected {str(expected)[:12]}…); download it again."
        )
    return {**card, "found": found}


def heads_path(folder: Path | None, config: BackboneConfig, rules: Rules) -> Path:
    """Return the path of the ONNX file of heads, for the scale and synsets of the rules.

    `folder`: a checkpoint; None for neutral heads. The file name contains a digest of everything that the graph
    depends on, including the backbone's weights, because the graph contains their ImageNet classifier. Raises
    ModelFileError as `scorer_load` does.
    """
    card = _card(folder) if folder else {"found": "", "heads": {}}
    inputs = (_EXPORT_VERSION, card["found"], card["heads"], config.key(), rules.bins, rules.synsets)
    digest = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
    return Path(settings.MODELS_ROOT) / "heads" / f"{digest[:20]}.onnx"


def _heads_file(folder: Path | None, config: BackboneConfig, rules: Rules, report: Callable[[str], None]) -> Path:
    """Return the ONNX file of heads; export it if it is missing or damaged. One process exports; the others wait."""
    path = heads_path(folder, config, rules)

    def export() -> None:
        report("Preparing the heads for this scale and these synsets, once on this machine …")
        from inference.networks.checkpoint import CheckpointError, heads_load, prior_for
        from inference.networks.export import heads_to_onnx

        try:
            if folder:
                loaded, _ = heads_load(folder, bins=rules.bins, synsets=rules.synsets)
            else:
                loaded, _ = prior_for(config, bins=rules.bins, synsets=rules.synsets)
        except CheckpointError as error:
            raise ModelFileError(str(error)) from error
        heads_to_onnx(loaded, path)

    return exported_file(path, export)


def _batches(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
