"""Similar photos: the bits of signatures find the same neighbours as an exact search."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, Image
from inference.models import Feature, Signature
from inference.networks.config import backbone_config
from inference.services import similarity
from inference.services.similarity import images_similar, signature_bits, signatures_refresh
from inference.serving import runtime
from tests.opinions_and_predictions import images_make

SIZE = 64
START = 8


@pytest.fixture(autouse=True)
def _small_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the site's features 8 numbers, followed by a pooled layer of 64 numbers."""
    config = replace(backbone_config("efficientnet_lite0"), pooled_start=START, pooled_size=SIZE)
    monkeypatch.setattr(runtime, "backbone_chosen", lambda name: config)
    monkeypatch.setattr(similarity, "backbone_key", lambda name: "small@0")


def features_make(images: list[Image], pooled: Any) -> None:
    rng = np.random.default_rng(1)
    for image, row in zip(images, pooled, strict=True):
        vector = np.concatenate([rng.normal(size=START), row]).astype("<f2")
        Feature.objects.create(image=image, backbone="small@0", state=Feature.State.DONE, vector=vector.tobytes())


@pytest.fixture
def pooled() -> Any:
    """Return sixty rows like pooled activations: not negative, in twelve clusters."""
    rng = np.random.default_rng(0)
    centres = rng.exponential(size=(12, SIZE)) ** 2
    return np.repeat(centres, 5, axis=0) * rng.uniform(0.5, 1.5, size=(60, SIZE))


def exact_neighbours(pooled: Any, row: int, count: int) -> list[int]:
    vectors = pooled.astype(np.float16).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[row]
    cosines[row] = -1
    return np.argsort(-cosines)[:count].tolist()


def test_results_match_an_exact_search(campaign: Campaign, pooled: Any) -> None:
    images = images_make(campaign, 60)
    features_make(images, pooled)
    assert signatures_refresh(seconds=60) == 60
    for row in (0, 17, 59):
        found = images_similar(images[row], limit=12)
        assert found is not None
        assert [image.pk for image, _ in found] == [images[i].pk for i in exact_neighbours(pooled, row, 12)]
        assert all(-1 <= cosine <= 1 + 1e-6 for _, cosine in found)


def test_bits_keep_the_true_neighbours_among_few_candidates(
    campaign: Campaign, pooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "CANDIDATES", 12)
    images = images_make(campaign, 60)
    features_make(images, pooled)
    signatures_refresh(seconds=60)
    found = images_similar(images[22], limit=4)
    assert [image.pk for image, _ in found or []] == [images[i].pk for i in exact_neighbours(pooled, 22, 4)]


def test_near_duplicates_and_other_campaigns_are_left_out(campaign: Campaign, pooled: Any) -> None:
    images = images_make(campaign, 5)
    others = images_make(Campaign.objects.create(slug="other", name="Other"), 5)
    features_make(images + others, pooled[:10])
    signatures_refresh(seconds=60)
    Image.objects.filter(pk=images[1].pk).update(group=images[0].group)
    found = images_similar(images[0])
    assert {image.pk for image, _ in found or []} == {image.pk for image in images[2:]}


def test_a_photo_without_features_has_no_result_yet(campaign: Campaign, pooled: Any) -> None:
    with_features, without_features = images_make(campaign, 2)
    features_make([with_features], pooled[:1])
    assert images_similar(with_features) is None
    signatures_refresh(seconds=60)
    assert images_similar(with_features) == []
    assert images_similar(without_features) is None


def test_only_missing_signatures_are_made_and_none_after_a_stop(campaign: Campaign, pooled: Any) -> None:
    images = images_make(campaign, 4)
    features_make(images[:2], pooled[:2])
    assert signatures_refresh(seconds=60) == 2
    features_make(images[2:], pooled[2:4])
    assert signatures_refresh(seconds=60, stop=lambda: True) == 0
    assert signatures_refresh(seconds=60) == 2
    assert signatures_refresh(seconds=60) == 0
    assert set(Signature.objects.values_list("image", flat=True)) == {image.pk for image in images}


def test_a_signature_is_the_same_on_every_machine() -> None:
    row = (np.arange(64, dtype=np.float32) % 7)[None]
    (bits,) = signature_bits(row)
    assert len(bits) == 256
    assert f"{int(bits, 2):064x}"[:16] == "14a3061d40e8e487"
    assert signature_bits(row * 3) == [bits], "the scale of the activations does not matter"


def test_a_search_among_many_photos_takes_five_queries(
    campaign: Campaign, pooled: Any, make_image: Callable[..., Any]
) -> None:
    images = images_make(campaign, 60)
    features_make(images, pooled)
    signatures_refresh(seconds=60)
    with CaptureQueriesContext(connection) as captured:
        images_similar(images[0])
    assert len(captured) == 5
