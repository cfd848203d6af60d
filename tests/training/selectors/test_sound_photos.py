"""Photos with a problem, and near-duplicates of photos of both splits, are in neither training nor evaluation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image
from annotation.models.photos import DELETED_PROBLEM
from annotation.photos.storage import FILE_PROBLEM
from training.models import TrainingRun
from training.selectors.comparison import compare
from training.selectors.runs import learned_photos, training_answers
from training.selectors.snapshots import holdout_opinions, training_snapshot

PROBLEMS = {
    "lost": {"problem": f"{FILE_PROBLEM}is missing."},
    "reported": {"problem": "Three annotators say that the photo is damaged."},
    "withdrawn": {"withdrawn_at": timezone.now(), "problem": "This photo was withdrawn."},
    "in neither split": {"split": Image.Split.NEITHER},
}


def used(campaign: Campaign) -> tuple[set[int], set[int]]:
    """Return the photos that a run would learn from, and those that an evaluation would use."""
    learned = [training_snapshot(campaign, exposed_answers=exposed).image_ids for exposed in (False, True)]
    assert set(learned[0].tolist()) == set(learned[1].tolist())
    return set(learned[0].tolist()), set(holdout_opinions(campaign).image_ids.tolist())


@pytest.mark.parametrize("fields", PROBLEMS.values(), ids=PROBLEMS)
def test_photos_with_a_problem_are_in_neither_training_nor_evaluation(
    campaign: Campaign, make_rated_images: Callable[..., Any], fields: dict[str, Any]
) -> None:
    images = make_rated_images(train=3, holdout=3, votes=2, features=8)
    assert used(campaign) == ({image.pk for image in images[:3]}, {image.pk for image in images[3:]})
    bad = [images[0].pk, images[3].pk]
    Image.objects.filter(pk__in=bad).update(**fields)
    assert used(campaign) == ({image.pk for image in images[1:3]}, {image.pk for image in images[4:]})
    assert training_answers(campaign, since=0, exposed_answers=False).usable == 4


def test_the_calibration_of_all_photos_leaves_out_those_with_a_problem(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> None:
    images = make_rated_images(train=2, holdout=2, votes=2)
    version = make_version(1, predict=dict.fromkeys(images, (5.0, 0.2)))
    Image.objects.filter(pk=images[0].pk).update(problem="Reported as damaged.")
    assert compare(campaign, version, split=None).image_ids.tolist() == [image.pk for image in images[1:]]


def test_photos_whose_originals_were_deleted_at_the_end_of_the_retention_time_stay(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    images = make_rated_images(train=2, holdout=2, votes=2, features=8)
    Image.objects.update(problem=DELETED_PROBLEM, original_deleted_at=timezone.now())
    assert used(campaign) == ({image.pk for image in images[:2]}, {image.pk for image in images[2:]})


def test_answers_to_photos_in_neither_split_are_counted_as_left_out(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    images = make_rated_images(train=3, holdout=1, votes=2, features=8)
    Image.objects.filter(pk=images[0].pk).update(split=Image.Split.NEITHER)
    counts = training_answers(campaign, since=0, exposed_answers=False)
    assert (counts.usable, counts.holdout, counts.neither) == (4, 2, 2)
    assert [count for count, _ in counts.left_out] == [2, 2]


def test_only_photos_with_answers_before_a_run_were_learned_from(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    first = make_rated_images(train=2, votes=2)
    newest = Annotation.objects.latest("pk").pk
    second = make_rated_images(train=2, votes=2, seed=1)
    ids = [image.pk for image in (*first, *second)]
    assert learned_photos(campaign, ids) == set()
    run = TrainingRun.objects.create(
        campaign=campaign, trigger="button", state=TrainingRun.State.DONE, last_annotation_id=newest
    )
    assert learned_photos(campaign, ids) == {image.pk for image in first}
    TrainingRun.objects.filter(pk=run.pk).update(state=TrainingRun.State.RUNNING)
    assert learned_photos(campaign, ids) == set(ids)  # nobody knows yet which answers it freezes
    assert learned_photos(campaign, [first[0].pk]) == {first[0].pk}
