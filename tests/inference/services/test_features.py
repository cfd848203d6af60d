"""Features of stored photos. A tiny backbone replaces the bundled one, so that a test takes milliseconds."""

import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from django.core.files.storage import InMemoryStorage, storages
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign, Image
from annotation.photos.storage import photo_file_delete
from annotation.services.batches import folder_import
from inference.models import Feature, Prediction
from inference.networks import config as config_module
from inference.networks.backbones import StagedBackbone
from inference.networks.export import backbone_to_onnx
from inference.scoring import pipeline
from inference.scoring.predictor import Backbone
from inference.selectors import backlog, distortions_queue, features_queue
from inference.services import features as features_module
from inference.services.backlog import MAX_ATTEMPTS, work_claim, work_claim_stale, work_enqueue, work_retry
from inference.services.distortions import distortions_compute
from inference.services.features import features_compute
from inference.serving import runtime
from tests.annotation.bad_files import write_photos
from tests.conftest import photo_path
from tests.inference.conftest import TINY


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
    return


def states() -> list[str]:
    return list(Feature.objects.order_by("image_id").values_list("state", flat=True))


def features_enqueue() -> int:
    return work_enqueue(queue=features_queue(""))


def features_claim(limit: int = 16) -> list[Feature]:
    return work_claim(queue=features_queue(""), limit=limit)


def features_claim_stale() -> Feature | None:
    return work_claim_stale(queue=features_queue(""))


def test_photos_are_queued_once(campaign: Any, make_image: Callable[..., Any]) -> None:
    for seed in range(3):
        make_image(seed)
    assert backlog(campaign).queued == 3  # even before the first sweep
    assert features_enqueue() == 3
    assert features_enqueue() == 0
    assert backlog(campaign).queued == 3


def test_features_are_computed_and_stored_as_16_bits(campaign: Any, make_image: Callable[..., Any]) -> None:
    for seed in range(3):
        make_image(seed)
    features_enqueue()
    assert features_compute(seconds=60) == 3
    vector = Feature.objects.first().vector  # type: ignore[union-attr]
    assert len(vector) == 2 * TINY.feature_size
    assert np.isfinite(np.frombuffer(vector, dtype="<f2").astype(np.float32)).all()
    assert backlog(campaign).done == 3
    assert features_compute(seconds=60) == 0


def test_a_broken_photo_fails_with_a_reason_and_the_others_succeed(make_image: Callable[..., Any]) -> None:
    images = [make_image(seed) for seed in range(3)]
    photo_path(images[1]).write_bytes(photo_path(images[1]).read_bytes()[:-200])
    photo_path(images[2]).unlink()
    features_enqueue()
    assert features_compute(seconds=60) == 3
    assert states() == ["done", "failed", "failed"]
    reasons = dict(Feature.objects.values_list("image_id", "reason"))
    assert "incomplete" in reasons[images[1].pk] or "broken" in reasons[images[1].pk]
    assert "No such file" in reasons[images[2].pk]


def png_header(width: int, height: int) -> bytes:
    """Return a PNG with this size in its header, but with only one compressed byte of pixels."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0"))]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("algorithm", ["features", "distortions"])
def test_bad_files_do_not_affect_the_other_photos_of_a_batch(make_image: Callable[..., Any], algorithm: str) -> None:
    images = [make_image(seed) for seed in range(12)]
    cut, empty, missing, huge, text = images[1], images[2], images[4], images[5], images[7]
    photo_path(cut).write_bytes(photo_path(cut).read_bytes()[:-200])
    photo_path(empty).write_bytes(b"")
    photo_path(missing).unlink()
    photo_path(huge).write_bytes(png_header(50_000, 50_000))
    photo_path(text).write_text("not a photo")
    queue = features_queue("") if algorithm == "features" else distortions_queue()
    work_enqueue(queue=queue)
    compute = features_compute if algorithm == "features" else distortions_compute
    assert compute(seconds=60) == 12
    reasons = dict(queue.rows.filter(state="failed").values_list("image_id", "reason"))
    assert reasons.keys() == {image.pk for image in (cut, empty, missing, huge, text)}
    assert "incomplete" in reasons[cut.pk]
    assert reasons[empty.pk] == "The file is empty."
    assert "No such file" in reasons[missing.pk]
    assert "50000 × 50000 pixels are more than the allowed 120 megapixels" in reasons[huge.pk]
    assert "Not a photo" in reasons[text.pk]
    assert queue.rows.filter(state="done").count() == 7


def test_a_failed_photo_can_be_tried_again(campaign: Any, make_image: Callable[..., Any]) -> None:
    image = make_image(0)
    data = photo_path(image).read_bytes()
    photo_path(image).unlink()
    features_enqueue()
    features_compute(seconds=60)
    photo_path(image).write_bytes(data)
    assert work_retry(queue=features_queue(""), campaign=campaign) == 1
    features_compute(seconds=60)
    assert states() == ["done"]


def make_claims_stale(**where: object) -> None:
    """Make claims look as if their worker died an hour ago."""
    Feature.objects.filter(**where).update(claimed_at=timezone.now() - timedelta(hours=1))


def test_a_stale_claim_goes_to_the_next_worker(make_image: Callable[..., Any]) -> None:
    make_image(0)
    features_enqueue()
    assert len(features_claim()) == 1
    assert features_claim_stale() is None
    make_claims_stale()
    assert features_claim() == []
    assert features_claim_stale() is not None
    assert features_claim_stale() is None


def test_stale_claims_are_processed_last_and_one_by_one(
    make_image: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of their photos may have killed its worker."""
    stale = [make_image(seed) for seed in range(3)]
    features_enqueue()
    features_claim()
    make_claims_stale()
    fresh = [make_image(seed) for seed in range(3, 5)]
    features_enqueue()
    batches_seen: list[list[int]] = []
    running_counts: list[int] = []
    photos_extract = pipeline.photos_extract

    def recording_extract(batches: Any, **options: Any) -> Any:
        for batch in photos_extract(batches, **options):
            batches_seen.append([row.image_id for row, _ in batch])
            running_counts.append(Feature.objects.filter(state="running", claimed_at__gte=begun).count())
            yield batch

    begun = timezone.now()
    monkeypatch.setattr(features_module, "photos_extract", recording_extract)
    assert features_compute(seconds=60) == 5
    # The database decides the order of the photos of one claim, and the order of the stale photos.
    assert sorted(batches_seen[0]) == [image.pk for image in fresh]
    assert sorted(batches_seen[1:]) == [[image.pk] for image in stale]
    assert running_counts == [2, 1, 1, 1]
    assert states() == ["done"] * 5


