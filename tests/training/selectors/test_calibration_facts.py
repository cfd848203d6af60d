"""Facts of compared photos: what is stored about them, in their order."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, Image, ImportBatch
from inference.models import Feature
from inference.networks.config import WeightsMissing
from tests.opinions_and_predictions import distortions_make, images_make, predictions_make, version_make, votes
from training.evaluation.calibration.facts import NO_GROUP
from training.selectors import calibration_facts
from training.selectors.calibration_facts import photo_facts
from training.selectors.comparison import compare


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    photos = images_make(campaign, 110, holdout=True)
    votes(photos, [people["alice"], people["bob"]], 5, "no")
    return photos


def test_each_photo_has_its_own_facts(campaign: Campaign, images: list[Image]) -> None:
    version = version_make(campaign)
    predictions_make(version, images, [5.0] * len(images))
    batch = ImportBatch.objects.create(campaign=campaign, source="/data/spring.zip")
    Image.objects.filter(pk=images[3].pk).update(
        batch=batch, suffix=".png", width=4000, height=3000, created_at=datetime(2026, 3, 31, 12, tzinfo=UTC)
    )
    Image.objects.filter(pk=images[4].pk).update(split="train")
    distortions_make(images[3:5], quality=50.0, blur=[0.1, 0.2], compression=0.7)
    distortions_make(images[5:6], quality=None, state="queued", blur=None)
    facts = photo_facts(compare(campaign, version, split=None), version)
    assert (facts.sources[3], facts.sources[4]) == ("spring.zip", "other photos")
    assert (facts.formats[3], facts.formats[4]) == ("PNG", "JPEG")
    assert facts.megapixels[3] == 12.0
    assert facts.months[3] == "2026-03"
    assert facts.is_holdout.tolist() == [True] * 4 + [False] + [True] * 105
    assert facts.distortions[3].tolist() == [0.1, 0.0, 0.0, 0.7]
    assert np.isnan(facts.distortions[5]).all()
    assert len(facts.content) == 0  # no features


def test_content_groups_come_from_the_features_of_the_campaigns_backbone(
    campaign: Campaign, images: list[Image], monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    version = version_make(campaign)
    predictions_make(version, images, [5.0] * len(images))
    kind = np.arange(105) % 2
    vectors = (4 * np.eye(2, 24)[kind] + 0.1 * rng.normal(size=(105, 24))).astype("<f2")
    Feature.objects.bulk_create(
        Feature(image=image, backbone="tiny", state="done", vector=vector.tobytes())
        for image, vector in zip(images, vectors, strict=False)
    )

    def missing(backbone: str) -> str:
        raise WeightsMissing("tiny has no weight file")  # the key is then that of the version

    monkeypatch.setattr(calibration_facts, "backbone_key", missing)
    monkeypatch.setattr(calibration_facts, "_CHUNK", 40)
    with CaptureQueriesContext(connection) as captured:
        facts = photo_facts(compare(campaign, version), version)
    assert set(facts.content[105:].tolist()) == {NO_GROUP}
    assert len({(int(one), int(other)) for one, other in zip(kind, facts.content[:105], strict=True)}) == 2
    assert len(facts.examples) == 2
    assert {len(one) for one in facts.examples} == {4}
    assert len(captured) <= 15


def test_no_photos_have_no_facts(campaign: Campaign) -> None:
    version = version_make(campaign)
    facts = photo_facts(compare(campaign, version), version)
    assert len(facts.sources) == len(facts.content) == 0
