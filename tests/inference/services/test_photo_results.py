from typing import Any

import pytest

from annotation.models import Campaign, Image
from annotation.services.withdrawals import photo_withdraw, withdrawn_files_delete
from inference.models import Distortion, Feature, ModelVersion, Prediction
from inference.selectors import WorkQueue, backlog, work_counts
from inference.services.backlog import work_enqueue


@pytest.fixture
def queue() -> WorkQueue[Any]:
    return WorkQueue(Distortion, "version", 1)


def test_no_model_looks_at_a_withdrawn_photo(campaign: Campaign, make_image: Any, queue: WorkQueue[Any]) -> None:
    photo_withdraw(image=make_image(1), reason="Private", by=None)
    other = make_image(2)
    assert work_enqueue(queue=queue) == 1
    assert Distortion.objects.get().image == other
    assert work_counts(campaign, queue).waiting == 1


def test_a_photo_without_an_original_waits_for_nothing(
    campaign: Campaign, make_image: Any, queue: WorkQueue[Any]
) -> None:
    done, never = make_image(1), make_image(2)
    Distortion.objects.create(image=done, version=1, state="done")
    for image in (done, never):
        Image.objects.filter(pk=image.pk).update(original_deleted_at=image.created_at)
    assert work_enqueue(queue=queue) == 0
    counts = work_counts(campaign, queue)
    assert (counts.waiting, counts.done) == (0, 1)


def test_predictions_of_withdrawn_photos_are_not_counted(campaign: Campaign, make_image: Any) -> None:
    version = ModelVersion.objects.create(campaign=campaign, number=1, is_champion=True)
    images = [make_image(1), make_image(2)]
    for image in images:
        Prediction.objects.create(
            image=image,
            model_version=version,
            quality_mean=5.0,
            quality_std=1.0,
            watch_probability=0.1,
            distribution=[0.1] * 10,
            synset_probabilities=[0.1],
        )
    photo_withdraw(image=images[0], reason="Private", by=None)
    assert backlog(campaign).predicted == 1


def test_with_the_files_go_the_results(settings: Any, make_image: Any) -> None:
    settings.IQS_WITHDRAWN_DAYS = 0
    gone, kept = make_image(1), make_image(2)
    for image in (gone, kept):
        Feature.objects.create(image=image, backbone="tiny", state="done", vector=b"\0\0")
        Distortion.objects.create(image=image, version=1, state="done")
    photo_withdraw(image=gone, reason="Private", by=None)
    assert withdrawn_files_delete() == 1
    assert [row.image for row in Feature.objects.all()] == [kept]
    assert [row.image for row in Distortion.objects.all()] == [kept]
