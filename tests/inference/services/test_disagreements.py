"""Stored disagreements are always equal to those computed anew from all answers."""

from typing import Any

import pytest

from annotation.models import Annotation, Campaign, Image
from inference.models import Disagreement, ModelVersion
from inference.services.disagreements import disagreements_refresh, disagreements_verify
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    return version_make(campaign)


def stored(version: ModelVersion) -> dict[int, tuple[float, float | None]]:
    rows = Disagreement.objects.filter(model_version=version)
    return {row.image_id: (row.quality, row.watch) for row in rows}


@pytest.fixture
def photos(campaign: Campaign, version: ModelVersion) -> list[Image]:
    images = images_make(campaign, 3)
    predictions_make(version, images[:2], [5.0, 8.0], watch=[0.25, 0.5])
    return images


def test_disagreements_use_only_current_answers_given_without_seeing_a_prediction(
    version: ModelVersion, photos: list[Image], people: dict[str, Any]
) -> None:
    first = vote(photos[0], people["alice"], 1, "no")
    vote(photos[0], people["alice"], 7, "yes", supersedes=first)
    vote(photos[0], people["bob"], 8, "no")
    vote(photos[0], people["rita"], 1, "no", saw_prediction=True)
    vote(photos[1], people["alice"], 6, "unsure")
    vote(photos[2], people["alice"], 6, "yes")
    disagreements_refresh(version=version)
    assert stored(version) == {photos[0].pk: (2.5, 0.25), photos[1].pk: (2.0, None)}


def test_a_refresh_adds_new_answers_and_predictions(
    version: ModelVersion, photos: list[Image], people: dict[str, Any]
) -> None:
    first = vote(photos[0], people["alice"], 4, "no")
    assert disagreements_refresh(version=version) == 1
    assert disagreements_refresh(version=version) == 0, "there are no new rows"
    vote(photos[1], people["alice"], 6, "yes")
    assert disagreements_refresh(version=version) == 1
    vote(photos[2], people["alice"], 6, "yes")
    predictions_make(version, photos[2:], [9.0], watch=1.0)
    disagreements_refresh(version=version)
    assert stored(version) == {photos[0].pk: (1.0, 0.25), photos[1].pk: (2.0, 0.5), photos[2].pk: (3.0, 0.0)}
    vote(photos[0], people["alice"], None, "", supersedes=first, skip_reason="cannot see it")  # type: ignore[arg-type]
    disagreements_refresh(version=version)
    assert photos[0].pk not in stored(version), "a skip replaced the answer"
    assert disagreements_verify(version=version)


def test_the_check_finds_a_late_answer_and_rebuilds_all_disagreements(
    version: ModelVersion, photos: list[Image], people: dict[str, Any]
) -> None:
    # Its id is lower than the other id, but it is committed after the refresh.
    late = vote(photos[0], people["alice"], 1, "no")
    before = Annotation.objects.filter(pk=late.pk)
    values = before.values().get()
    vote(photos[1], people["alice"], 6, "yes")
    before._raw_delete("default")  # type: ignore[attr-defined]
    disagreements_refresh(version=version)
    assert list(stored(version)) == [photos[1].pk]
    Annotation.objects.create(**values)
    assert disagreements_refresh(version=version) == 0
    assert not disagreements_verify(version=version)
    assert stored(version)[photos[0].pk] == (4.0, 0.25)
    assert disagreements_verify(version=version)


def test_each_version_has_its_own_disagreements(
    campaign: Campaign, version: ModelVersion, photos: list[Image], people: dict[str, Any]
) -> None:
    other = version_make(campaign, 2, champion=False)
    predictions_make(other, photos[:1], [1.0])
    vote(photos[0], people["alice"], 4, "no")
    for one in (version, other):
        disagreements_refresh(version=one)
    assert stored(version)[photos[0].pk][0] == 1.0
    assert stored(other)[photos[0].pk][0] == 3.0
