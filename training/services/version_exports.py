"""Exports of model versions for other programs: a zip with one ONNX file, its card, and example programs.

A worker makes the zip, because the ONNX file of a backbone may have to be made with torch first.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext
from numpy.typing import NDArray

from annotation.files.whole_file import whole_path
from annotation.measures.distribution import mean_score
from annotation.models import HAS_ORIGINAL, User
from annotation.photos.decoding import PhotoRejected, photo_open
from annotation.photos.storage import photo_file_source
from inference import networks
from inference.models import ModelVersion, Prediction
from inference.networks.config import WeightsMissing
from inference.networks.model_files import ModelFileError, checksum
from inference.scoring.decode import QUALITY_CLASSES
from inference.scoring.int8 import int8_key, int8_verified
from inference.selectors import backbone_of
from inference.serving import runtime
from training.evaluation.version_card import card_markdown
from training.models import VersionExport
from training.selectors.version_cards import version_card
from training.services.version_work import Report, WorkImpossible, work_perform, work_request

if TYPE_CHECKING:  # web processes import this module; only workers load ONNX
    from inference.networks.photo_graph import Decisions

EXAMPLES = ("example_onnxruntime.py", "example_opencv.py")
#: The scores of the exported file are compared with the stored ones on at most this many photos.
PHOTOS_COMPARED = 12
_PRECISION_REASON = {
    "fp32": "The backbone has 32-bit floats (fp32), as the one that the heads learned from and were measured with.",
    "int8": "The backbone has 8-bit integers (int8), as the one that the heads learned from and were measured with. "
    "Processors round products of integers in different ways, so scores differ more between programs than with floats.",
}


def version_export_request(*, version: ModelVersion, by: User | None) -> VersionExport:
    """Store a request for the export of a version. The caller announces it to the workers on commit."""
    return work_request(VersionExport, by=by, version=version)


def version_export_perform(*, export_id: int) -> None:
    """Make a requested export, unless another worker does."""
    work_perform(VersionExport, export_id, _make)


def _make(row: VersionExport, report: Report) -> dict[str, Any]:
    version = ModelVersion.objects.select_related("campaign").get(pk=row.version_id)
    try:
        version_export_write(version=version, path=row.path, report=report)
    except (ModelFileError, WeightsMissing) as error:
        raise WorkImpossible(str(error)) from error
    return {"byte_size": row.path.stat().st_size, "checksum": checksum(row.path)}


def version_export_write(
    *, version: ModelVersion, path: Path, report: Report = lambda share, stage: None
) -> dict[str, Any]:
    """Write the zip of a version to `path` and return its card. The file is complete or does not appear.

    The campaign must be loaded with the version. May load torch. Raises ModelFileError if the version's files are
    missing, deleted or damaged, or if the site has its backbone no more, and WeightsMissing.
    """
    from inference.networks.photo_graph import INPUT, Decisions, photo_graph_write

    runtime.version_files_verify(version)
    report(0.05, "Preparing the backbone")
    backbone = _backbone_file(version)
    card = version_card(version)
    scale, watch = card["scale"], card["watch"]
    decisions = Decisions(
        lowest=scale["lowest"],
        bins=scale["highest"] - scale["lowest"] + 1,
        watch_threshold=watch["threshold"],
        reject_at=scale["predicted_reject_at"],
        pending_at=scale["predicted_pending_at"],
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        report(0.4, "Joining backbone and heads")
        photo_graph_write(
            folder / "model.onnx",
            backbone=backbone,
            heads=version.path / "heads.onnx",
            decisions=decisions,
            metadata={"name": card["name"], "classes": ",".join(QUALITY_CLASSES), "made_by": "IQS"},
        )
        report(0.6, "Comparing its scores with those of IQS")
        card |= {
            "precision_reason": _PRECISION_REASON[card["backbone"]["precision"]],
            "model": {"file": "model.onnx", "sha256": checksum(folder / "model.onnx")},
            "input": _input(INPUT),
            "outputs": _outputs(decisions),
            "agreement": _agreement(version, folder / "model.onnx"),
        }
        report(0.9, "Writing the zip")
        (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / "card.md").write_text(card_markdown(card), encoding="utf-8")
        for name in EXAMPLES:
            shutil.copyfile(Path(networks.__path__[0]) / "examples" / name, folder / name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_path(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("model.onnx", "card.json", "card.md", *EXAMPLES):
                archive.write(folder / name, f"{card['name']}/{name}")
    return card


def _backbone_file(version: ModelVersion) -> Path:
    """Return the ONNX file of exactly the backbone whose features the version reads. Raises ModelFileError."""
    name, folder = backbone_of(version.backbone), runtime.backbones_folder()
    try:
        config = runtime.backbone_chosen(name)
        if version.backbone == config.key():
            return runtime.backbone_file(config)
        if version.backbone == int8_key(folder, config.key()):
            return int8_verified(folder, config.key())
    except WeightsMissing as error:
        raise ModelFileError(
            gettext("The backbone of version %(number)s is missing. %(error)s")
            % {"number": version.number, "error": error}
        ) from error
    raise ModelFileError(
        gettext("Version %(number)s reads features of %(backbone)s, and the site has this backbone no more.")
        % {"number": version.number, "backbone": version.backbone}
    )


def _input(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "shape": "[N, 3, height, width]",
        "type": "float32",
        "meaning": "photos of any size, upright, in sRGB without transparency: red, green and blue from 0 to 255. All "
        "N photos of one call have the same size. Give it the whole photo, not a crop: the model resizes and "
        "normalises by itself. IQS decodes large JPEG files at 1/2, 1/4 or 1/8 of their size, so scores of large "
        "photos differ a little from those in IQS.",
    }


def _outputs(decisions: "Decisions") -> dict[str, Any]:
    scores = list(range(decisions.lowest, decisions.lowest + decisions.bins))
    return {
        "watch_probability": {"shape": "[N]", "meaning": "probability that the photo shows a watch"},
        "is_watch": {"shape": "[N]", "meaning": f"1 if that is above {decisions.watch_threshold:g}, else 0"},
        "distribution": {
            "shape": f"[N, {decisions.bins}]",
            "meaning": f"share of people who give each score from {scores[0]} to {scores[-1]}",
            "scores": scores,
        },
        "mean": {"shape": "[N]", "meaning": f"mean of the distribution, from {scores[0]} to {scores[-1]}"},
        "quality_class": {
            "shape": "[N]",
            "meaning": ", ".join(f"{place} {name}" for place, name in enumerate(QUALITY_CLASSES)),
            "names": list(QUALITY_CLASSES),
        },
    }


def _agreement(version: ModelVersion, model: Path) -> dict[str, Any]:
    """Return how far the scores of the file are from the stored predictions, on photos of the campaign."""
    from inference.scoring.predictor import session

    runner = session(model, threads=settings.IQS_THREADS, device="cpu")
    means, watches = [], []
    for prediction, photo in _photos(version):
        watch, distribution = runner.run(["watch_probability", "distribution"], {"photo": photo})
        mean = mean_score(distribution.astype(np.float64), lowest=version.campaign.scale_min)
        means.append(abs(float(mean[0]) - prediction.quality_mean))
        watches.append(abs(float(watch[0]) - prediction.watch_probability))
    if not means:
        return {"photos": 0}
    return {
        "photos": len(means),
        "mean_average": float(np.mean(means)),
        "mean_most": max(means),
        "watch_most": max(watches),
    }


def _photos(version: ModelVersion) -> Iterator[tuple[Prediction, NDArray[np.float32]]]:
    """Yield predictions of the version with the photo as the model takes it. Missing files are left out."""
    images = version.campaign.images.filter(HAS_ORIGINAL)
    rows = Prediction.objects.filter(model_version=version, image__in=images).select_related("image")
    for prediction in rows.order_by("image__queue_position", "pk")[:PHOTOS_COMPARED]:
        try:
            source = photo_file_source(prediction.image.photo_name)
            picture = photo_open(source, max_pixels=settings.IQS_MAX_PIXELS)
        except (OSError, PhotoRejected, MemoryError):
            continue
        yield prediction, np.asarray(picture, dtype=np.float32).transpose(2, 0, 1)[None]
