"""Networks that training runs make: the photos they learn from, their files, and how a campaign changes to one.

It loads torch, so only the training process imports it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from safetensors.torch import save_file

from annotation.files.whole_file import whole_file, whole_path
from annotation.models import Campaign, Image
from annotation.photos.site_sandbox import site_sandbox
from annotation.photos.storage import photo_file_source
from annotation.services.campaigns import campaign_update
from inference.models import ModelVersion
from inference.networks.backbone_base import StagedBackbone
from inference.networks.checkpoint import heads_save
from inference.networks.config import NETWORK_FILE, base_name, name_of_run, run_folder
from inference.networks.heads import Heads
from inference.scoring.photo_pixels import photos_pixels
from inference.selectors import backbone_of
from inference.serving import runtime
from training.evaluation.promotion_rule import Verdict
from training.evaluation.stored_words import NETWORK_CHANGES, OWN_NETWORK
from training.learning.photo_pixels import Compute, PhotoPixels
from training.models import TrainingRun

# Called with the photos done and the number of all.
PhotosReport = Callable[[int, int], None]


def photo_pixels_make(run: TrainingRun, image_ids: NDArray[np.int64], report: PhotosReport) -> PhotoPixels:
    """Decode photos at the input size of the campaign's backbone; its rows are those that can be opened.

    A row of −1 stands for a photo that cannot be opened. Learning starts from the bundled network, also in a campaign
    that uses one of an earlier run: that one has learned from these votes already. A later attempt uses the same file.
    """
    config = runtime.backbone_chosen(base_name(run.campaign.backbone))
    folder = run.checkpoint_folder
    folder.mkdir(parents=True, exist_ok=True)
    file, index = folder / "pixels.npy", folder / "rows.npy"
    rows = _rows_read(index)
    if rows is None or len(rows) != len(image_ids):
        rows = _pixels_write(file, image_ids, config.input_size, config.interpolation, report)
        with whole_file(index) as stream:
            np.save(stream, rows)
    compute = Compute(settings.IQS_THREADS, settings.IQS_TRAINING_PROCESSES, settings.IQS_DEVICE)
    return PhotoPixels(file, rows, config, compute)


def _rows_read(index: Path) -> NDArray[np.int64] | None:
    try:
        rows: NDArray[np.int64] = np.load(index, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return rows


def _pixels_write(
    file: Path, image_ids: NDArray[np.int64], side: int, interpolation: str, report: PhotosReport
) -> NDArray[np.int64]:
    """Write the pixels of the photos to a file, and return the row of each."""
    images = Image.objects.in_bulk([int(one) for one in image_ids])
    rows = np.full(len(image_ids), -1, dtype=np.int64)
    with whole_path(file) as part:
        shape = (len(image_ids), side, side, 3)
        content = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
        found = photos_pixels(
            [images[int(one)] for one in image_ids],
            source=lambda image: photo_file_source(image.photo_name),
            side=side,
            interpolation=interpolation,
            max_pixels=settings.IQS_MAX_PIXELS,
            threads=settings.IQS_THREADS,
            budget=site_sandbox().budget,
        )
        for row, (_image, pixels) in enumerate(found):
            if pixels is not None:
                content[row], rows[row] = pixels, row
            report(row + 1, len(rows))
        content.flush()
        del content
    return rows


def network_store(*, network: StagedBackbone, prior: Heads, run: TrainingRun) -> str:
    """Store a network and the prior for its features; return its name as a backbone."""
    name = name_of_run(base_name(run.campaign.backbone), run.pk)
    folder = run_folder(runtime.weights_folder(), name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in network.network.state_dict().items()}
    prior.config = replace(prior.config, backbone=name)
    with whole_path(folder) as part:
        part.mkdir()
        save_file(state, part / NETWORK_FILE)
        heads_save(part, prior, {"name": f"prior of {name}", "recipe": {"run": run.pk}, "figures": {}})
    return name


def backbone_hand_over(*, version: ModelVersion, campaign: Campaign, verdict: Verdict) -> str:
    """Let the campaign change to the network of a version, if the rule and the campaign say so; return a message."""
    name = backbone_of(version.backbone)
    if not (verdict.promote and campaign.promote_automatically):
        return OWN_NETWORK % {"verdict_sentence": verdict.text, "slug": campaign.slug, "name": name}
    campaign_update(campaign=campaign, backbone=name)
    return NETWORK_CHANGES % {"verdict_sentence": verdict.reason, "name": name}
