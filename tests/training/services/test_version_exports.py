"""Exports of versions: other programs get the scores that IQS gives, and the zip says what it is."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image as PillowImage
from sklearn.datasets import load_sample_image

from annotation.models import AuditRecord, Campaign
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.services.predictions import predictions_write
from inference.services.versions import prior_install
from inference.serving import runtime
from tests.conftest import photo_path
from training.models import VersionExport
from training.services.version_exports import version_export_perform, version_export_request, version_export_write
from training.services.version_work import work_due


def real_photo(make_image: Callable[..., Any], **fields: Any) -> Any:
    """Store a real photo of 640 × 427 pixels as JPEG, and return its row."""
    buffer = io.BytesIO()
    PillowImage.fromarray(load_sample_image("flower.jpg")).save(buffer, "JPEG", quality=92)
    data = buffer.getvalue()
    image = make_image(1, sha256=hashlib.sha256(data).hexdigest(), width=640, height=427, **fields)
    photo_path(image).parent.mkdir(parents=True, exist_ok=True)
    photo_path(image).write_bytes(data)
    return image


def predict(version: ModelVersion, image: Any) -> Any:
    """Return the prediction that the site stores for a photo."""
    network = runtime.backbone(version.campaign.backbone)
    with PillowImage.open(photo_path(image)) as picture:
        features = network.features([network.prepare(picture.convert("RGB"))]).astype("<f2")
    predictions_write(version=version, image_ids=np.array([image.pk]), features=features)
    return image.predictions.get(model_version=version)


def run_example(folder: Path, name: str, photo: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, folder / name, photo], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "precision", "tolerance"),
    [
        # The same arithmetic: single grey levels of the resized photo, and sums in another order.
        ("efficientnet_lite2", "fp32", 0.002),
        ("efficientnet_lite2@260+384", "fp32", 0.002),
        # A changed grey level can move a whole number of the quantised network, and programs round its products
        # differently: up to 0.016 on 60 real photos (0.0015 with floats).
        ("efficientnet_lite0", "int8", 0.05),
        ("efficientnet_lite2", "int8", 0.05),
        ("efficientnet_lite2@260+384", "int8", 0.05),
    ],
)
def test_both_example_programs_give_the_scores_of_the_site(
    campaign: Campaign,
    make_image: Callable[..., Any],
    tmp_path: Path,
    settings: Any,
    backbone: str,
    precision: str,
    tolerance: float,
) -> None:
    settings.IQS_PRECISION = precision
    campaign.backbone, campaign.pending_at = backbone, 6.4
    campaign.watch_aim, campaign.watch_threshold = Campaign.WatchAim.FIXED, 0.002
    campaign.save()
    version = prior_install(campaign=campaign)
    # The limit 6.4 of mean opinion scores is 6.3 on predicted means.
    ModelVersion.objects.filter(pk=version.pk).update(class_stretch=2.0, class_shift=-6.2)
    version = ModelVersion.objects.select_related("campaign").get(pk=version.pk)
    image = real_photo(make_image)
    expected = predict(version, image)
    card = version_export_write(version=version, path=tmp_path / "export.zip")
    assert card["backbone"]["precision"] == precision
    assert card["agreement"]["photos"] == 1
    assert card["agreement"]["mean_most"] < tolerance
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        archive.extractall(tmp_path)
    for name in ("example_onnxruntime.py", "example_opencv.py"):
        found = run_example(tmp_path / "watches-v1", name, photo_path(image))
        assert found["mean"] == pytest.approx(expected.quality_mean, abs=tolerance)
        assert found["distribution"] == pytest.approx(expected.distribution, abs=tolerance / 4)
        assert found["watch_probability"] == pytest.approx(expected.watch_probability, abs=tolerance / 50)
        assert found["class"] == image.predictions.with_quality_class().get().quality_class
        assert found["is_watch"] == int(expected.watch_probability > 0.002)


@pytest.fixture
def exportable(campaign: Campaign) -> ModelVersion:
    """Return the prior of a campaign with the backbone whose file needs no torch."""
    campaign.backbone = "efficientnet_lite0"
    campaign.save()
    return prior_install(campaign=campaign)


def test_the_zip_has_the_model_its_cards_and_examples(exportable: ModelVersion, tmp_path: Path) -> None:
    version_export_write(version=exportable, path=tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        names = {name.removeprefix("watches-v1/") for name in archive.namelist()}
        card = json.loads(archive.read("watches-v1/card.json"))
        markdown = archive.read("watches-v1/card.md").decode()
        model = archive.read("watches-v1/model.onnx")
    assert names == {"model.onnx", "card.json", "card.md", "example_onnxruntime.py", "example_opencv.py"}
    assert card["model"]["sha256"] == hashlib.sha256(model).hexdigest()
    assert card["scale"] == {
        "lowest": 1,
        "highest": 10,
        "reject_at": 5.0,
        "pending_at": 6.0,
        "predicted_reject_at": 5.0,
        "predicted_pending_at": 6.0,
    }
    assert card["agreement"] == {"photos": 0}
    assert "Apache-2.0" in card["backbone"]["licence"]
    assert "it is the shipped prior" in card["learned_from"]["about"]
    for part in ("## Data", "## Figures", "## Settings", "## Lineage", "## Use", "OpenCV 5.0", "digital watch"):
        assert part in markdown


def test_a_damaged_version_is_not_exported(exportable: ModelVersion, tmp_path: Path) -> None:
    (exportable.path / "heads.onnx").chmod(0o644)
    with (exportable.path / "heads.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelFileError, match="has changed since it was stored"):
        version_export_write(version=exportable, path=tmp_path / "export.zip")
    assert not (tmp_path / "export.zip").exists()


def test_a_version_of_a_backbone_that_is_gone_is_not_exported(exportable: ModelVersion, tmp_path: Path) -> None:
    exportable.backbone = "efficientnet_lite0@000000000000"
    with pytest.raises(ModelFileError, match="the site has this backbone no more"):
        version_export_write(version=exportable, path=tmp_path / "export.zip")


def test_a_request_is_made_once_and_can_be_made_again(exportable: ModelVersion, people: dict[str, Any]) -> None:
    row = version_export_request(version=exportable, by=people["rita"])
    assert work_due(VersionExport) == [row.pk]
    version_export_perform(export_id=row.pk)
    row.refresh_from_db()
    assert (row.is_live, row.message, row.percent, work_due(VersionExport)) == (False, "", 100, [])
    assert row.byte_size == row.path.stat().st_size
    assert row.checksum == hashlib.sha256(row.path.read_bytes()).hexdigest()
    made = row.made_at
    version_export_perform(export_id=row.pk)  # a message that comes twice
    row.refresh_from_db()
    assert row.made_at == made
    assert version_export_request(version=exportable, by=people["ada"]).is_live


def test_what_makes_an_export_impossible_is_stored(exportable: ModelVersion, people: dict[str, Any]) -> None:
    (exportable.path / "heads.onnx").unlink()
    row = version_export_request(version=exportable, by=people["rita"])
    version_export_perform(export_id=row.pk)
    row.refresh_from_db()
    assert not row.is_live
    assert "cannot be read" in row.message


def test_the_command_writes_the_champion(
    exportable: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("export_model", "watches", out=tmp_path / "model.zip")
    assert "version 1 of watches" in capsys.readouterr().out
    assert zipfile.is_zipfile(tmp_path / "model.zip")
    assert AuditRecord.objects.filter(kind="export", what="model version 1").exists()
    with pytest.raises(CommandError, match="no model version 7"):
        call_command("export_model", "watches", model=7)
