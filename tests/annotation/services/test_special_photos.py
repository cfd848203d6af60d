"""Practice, example and gold photos: who can choose them, what does not change, and what leaves the evaluation."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Annotation, Campaign, Image, User
from annotation.selectors.opinions import opinion_of, opinions_of, special_counts
from annotation.selectors.progress import practice_photos
from annotation.selectors.votes import vote_table
from annotation.services.annotations import annotation_record
from annotation.services.queue import counters_rebuild, leases_claim
from annotation.services.special_photos import (
    Expected,
    LeavesEvaluation,
    SpecialPhotoError,
    practice_choose,
    problem_remove,
    special_photo_reset,
    special_photo_set,
)
from tests.opinions_and_predictions import images_make, vote, votes

GOLD, PRACTICE, EXAMPLE = Image.Role.GOLD, Image.Role.PRACTICE, Image.Role.EXAMPLE
ANSWER = Expected("yes", 7, "Sharp, with soft light.")


def reloaded(image: Image) -> Image:
    return Image.objects.get(pk=image.pk)


@pytest.fixture
def image(make_image: Callable[..., Image]) -> Image:
    return make_image(1)


@pytest.mark.parametrize("role", [PRACTICE, EXAMPLE, GOLD])
def test_a_photo_that_becomes_special_loses_its_leases_but_accepts_answers(
    campaign: Campaign, people: dict[str, Any], image: Image, role: Image.Role
) -> None:
    for name in ("alice", "bob"):
        leases_claim(campaign=campaign, annotator=people[name], count=1)
    annotation_record(
        campaign=campaign, annotator=people["alice"], image_id=image.pk, client_id=uuid4(), watch="no", score=3
    )
    assert (reloaded(image).vote_count, reloaded(image).open_slots) == (1, 1)
    special_photo_set(image=image, role=role, expected=ANSWER)
    changed = reloaded(image)
    assert (changed.role, changed.expected_watch, changed.expected_score, changed.guidance) == (
        role,
        "yes",
        7,
        ANSWER.guidance,
    )
    assert (changed.vote_count, changed.open_slots) == (1, 2)
    assert not campaign.assignments.filter(state="leased").exists()
    annotation_record(
        campaign=campaign, annotator=people["bob"], image_id=image.pk, client_id=uuid4(), watch="no", score=4
    )
    assert (reloaded(image).vote_count, reloaded(image).open_slots) == (2, 1)
    assert counters_rebuild(campaign=campaign) == 0


def test_a_special_photo_that_is_reset_is_leased_again(
    campaign: Campaign, people: dict[str, Any], image: Image
) -> None:
    special_photo_set(image=image, role=PRACTICE, expected=ANSWER)
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    special_photo_reset(image=image)
    changed = reloaded(image)
    assert (changed.role, changed.expected_watch, changed.expected_score, changed.guidance) == ("rated", "", None, "")
    assert [lease.image for lease in leases_claim(campaign=campaign, annotator=people["alice"], count=1)] == [image]
    assert counters_rebuild(campaign=campaign) == 0


def test_changing_only_the_expected_answer_keeps_the_leases(
    campaign: Campaign, people: dict[str, Any], image: Image
) -> None:
    special_photo_set(image=image, role=GOLD, expected=ANSWER)
    campaign.gold_share = 1.0
    ordinary = images_make(campaign, 1)
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert campaign.assignments.filter(state="leased").exclude(image__in=ordinary).count() == 1
    special_photo_set(image=image, role=GOLD, expected=Expected("no", 2))
    assert campaign.assignments.filter(state="leased").count() == 1
    assert counters_rebuild(campaign=campaign) == 0


@pytest.mark.parametrize(
    ("role", "expected", "message"),
    [
        (PRACTICE, Expected("", 5), "Choose whether"),
        (GOLD, Expected("unsure", 5), "needs a known answer"),
        (EXAMPLE, Expected("no", 11), "from 1 to 10"),
        (EXAMPLE, Expected("no", None), "from 1 to 10"),
        (EXAMPLE, Expected("no", 5, "x" * 301), "300"),
        (Image.Role.RATED, ANSWER, "has no expected answer"),
    ],
)
def test_invalid_expected_answers_are_refused(image: Image, role: Image.Role, expected: Expected, message: str) -> None:
    with pytest.raises(SpecialPhotoError, match=message):
        special_photo_set(image=image, role=role, expected=expected)
    assert reloaded(image).role == "rated"


def test_a_photo_with_a_problem_cannot_become_special(make_image: Callable[..., Image]) -> None:
    with pytest.raises(SpecialPhotoError, match="2 annotators report"):
        special_photo_set(image=make_image(1, problem="2 annotators report it."), role=GOLD, expected=ANSWER)


def test_a_holdout_photo_leaves_the_evaluation_only_when_confirmed(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    image = make_image(1, split="holdout")
    vote(image, people["alice"], 4)
    with pytest.raises(LeavesEvaluation, match="holdout"):
        special_photo_set(image=image, role=PRACTICE, expected=ANSWER)
    special_photo_set(image=image, role=GOLD, expected=ANSWER)  # annotators never see its expected answer
    assert len(vote_table(campaign, for_evaluation=True)) == 1
    special_photo_set(image=image, role=EXAMPLE, expected=ANSWER, leave_evaluation=True)
    assert len(vote_table(campaign, for_evaluation=True)) == 0
    assert len(vote_table(campaign)) == 1
    special_photo_set(image=image, role=PRACTICE, expected=ANSWER)  # it has already left the evaluation
    special_photo_reset(image=image)
    assert len(vote_table(campaign, for_evaluation=True)) == 1


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """Return nine photos with three votes each, around 1 … 9.

    Three more photos cannot become practice photos: one of the holdout, one with a tie, one with mostly unsure votes.
    """
    images = images_make(campaign, 9)
    three = [people["alice"], people["bob"], people["rita"]]
    votes(images, three, [[s, s, min(s + 1, 10)] for s in range(1, 10)], [["no", "no", "yes"]] * 9)
    votes(images_make(campaign, 1, holdout=True), three, [[10, 10, 10]], [["yes"] * 3])
    votes(images_make(campaign, 1), three, [[10, 10, 10]], [["yes", "no", "unsure"]])
    votes(images_make(campaign, 1), three, [[10, 10, 10]], [["yes", "unsure", "unsure"]])
    return images


def test_five_practice_photos_are_chosen_from_worst_to_best(campaign: Campaign, rated: list[Image]) -> None:
    User.objects.filter(username="rita").update(is_simulated=True)
    chosen = practice_choose(campaign=campaign)
    assert [image.expected_score for image in chosen] == [1, 3, 5, 7, 9]
    assert {image.expected_watch for image in chosen} == {"no"}
    assert chosen[0].guidance == "3 annotators (1 simulated) gave 1.3 on average."
    assert list(practice_photos(campaign)) == chosen
    with pytest.raises(SpecialPhotoError, match="already"):
        practice_choose(campaign=campaign)


def test_the_error_says_what_is_missing_for_practice_photos(campaign: Campaign, people: dict[str, Any]) -> None:
    with pytest.raises(SpecialPhotoError, match="There are 0 so far"):
        practice_choose(campaign=campaign)
    three = [people["alice"], people["bob"], people["rita"]]
    votes(images_make(campaign, 6), three, [[5, 5, 6]] * 6, [["no"] * 3] * 6)
    with pytest.raises(SpecialPhotoError, match=r"only 0\.0 points"):
        practice_choose(campaign=campaign)
    assert not campaign.images.exclude(role="rated").exists()


def test_near_duplicates_and_answers_after_a_prediction_are_not_used(
    campaign: Campaign, people: dict[str, Any]
) -> None:
    first, second, anchored = images_make(campaign, 3)
    Image.objects.filter(pk=second.pk).update(group=first.group)
    for name in ("alice", "bob"):
        vote(first, people[name], 5)
        vote(second, people[name], 5)
        vote(anchored, people[name], 5, saw_prediction=True)
    vote(second, people["rita"], 6)
    (opinion,) = opinions_of(campaign, min_votes=2)
    assert (opinion.image_id, opinion.votes, opinion.score, opinion.watch) == (second.pk, 3, 5, "no")
    assert opinion_of(anchored) is None


def test_a_photo_is_in_the_queue_again_when_its_problem_is_removed(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    image = make_image(1, problem="3 annotators skipped it.")
    assert special_counts(campaign).problem == 1
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    problem_remove(image=image)
    assert len(leases_claim(campaign=campaign, annotator=people["alice"], count=1)) == 1
    assert counters_rebuild(campaign=campaign) == 0


NAMES_AND_STATUSES = [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 403), ("ada", 200)]


@pytest.mark.parametrize(("name", "status"), NAMES_AND_STATUSES)
def test_only_admins_can_manage_special_photos(
    campaign: Campaign, client_of: Any, make_image: Callable[..., Image], name: str, status: int
) -> None:
    image, broken = make_image(1), make_image(2, problem="Reported.")
    client, post_status = client_of(name), 302 if status == 200 else status
    assert client.get(reverse("special-photos", args=["watches"])).status_code == status
    url = reverse("special-photo", args=["watches", image.pk])
    assert client.get(url).status_code == status
    data = {"role": "gold", "expected_watch": "yes", "expected_score": "7"}
    assert client.post(url, data).status_code == post_status
    assert client.post(reverse("practice-choose", args=["watches"])).status_code == post_status
    assert client.post(reverse("photo-requeue", args=["watches", broken.pk])).status_code == post_status
    assert (reloaded(image).role, reloaded(broken).problem) == (
        ("gold", "") if name == "ada" else ("rated", "Reported.")
    )


def test_photos_of_another_campaign_are_not_found(
    client_of: Any, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    other_image = make_image(1, campaign=Campaign.objects.create(slug="other", name="Other"), problem="Reported.")
    for name in ("special-photo", "photo-requeue"):
        assert (
            client_of("ada").post(reverse(name, args=["watches", other_image.pk]), {"role": "gold"}).status_code == 404
        )


@pytest.mark.parametrize("show", ["practice", "example", "gold", "problem"])
def test_queries_of_the_lists_do_not_depend_on_the_number_of_photos(
    campaign: Campaign, client_of: Any, show: str
) -> None:
    client = client_of("ada")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("special-photos", args=["watches"]), {"show": show}).status_code == 200
        return len(captured)

    made = images_make(campaign, 2)
    change: dict[str, Any] = {"problem": "Reported."} if show == "problem" else {"role": show, "expected_score": 5}
    campaign.images.update(**change)
    few = queries()
    images_make(campaign, 20)
    campaign.images.update(**change)
    assert queries() == few <= 9
    assert len(made) == 2


def test_the_page_asks_before_a_holdout_photo_leaves_the_evaluation(
    client_of: Any, make_image: Callable[..., Image]
) -> None:
    image = make_image(1, split="holdout")
    page = reverse("special-photo", args=["watches", image.pk])
    data = {"role": "practice", "expected_watch": "yes", "expected_score": "7"}
    asked = client_of("ada").post(page, data)
    assert (asked.status_code, reloaded(image).role) == (422, "rated")
    assert "left out of every evaluation" in asked.content.decode()
    assert client_of("ada").post(page, data | {"leave_evaluation": "on"}).status_code == 302
    assert reloaded(image).role == "practice"


def test_the_form_suggests_the_mean_answer_and_keeps_saved_values(
    client_of: Any, people: dict[str, Any], image: Image
) -> None:
    vote(image, people["alice"], 8, "yes")
    page = reverse("special-photo", args=["watches", image.pk])
    assert client_of("ada").get(page).context["form"].initial["expected_score"] == 8
    client_of("ada").post(page, {"role": "example", "expected_watch": "no", "expected_score": "3", "guidance": "Blur."})
    assert client_of("ada").get(page).context["form"].initial == {
        "role": "example",
        "expected_watch": "no",
        "expected_score": 3,
        "guidance": "Blur.",
    }
    client_of("ada").post(page, {"role": "rated"})
    assert reloaded(image).role == "rated"
    assert Annotation.objects.count() == 1


def test_the_photo_page_shows_the_form_to_admins_only(client_of: Any, image: Image) -> None:
    page = reverse("photo", args=["watches", image.pk])
    action = reverse("special-photo", args=["watches", image.pk])
    assert action in client_of("ada").get(page).content.decode()
    assert action not in client_of("rita").get(page).content.decode()