def test_an_unexpected_error_fails_only_its_photo(
    make_image: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [make_image(seed) for seed in range(2)]
    features_enqueue()
    photo_open = pipeline.photo_open

    def failing_open(path: Path, **limits: int) -> Any:
        if path == photo_path(images[0]):
            raise ZeroDivisionError("unexpected")
        return photo_open(path, **limits)

    monkeypatch.setattr(pipeline, "photo_open", failing_open)
    assert features_compute(seconds=60) == 2
    assert states() == ["failed", "done"]
    assert Feature.objects.get(image=images[0]).reason == "ZeroDivisionError: unexpected"


def test_a_photo_that_killed_its_workers_fails(make_image: Callable[..., Any]) -> None:
    make_image(0)
    features_enqueue()
    Feature.objects.update(state="running", attempts=MAX_ATTEMPTS, claimed_at=timezone.now() - timedelta(hours=1))
    features_compute(seconds=60)
    assert states() == ["failed"]
    assert "Given up" in Feature.objects.get().reason


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_the_same_time_get_different_photos(make_image: Callable[..., Any]) -> None:
    for seed in range(40):
        make_image(seed)
    features_enqueue()
    claimed: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while batch := features_claim(limit=3):
            claimed.extend(feature.pk for feature in batch)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 40


def test_new_features_get_a_prediction_of_the_champion(
    campaign: Any, make_image: Callable[..., Any], tmp_path: Path
) -> None:
    from inference.networks.checkpoint import heads_save
    from inference.networks.export import heads_to_onnx
    from inference.networks.heads import Heads, HeadsConfig
    from inference.services.versions import champion_set, version_create

    shape = HeadsConfig(
        feature_size=TINY.feature_size,
        pooled_start=TINY.pooled_start,
        pooled_stop=TINY.pooled_stop,
        bins=10,
        hidden=4,
        dropout=0.0,
        synsets=(0, 1),
    )
    heads = Heads(shape).eval()
    heads_save(tmp_path / "heads", heads, {})
    heads_to_onnx(heads, tmp_path / "heads" / "heads.onnx")
    champion_set(version=version_create(campaign=campaign, source=tmp_path / "heads", backbone="tiny@0", recipe={}))
    make_image(0)
    features_enqueue()
    features_compute(seconds=60)
    assert Prediction.objects.count() == 1
    assert backlog(campaign).predicted == 1


def test_photos_may_be_in_a_storage_without_paths(
    campaign: Campaign, client_of: Callable[[str], Client], settings: Any, tmp_path: Path
) -> None:
    """Import, features, distortions and serving work without paths, as in an object storage."""
    settings.STORAGES = settings.STORAGES | {"photos": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    assert isinstance(storages["photos"], InMemoryStorage)
    write_photos(tmp_path / "photos", range(3))
    assert folder_import(campaign=campaign, source=tmp_path / "photos").added == 3
    images = list(Image.objects.order_by("name"))
    photo_file_delete(images[2].photo_name)
    for queue, compute in ((features_queue(""), features_compute), (distortions_queue(), distortions_compute)):
        work_enqueue(queue=queue)
        assert compute(seconds=60) == 3
        assert dict(queue.rows.values_list("image_id", "state")) == dict(
            zip((image.pk for image in images), ("done", "done", "failed"), strict=True)
        )
        assert "cannot be read" in queue.rows.get(image=images[2]).reason
    client = client_of("alice")
    for image in images[:2]:
        response = client.get(reverse("photo-original", args=[image.pk]))
        sent = b"".join(response.streaming_content)  # type: ignore[attr-defined]
        assert sent == (tmp_path / "photos" / image.name).read_bytes()
        assert response["Content-Length"] == str(image.byte_size)
        thumbnail = client.get(reverse("photo-thumbnail", args=[image.pk]))
        assert b"".join(thumbnail.streaming_content)[8:12] == b"WEBP"  # type: ignore[attr-defined]
    assert client.get(reverse("photo-original", args=[images[2].pk])).status_code == 404
    assert not Path(settings.MEDIA_ROOT).exists()


def test_files_opened_from_a_storage_are_closed(
    make_image: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(0)
    opened: list[IO[bytes]] = []

    def source(name: str) -> IO[bytes]:
        opened.append(photo_path(image).open("rb"))
        return opened[-1]

    monkeypatch.setattr(features_module, "photo_file_source", source)
    features_enqueue()
    assert features_compute(seconds=60) == 1
    assert states() == ["done"]
    assert [file.closed for file in opened] == [True]
