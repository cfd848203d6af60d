"""Photos that look different than before: what models computed from them is computed again, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery import current_app

from annotation.models import Campaign, Image
from annotation.photos.decoding_version import FIRST_VERSION
from annotation.services.batches import folder_import
from annotation.services.photo_decoding import photos_decoding_update
from inference.models import Distortion, Feature, Prediction, Signature
from inference.networks import config as config_module
from inference.networks.backbones import StagedBackbone
from inference.networks.export import backbone_to_onnx
from inference.scoring.pipeline import PhotoResult
from inference.scoring.predictor import Backbone
from inference.selectors import backlog, distortions_queue, features_queue, work_counts
from inference.services import features as features_module
from inference.services.backlog import work_cancel, work_claim, work_enqueue
from inference.services.distortions import distortions_compute
from inference.services.features import features_compute
from inference.services.predictions import predictions_refresh
from inference.services.similarity import signatures_refresh
from inference.serving import runtime
from tests.annotation.photos.colour_files import profile_files
from tests.conftest import photo_bytes, photo_path
from tests.inference.conftest import TINY

SWAPPED = "swapped.png"


@pytest.fixture(scope="module")
def tiny_onnx(tiny_backbone: StagedBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backbone") / "tiny.onnx"
    backbone_to_onnx(tiny_backbone, path)
    return path


@pytest.fixture(autouse=True)
def _tiny_site_backbone(monkeypatch: pytest.MonkeyPatch, tiny_onnx: Path, settings: Any) -> Iterator[None]:
    """Make the tiny network the site's backbone, with a real ONNX file."""
    settings.IQS_BACKBONE = "tiny"
    monkeypatch.setitem(config_module.BACKBONES, "tiny", TINY)
    monkeypatch.setattr(config_module, "_key", lambda config: "tiny@0")
    monkeypatch.setattr(runtime, "backbone", lambda name: Backbone(tiny_onnx))
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)  # unit tests have no broker
    return


@pytest.fixture
def photos(campaign: Campaign, tmp_path: Path) -> dict[str, Image]:
    """Import a plain photo and one with exchanged primaries, and compute everything from the files without profile."""
    folder = tmp_path / "photos"
    folder.mkdir()
    plain, swapped = photo_bytes(1), profile_files()[SWAPPED]
    (folder / "plain.jpg").write_bytes(plain)
    (folder / SWAPPED).write_bytes(swapped)
    folder_import(campaign=campaign, source=folder)
    images = {image.name: image for image in Image.objects.all()}
    photo_path(images[SWAPPED]).write_bytes(_without_profile(swapped))
    compute()
    photo_path(images[SWAPPED]).write_bytes(swapped)
    Image.objects.update(decoding=FIRST_VERSION)
    return images


def compute() -> None:
    work_enqueue(queue=features_queue(""))
    work_enqueue(queue=distortions_queue())
    features_compute(seconds=60)
    distortions_compute(seconds=60)


def _without_profile(data: bytes) -> bytes:
    """Return a PNG without its profile: the pixels that the first version saw."""
    start = data.index(b"iCCP") - 4
    return data[:start] + data[start + 12 + int.from_bytes(data[start : start + 4], "big") :]


def vectors() -> dict[str, bytes]:
    return {row.image.name: bytes(row.vector or b"") for row in Feature.objects.select_related("image")}


def difference(first: bytes, second: bytes) -> float:
    """Return the largest difference between the numbers of two vectors. They reach to -7, where float16 has .004."""
    return float(np.abs(np.subtract(*(np.frombuffer(vector, "<f2").astype(float) for vector in (first, second)))).max())


def measured() -> dict[str, float | None]:
    return {row.image.name: row.exposure for row in Distortion.objects.select_related("image")}


