"""The card of a model version: what it learned from, how good it is, and how to use it, as JSON values."""

import json
from collections.abc import Callable
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_noop

from annotation.models import synset_name
from inference.models import ModelVersion
from inference.networks.config import LiteConfig, WeightsMissing
from inference.selectors import backbone_of, class_limits, deployed_threshold
from inference.serving import runtime
from training.evaluation.measured import measured
from training.evaluation.stored_words import NEUTRAL_PRIOR, SHIPPED_PRIOR
from training.learning.registry import RECIPES
from training.models import Evaluation
from training.selectors.lineage import Lineage, answer_dates, lineage_of
from training.selectors.versions import changed_since, newest_evaluations

FORMAT_VERSION = 1
#: The figures that the card names.
FIGURES = ("quality_srcc", "quality_rmse", "quality_rps", "class_f1", "watch_f1", "watch_roc_auc", "watch_brier")
_APACHE = "Apache-2.0 (Google, EfficientNet-Lite)"


def version_card(
    version: ModelVersion, lineage: Lineage | None = None, *, changed: Callable[[Evaluation], str] = changed_since
) -> dict[str, Any]:
    """Return the card (at most seven queries). The campaign must be loaded with the version.

    `lineage`: that of the version, if the caller has it. changed: says how votes and settings have changed since an
    evaluation; the default counts all votes on the holdout.
    """
    campaign, lineage = version.campaign, lineage or lineage_of(version)
    predicted_reject_at, predicted_pending_at = class_limits(campaign, version)
    bins, lowest = version.bins or campaign.bins, version.recipe.get("scale_min", campaign.scale_min)
    return {
        "format_version": FORMAT_VERSION,
        "name": f"{campaign.slug}-v{version.number}",
        "campaign": campaign.name,
        "version": version.number,
        "made": version.created_at.date().isoformat(),
        "is_champion": version.is_champion,
        "note": version.note,
        "scale": {
            "lowest": lowest,
            "highest": lowest + bins - 1,
            "reject_at": campaign.reject_at,
            "pending_at": campaign.pending_at,
            "predicted_reject_at": predicted_reject_at,
            "predicted_pending_at": predicted_pending_at,
        },
        "watch": {
            "threshold": deployed_threshold(version),
            "classes": {str(synset): synset_name(synset) for synset in version.synsets},
        },
        "backbone": _backbone(version),
        "learned_from": _learned_from(version, lineage),
        "lineage": _lineage(lineage),
        "recipe": version.recipe,
        "holdout": _holdout(version, changed),
        "checksum_of_heads": version.checksum,
    }


def _backbone(version: ModelVersion) -> dict[str, Any]:
    name = backbone_of(version.backbone)
    card: dict[str, Any] = {
        "name": name or version.backbone,
        "key": version.backbone,
        "precision": "int8" if "-int8-" in version.backbone else "fp32",
        "licence": gettext_noop("unknown: ask who made the weight file"),
    }
    try:
        config = runtime.backbone_chosen(name)
    except WeightsMissing:
        return card
    own = config.is_own
    licence = _APACHE if own and isinstance(config, LiteConfig) else card["licence"]
    if own and not isinstance(config, LiteConfig):
        licence = gettext_noop(
            "that of torchvision's weights for this network (most: BSD-3-Clause, trained on ImageNet)"
        )
    return {**card, "input_side": config.input_size, "interpolation": config.interpolation, "licence": licence}


def _learned_from(version: ModelVersion, lineage: Lineage) -> dict[str, Any]:
    if lineage.is_prior:
        return {"about": _prior_data(version)}
    figures = version.figures
    learned: dict[str, Any] = {
        "photos": figures.get("images"),
        "votes": figures.get("votes"),
        "watch_labels": (figures.get("watch") or {}).get("labels"),
        "recipe": getattr(RECIPES.get(_recipe_name(figures)), "label", ""),
        "data_fingerprint": version.data_fingerprint,
    }
    if lineage.run is not None:
        learned["answers"] = lineage.run.annotation_count
        dates = answer_dates(lineage.run)
        learned |= {"first_answer": dates[0], "last_answer": dates[1]} if dates else {}
    return learned


def _recipe_name(figures: dict[str, Any]) -> str:
    return str((figures.get("comparison") or {}).get("chosen") or figures.get("recipe", ""))


def _prior_data(version: ModelVersion) -> str:
    """Return what the shipped prior learned from: nobody's answers."""
    if version.recipe.get("neutral"):
        return NEUTRAL_PRIOR
    try:
        folder = runtime.backbone_chosen(backbone_of(version.backbone)).prior_folder
        about = json.loads((folder / "card.json").read_text())["data"]["about"] if folder else ""
    except (WeightsMissing, OSError, ValueError, KeyError, TypeError):
        about = ""
    return (SHIPPED_PRIOR % {"about_sentence": about}).strip()


def _lineage(lineage: Lineage) -> dict[str, Any]:
    return {
        "parent": lineage.parent.number if lineage.parent else None,
        "run": lineage.run.number if lineage.run else None,
        "seed": lineage.run.seed if lineage.run else None,
        "compared_with": lineage.against.number if lineage.against else None,
        "became_champion": [promotion.created_at.date().isoformat() for promotion in lineage.promotions],
    }


def _holdout(version: ModelVersion, changed: Callable[[Evaluation], str]) -> dict[str, Any] | None:
    evaluation = newest_evaluations([version]).get(version.pk)
    if evaluation is None:
        return None
    with translation.override(None):  # cards are files for other programs, in English
        changed_words = changed(evaluation)
    figures = [
        {
            "name": one.metric.name,
            "label": one.metric.label,
            "explanation": one.metric.explanation,
            "unit": one.metric.unit,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "groups": one.groups,
            "text": f"{one.text} ({one.interval})",
        }
        for one in measured(evaluation.metrics)
        if one.metric.name in FIGURES and one.known
    ]
    return {
        "measured": evaluation.created_at.date().isoformat(),
        "photos": evaluation.image_count,
        "votes": evaluation.vote_count,
        "changed_since": changed_words,
        "figures": figures,
    }
