"""Create, install and promote model versions."""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from annotation.files.whole_file import whole_path
from annotation.models import Campaign
from inference.models import PRIOR_NAME, ModelVersion
from inference.networks.config import is_of_run
from inference.networks.model_files import ModelFileError, checksum, checksum_verify
from inference.selectors import backbone_key, features_are_ready, is_computed, version_misfit
from inference.serving import runtime
from inference.serving.model_check import version_problem

logger = logging.getLogger(__name__)
_attempts: set[tuple[int, str, int]] = set()
_FILES = ("heads.onnx", "heads.safetensors", "card.json")


def version_create(
    *,
    campaign: Campaign,
    source: Path,
    backbone: str,
    recipe: dict[str, Any],
    data_fingerprint: str = "",
    figures: dict[str, Any] | None = None,
    watch_threshold: float | None = None,
    class_spread: tuple[float, float] = (1.0, 0.0),
) -> ModelVersion:
    """Store the files in `source` (heads.onnx, heads.safetensors, card.json) as the campaign's next version.

    watch_threshold: the watch probability above which it decides 'watch'; None: the campaign's. class_spread: stretch
    and shift of its predicted means for the quality class.
    The files are in MODELS_ROOT before the row is committed. Raises FileNotFoundError if one is missing.
    """
    with transaction.atomic():
        # Locked, so that two runs that end at the same time get different numbers.
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        latest = ModelVersion.objects.filter(campaign=campaign).aggregate(latest=Max("number"))["latest"] or 0
        number = latest + 1
        folder = f"{campaign.pk}/v{number}"
        _files_place(source, Path(settings.MODELS_ROOT) / folder)
        return ModelVersion.objects.create(
            campaign=campaign,
            number=number,
            backbone=backbone,
            folder=folder,
            checksum=checksum(Path(settings.MODELS_ROOT) / folder / "heads.onnx"),
            recipe=recipe,
            data_fingerprint=data_fingerprint,
            figures=figures or {},
            watch_threshold=watch_threshold,
            class_stretch=class_spread[0],
            class_shift=class_spread[1],
        )


def _files_place(source: Path, target: Path) -> None:
    """Copy the files of a version to `target`, and replace what an interrupted attempt left there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_path(target) as part:
        part.mkdir()
        for name in _FILES:
            shutil.copyfile(source / name, part / name)
            (part / name).chmod(0o444)  # nobody changes a file of a version by mistake


def version_is_usable(*, version: ModelVersion) -> bool:
    """Return whether the version's `heads.onnx` is undamaged, after an attempt to make a damaged one again.

    For workers: the attempt loads torch. It is made once per process and file.
    """
    problem = version_problem(version)
    if not problem:
        return True
    weights = version.path / "heads.safetensors"
    attempt = (version.pk, problem, weights.stat().st_mtime_ns if weights.exists() else 0)
    if attempt in _attempts:
        return False
    _attempts.add(attempt)
    try:
        _heads_export_again(version)
    except (ModelFileError, OSError) as error:
        logger.error("Campaign %s has no predictions. %s (%s)", version.campaign.slug, problem, error)
        return False
    logger.warning("The damaged %s was exported again from heads.safetensors.", version.path / "heads.onnx")
    return True


def _heads_export_again(version: ModelVersion) -> None:
    """Export heads.onnx from heads.safetensors, and keep it if it is the same file as before, to the last byte.

    Raises ModelFileError or OSError.
    """
    from inference.networks.checkpoint import CheckpointError, heads_load
    from inference.networks.export import heads_to_onnx

    try:
        heads, _card = heads_load(version.path)
    except CheckpointError as error:
        raise ModelFileError(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "heads.onnx"
        heads_to_onnx(heads, made)
        checksum_verify(made, version.checksum)
        with whole_path(version.path / "heads.onnx") as part:
            shutil.copyfile(made, part)


@transaction.atomic
def champion_set(*, version: ModelVersion) -> ModelVersion | None:
    """Make a version the champion of its campaign and return the previous champion.

    Raises ModelFileError if its file is missing, deleted or damaged; the champion then stays.
    """
    runtime.version_files_verify(version)
    Campaign.objects.select_for_update().get(pk=version.campaign_id)
    replaced = (
        ModelVersion.objects.filter(campaign=version.campaign_id, is_champion=True).exclude(pk=version.pk).first()
    )
    if replaced is not None:
        replaced.is_champion = False
        replaced.save(update_fields=["is_champion"])
    version.is_champion = True
    version.save(update_fields=["is_champion"])
    return replaced


def prior_is_outdated(version: ModelVersion, campaign: Campaign) -> bool:
    """Return whether the version is a shipped prior for another scale, other synsets or another backbone.

    After a change of the backbone, the prior goes on until all photos have features of the new one.
    Raises WeightsMissing if the campaign's backbone has no weights.
    """
    recipe = version.recipe
    if recipe.get("name") != PRIOR_NAME:
        return False
    if version_misfit(version, campaign):
        return True
    if version.backbone != backbone_key(campaign.backbone):
        # A network that a run made has a version of its own, which is compared first.
        is_ready = not is_of_run(campaign.backbone) and features_are_ready(campaign)
        return not is_computed(version.backbone) or is_ready
    # Only a neutral prior depends on this setting of the site.
    return bool(recipe.get("neutral") and recipe.get("quality_input") != settings.IQS_QUALITY_INPUT)


def made_for(campaign: Campaign) -> dict[str, Any]:
    """Return the campaign's settings that heads depend on, as they are stored in a version's recipe."""
    return {"bins": campaign.bins, "scale_min": campaign.scale_min, "synsets": list(campaign.synsets)}


def prior_install(*, campaign: Campaign) -> ModelVersion:
    """Install the shipped prior as the campaign's champion if needed, and return the champion.

    A campaign without versions gets version 1. If the prior is champion and the campaign's scale, synsets or
    backbone have changed, a prior for the new settings is installed. Otherwise nothing happens. A backbone
    without a shipped prior gets a neutral one (`prior_for`).

    Loads torch for the export, so only workers and commands may call it.
    Raises WeightsMissing or CheckpointError if shipped files are missing or damaged.
    """
    from inference.networks.checkpoint import heads_load, heads_save, prior_for
    from inference.networks.export import heads_to_onnx

    config = runtime.backbone_chosen(campaign.backbone)
    runtime.precision_settle(config)
    current = ModelVersion.objects.filter(campaign=campaign).order_by("-is_champion", "number").first()
    if current is not None and not prior_is_outdated(current, campaign):
        return current
    heads, card = prior_for(
        config,
        bins=campaign.bins,
        synsets=tuple(campaign.synsets),
        quality_input=settings.IQS_QUALITY_INPUT,
    )
    figures = card.get("figures", {})
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        heads_save(source, heads, {key: value for key, value in card.items() if key != "heads"})
        # Export the stored weights, which are rounded, so that the file can be made again from them.
        stored, _card = heads_load(source)
        heads_to_onnx(stored, source / "heads.onnx")
        with transaction.atomic():
            Campaign.objects.select_for_update().get(pk=campaign.pk)
            newest = ModelVersion.objects.filter(campaign=campaign).order_by("-is_champion", "number").first()
            if newest is not None and newest != current:  # another worker was faster
                return newest
            version = version_create(
                campaign=campaign,
                source=source,
                backbone=backbone_key(campaign.backbone),
                recipe={**card.get("recipe", {}), "name": PRIOR_NAME, **made_for(campaign)},
                figures=figures,
            )
            champion_set(version=version)
    return version