def test_only_the_changed_photo_is_computed_again(campaign: Campaign, photos: dict[str, Image]) -> None:
    features, distortions = vectors(), measured()
    photos_decoding_update(seconds=60)
    assert (backlog(campaign).queued, backlog(campaign).done) == (1, 1)  # pages show the progress
    assert work_counts(campaign, distortions_queue()).queued == 1
    assert vectors() == features  # until the new ones are there
    compute()
    assert vectors()["plain.jpg"] == features["plain.jpg"]
    assert difference(vectors()[SWAPPED], features[SWAPPED]) > 0.05
    assert measured()["plain.jpg"] == distortions["plain.jpg"]
    assert (backlog(campaign).queued, backlog(campaign).done) == (0, 2)
    remade = vectors()
    Feature.objects.all().delete()
    compute()
    # The same as those of a new photo, up to rounding: this time both photos are in one batch.
    assert max(difference(vector, remade[name]) for name, vector in vectors().items()) < 0.02


def test_predictions_of_every_version_are_replaced(
    campaign: Campaign, photos: dict[str, Image], version_of: Callable[..., Any]
) -> None:
    _twelve_features()
    older, champion = version_of(campaign, seed=1, champion=False), version_of(campaign)
    for version in (older, champion):
        predictions_refresh(version=version)
    before = {(row.model_version_id, row.image.name): row for row in Prediction.objects.select_related("image")}
    assert len(before) == 4
    photos_decoding_update(seconds=60)
    assert Prediction.objects.count() == 4  # pages show the earlier ones meanwhile
    _store_other_features(photos[SWAPPED])
    predictions_refresh(version=older)
    after = {(row.model_version_id, row.image.name): row for row in Prediction.objects.select_related("image")}
    assert after.keys() == before.keys()
    changed = {key[1] for key, row in after.items() if row.quality_mean != before[key].quality_mean}
    assert changed == {SWAPPED}
    assert {key for key, row in after.items() if row.pk == before[key].pk} == {
        (older.pk, "plain.jpg"),
        (champion.pk, "plain.jpg"),
    }


def test_signatures_are_computed_again(photos: dict[str, Image]) -> None:
    signatures_refresh(seconds=60)
    before = dict(Signature.objects.values_list("image__name", "pk"))
    assert before.keys() == photos.keys()
    photos_decoding_update(seconds=60)
    compute()
    assert list(Signature.objects.values_list("image__name", flat=True)) == ["plain.jpg"]
    signatures_refresh(seconds=60)
    after = dict(Signature.objects.values_list("image__name", "pk"))
    assert after.keys() == photos.keys()
    assert after["plain.jpg"] == before["plain.jpg"]


def test_a_photo_that_cannot_be_decoded_keeps_what_it_has(campaign: Campaign, photos: dict[str, Image]) -> None:
    features = vectors()
    photos_decoding_update(seconds=60)
    photo_path(photos[SWAPPED]).write_bytes(b"no photo")
    compute()
    failed = Feature.objects.get(image=photos[SWAPPED])
    assert (failed.state, bool(failed.reason)) == ("failed", True)
    assert vectors() == features


def test_cancelled_work_stays_cancelled(campaign: Campaign, photos: dict[str, Image]) -> None:
    Feature.objects.update(state=Feature.State.QUEUED)
    work_cancel(queue=features_queue(""), campaign=campaign)
    photos_decoding_update(seconds=60)
    assert set(Feature.objects.values_list("state", flat=True)) == {"cancelled"}


def _twelve_features() -> None:
    """Give the photos features of the length that the small heads read."""
    for place, row in enumerate(Feature.objects.all()):
        row.vector = np.full(12, place + 1, "<f2").tobytes()
        row.save()


def _store_other_features(image: Image) -> None:
    """Store features as a worker does that has just computed them."""
    rows = work_claim(queue=features_queue(""))
    assert [row.image_id for row in rows] == [image.pk]
    features_module._store(
        [(row, PhotoResult(np.full(12, 7, np.float32), None)) for row in rows], features_queue(""), "tiny"
    )
