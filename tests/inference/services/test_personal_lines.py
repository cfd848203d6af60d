"""Workers learn what each annotator would answer, from independent votes, and forget it with the person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image, Membership, ScreeningDecision, User
from annotation.services.anonymisation import user_anonymise
from inference.models import Feature, ModelVersion, PersonalFit, PersonalLine, Prediction
from inference.personal.line import FEWEST_ANSWERS, FEWEST_FOR_TASTE
from inference.services.personal_lines import campaigns_due, own_expectation, personal_lines_refresh
from inference.tasks import personal_lines_run
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes

PHOTOS = 60


@pytest.fixture
def photos(campaign: Campaign, people: dict[str, User]) -> list[Image]:
    """Photos whose first feature alice likes by two points and bob dislikes; bob also gives a point more."""
    images = images_make(campaign, PHOTOS)
    vectors = np.random.default_rng(0).normal(size=(PHOTOS, 8))
    Feature.objects.bulk_create(
        Feature(image=image, backbone="tiny", state=Feature.State.DONE, vector=vector.astype("<f2").tobytes())
        for image, vector in zip(images, vectors, strict=True)
    )
    predictions_make(version_make(campaign), images, [5.5] * PHOTOS)
    liked = 2 * vectors[:40, 0]
    scores = np.clip(np.rint(np.column_stack([5.5 + liked, 6.5 - liked])), 1, 10).astype(int)
    votes(images[:40], [people["alice"], people["bob"]], scores, np.full((40, 2), "no", dtype=object))
    for image, vector in zip(images, vectors, strict=True):
        image.liked = float(vector[0])
    return images


def line_of(user: User) -> PersonalLine:
    return PersonalLine.objects.select_related("fit").get(annotator=user)


def expected(campaign: Campaign, user: User, image: Image, given: tuple[float, ...] = ()) -> Any:
    prediction = Prediction.objects.select_related("model_version").get(image=image)
    return own_expectation(campaign=campaign, annotator=user, prediction=prediction, votes=given)


def test_lines_follow_the_taste_and_bias_of_each_annotator(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    assert campaigns_due() == [campaign.pk]
    assert personal_lines_run(campaign.pk) == 2
    assert campaigns_due() == []
    assert line_of(people["bob"]).bias > line_of(people["alice"]).bias + 0.5
    alice, bob = ([expected(campaign, people[name], one).mean for one in photos[40:]] for name in ("alice", "bob"))
    liked = [photo.liked for photo in photos[40:]]
    assert np.corrcoef(alice, liked)[0, 1] > 0.9
    assert np.corrcoef(bob, liked)[0, 1] < -0.9


def test_the_expectation_of_an_answered_photo_leaves_its_answer_out(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    odd = Annotation.objects.get(annotator=people["alice"], image=photos[0])
    personal_lines_refresh(campaign=campaign)
    before = expected(campaign, people["alice"], photos[0]).mean
    vote(photos[0], people["alice"], 11 - (odd.score or 0), supersedes=odd, replaces_vote=odd)
    personal_lines_refresh(campaign=campaign)
    after = expected(campaign, people["alice"], photos[0])
    assert after.mean == pytest.approx(before, abs=0.15)  # the other answers and the variances have hardly changed
    assert after.low < after.mean < after.high
    assert after.answers == 40


def test_votes_of_others_move_the_expectation(campaign: Campaign, people: dict[str, User], photos: list[Image]) -> None:
    personal_lines_refresh(campaign=campaign)
    alone = expected(campaign, people["alice"], photos[41])
    moved = expected(campaign, people["alice"], photos[41], (9, 9, 9, 9))
    assert moved.mean > alone.mean + 0.5


def test_nobody_gets_a_line_from_too_few_answers_and_taste_needs_more(
    campaign: Campaign, people: dict[str, User], photos: list[Image], make_user: Callable[..., User]
) -> None:
    few, some = make_user("few"), make_user("some")
    for user in (few, some):
        Membership.objects.create(campaign=campaign, user=user)
    votes(photos[: FEWEST_ANSWERS - 1], [few], 5, "no")
    votes(photos[: FEWEST_FOR_TASTE - 1], [some], 5, "no")
    personal_lines_refresh(campaign=campaign)
    assert not PersonalLine.objects.filter(annotator=few).exists()
    assert bytes(line_of(some).weights) == b""
    assert len(bytes(line_of(people["alice"]).weights)) == 8 * 4
    assert expected(campaign, few, photos[0]) is None
    assert expected(campaign, some, photos[50]).mean == pytest.approx(5.4, abs=0.5)


def test_only_independent_votes_of_members_who_can_log_in_count(
    campaign: Campaign, people: dict[str, User], photos: list[Image], make_user: Callable[..., User]
) -> None:
    gone, stranger, exposed = (make_user(name) for name in ("gone", "stranger", "exposed"))
    for user in (gone, exposed):
        Membership.objects.create(campaign=campaign, user=user)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    votes(photos[:40], [gone, stranger], 5, "no")
    for photo in photos[:40]:
        vote(photo, exposed, 5, saw_prediction=True)
    ScreeningDecision.objects.create(
        campaign=campaign, annotator=people["bob"], decision="exclude", reason="x", decided_by=people["ada"]
    )
    personal_lines_refresh(campaign=campaign)
    assert list(PersonalLine.objects.values_list("annotator__username", flat=True)) == ["alice"]


def test_lines_are_learned_again_after_enough_new_answers_a_new_champion_or_a_day(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    personal_lines_refresh(campaign=campaign)
    votes(photos[40:50], [people["alice"]], 5, "no")
    PersonalFit.objects.update(made_at=timezone.now() - timedelta(hours=1))
    assert campaigns_due() == []  # ten answers are few
    votes(photos[50:60], [people["alice"]], 5, "no")
    assert campaigns_due() == [campaign.pk]
    PersonalFit.objects.update(made_at=timezone.now() - timedelta(minutes=1))
    assert campaigns_due() == []  # too soon
    Annotation.objects.filter(image__in=photos[41:]).delete()
    PersonalFit.objects.update(made_at=timezone.now() - timedelta(hours=25))
    assert campaigns_due() == [campaign.pk]

    ModelVersion.objects.update(is_champion=False)
    second = version_make(campaign, 2)
    assert campaigns_due() == [campaign.pk]
    assert personal_lines_refresh(campaign=campaign) == 0  # it has predicted nothing yet
    assert campaigns_due() == [campaign.pk]
    predictions_make(second, photos, [5.5] * PHOTOS)
    assert personal_lines_refresh(campaign=campaign) == 2
    assert list(PersonalFit.objects.values_list("model_version", flat=True)) == [second.pk]


def test_features_of_another_backbone_are_not_read(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    personal_lines_refresh(campaign=campaign)
    Feature.objects.filter(image=photos[50]).update(vector=np.zeros(5, "<f2").tobytes())
    Feature.objects.filter(image=photos[51]).delete()
    assert expected(campaign, people["alice"], photos[50]) is None
    assert expected(campaign, people["alice"], photos[51]) is None


def test_nobody_has_a_line_without_features(campaign: Campaign, people: dict[str, User], photos: list[Image]) -> None:
    Feature.objects.all().delete()
    assert personal_lines_refresh(campaign=campaign) == 0
    assert campaigns_due() == []
    assert expected(campaign, people["alice"], photos[0]) is None


def test_a_campaign_without_a_version_or_with_another_scale_has_no_lines(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    Campaign.objects.update(scale_max=7, scale_min=1)
    ModelVersion.objects.update(recipe={"scale_min": 1, "bins": 10})
    campaign.refresh_from_db()
    assert personal_lines_refresh(campaign=campaign) == 0
    ModelVersion.objects.all().delete()
    assert personal_lines_refresh(campaign=campaign) == 0
    assert not PersonalFit.objects.exists()


def test_an_anonymised_person_has_no_line_any_more_and_gets_no_new_one(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    personal_lines_refresh(campaign=campaign)
    user_anonymise(user=people["alice"], by=people["ada"])
    assert list(PersonalLine.objects.values_list("annotator", flat=True)) == [people["bob"].pk]
    personal_lines_refresh(campaign=campaign)
    assert list(PersonalLine.objects.values_list("annotator", flat=True)) == [people["bob"].pk]
    assert Annotation.objects.filter(annotator=people["alice"]).count() == 40


def test_lines_are_not_used_for_anything_that_is_measured(
    campaign: Campaign, people: dict[str, User], photos: list[Image]
) -> None:
    """Predictions, votes and queue are the same with and without lines."""
    before = list(Prediction.objects.order_by("pk").values())
    personal_lines_refresh(campaign=campaign)
    assert list(Prediction.objects.order_by("pk").values()) == before
    assert Annotation.objects.filter(saw_prediction=True).count() == 0
