"""Practice, example and gold photos: who may choose them, what stays as it was, and what leaves the evaluation."""

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


def fresh(image: Image) -> Image:
    return Image.objects.get(pk=image.pk)


@pytest.fixture
def image(make_image: Callable[..., Image]) -> Image:
    return make_image(1)


@pytest.mark.parametrize("role", [PRACTICE, EXAMPLE, GOLD])
def test_whoever_holds_a_photo_that_becomes_special_gives_it_back_and_may_still_answer(
    campaign: Campaign, people: dict[str, Any], image: Image, role: Image.Role
) -> None:
    for name in ("alice", "bob"):
        leases_claim(campaign=campaign, annotator=people[name], count=1)
    annotation_record(
        campaign=campaign, annotator=people["alice"], image_id=image.pk, client_id=uuid4(), watch="no", score=3
    )
    assert (fresh(image).vote_count, fresh(image).open_slots) == (1, 1)
    special_photo_set(image=image, role=role, expected=ANSWER)
    now = fresh(image)
    assert (now.role, now.expected_watch, now.expected_score, now.guidance) == (role, "yes", 7, ANSWER.guidance)
    assert (now.vote_count, now.open_slots) == (1, 2)
    assert not campaign.assignments.filter(state="leased").exists()
    annotation_record(
        campaign=campaign, annotator=people["bob"], image_id=image.pk, client_id=uuid4(), watch="no", score=4
    )
    assert (fresh(image).vote_count, fresh(image).open_slots) == (2, 1)
    assert counters_rebuild(campaign=campaign) == 0


def test_a_photo_taken_back_is_handed_out_again(campaign: Campaign, people: dict[str, Any], image: Image) -> None:
    special_photo_set(image=image, role=PRACTICE, expected=ANSWER)
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    special_photo_reset(image=image)
    now = fresh(image)
    assert (now.role, now.expected_watch, now.expected_score, now.guidance) == ("rated", "", None, "")
    assert [lease.image for lease in leases_claim(campaign=campaign, annotator=people["alice"], count=1)] == [image]
    assert counters_rebuild(campaign=campaign) == 0


def test_changing_the_answer_alone_takes_the_photo_from_nobody(
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
    ("role", "expected", "sentence"),
    [
        (PRACTICE, Expected("", 5), "Choose whether"),
        (GOLD, Expected("unsure", 5), "needs a known answer"),
        (EXAMPLE, Expected("no", 11), "from 1 to 10"),
        (EXAMPLE, Expected("no", None), "from 1 to 10"),
        (EXAMPLE, Expected("no", 5, "x" * 301), "300"),
        (Image.Role.RATED, ANSWER, "has no expected answer"),
    ],
)
def test_answers_that_cannot_be_expected_are_refused(
    image: Image, role: Image.Role, expected: Expected, sentence: str
) -> None:
    with pytest.raises(SpecialPhotoError, match=sentence):
        special_photo_set(image=image, role=role, expected=expected)
    assert fresh(image).role == "rated"


def test_a_photo_with_a_problem_teaches_nobody(make_image: Callable[..., Image]) -> None:
    with pytest.raises(SpecialPhotoError, match="2 annotators report"):
        special_photo_set(image=make_image(1, problem="2 annotators report it."), role=GOLD, expected=ANSWER)


def test_a_holdout_photo_leaves_the_evaluation_only_when_said_so(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    image = make_image(1, split="holdout")
    vote(image, people["alice"], 4)
    with pytest.raises(LeavesEvaluation, match="holdout"):
        special_photo_set(image=image, role=PRACTICE, expected=ANSWER)
    special_photo_set(image=image, role=GOLD, expected=ANSWER)  # its answer is shown to nobody
    assert len(vote_table(campaign, for_evaluation=True)) == 1
    special_photo_set(image=image, role=EXAMPLE, expected=ANSWER, leave_evaluation=True)
    assert len(vote_table(campaign, for_evaluation=True)) == 0
    assert len(vote_table(campaign)) == 1
    special_photo_set(image=image, role=PRACTICE, expected=ANSWER)  # it has left already
    special_photo_reset(image=image)
    assert len(vote_table(campaign, for_evaluation=True)) == 1


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """Nine photos with three votes each, around 1 … 9, and three that must not teach: holdout, a tie, most unsure."""
    images = images_make(campaign, 9)
    three = [people["alice"], people["bob"], people["rita"]]
    votes(images, three, [[s, s, min(s + 1, 10)] for s in range(1, 10)], [["no", "no", "yes"]] * 9)
    votes(images_make(campaign, 1, holdout=True), three, [[10, 10, 10]], [["yes"] * 3])
    votes(images_make(campaign, 1), three, [[10, 10, 10]], [["yes", "no", "unsure"]])
    votes(images_make(campaign, 1), three, [[10, 10, 10]], [["yes", "unsure", "unsure"]])
    return images


def test_five_practice_photos_from_worst_to_best(campaign: Campaign, rated: list[Image]) -> None:
    User.objects.filter(username="rita").update(is_simulated=True)
    chosen = practice_choose(campaign=campaign)
    assert [image.expected_score for image in chosen] == [1, 3, 5, 7, 9]
    assert {image.expected_watch for image in chosen} == {"no"}
    assert chosen[0].guidance == "3 annotators (1 simulated) gave 1.3 on average."
    assert list(practice_photos(campaign)) == chosen
    with pytest.raises(SpecialPhotoError, match="already"):
        practice_choose(campaign=campaign)


def test_choosing_says_what_is_missing(campaign: Campaign, people: dict[str, Any]) -> None:
    with pytest.raises(SpecialPhotoError, match="There are 0 so far"):
        practice_choose(campaign=campaign)
    three = [people["alice"], people["bob"], people["rita"]]
    votes(images_make(campaign, 6), three, [[5, 5, 6]] * 6, [["no"] * 3] * 6)
    with pytest.raises(SpecialPhotoError, match=r"only 0\.0 points"):
        practice_choose(campaign=campaign)
    assert not campaign.images.exclude(role="rated").exists()


def test_near_duplicates_and_answers_after_a_prediction_teach_nothing(
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


def test_a_photo_with_a_problem_comes_back_into_the_queue(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    image = make_image(1, problem="3 annotators skipped it.")
    assert special_counts(campaign).problem == 1
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    problem_remove(image=image)
    assert len(leases_claim(campaign=campaign, annotator=people["alice"], count=1)) == 1
    assert counters_rebuild(campaign=campaign) == 0


EVERYBODY = [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 403), ("ada", 200)]


@pytest.mark.parametrize(("name", "status"), EVERYBODY)
def test_special_photos_are_the_admins(
    campaign: Campaign, client_of: Any, make_image: Callable[..., Image], name: str, status: int
) -> None:
    image, broken = make_image(1), make_image(2, problem="Reported.")
    client, done = client_of(name), 302 if status == 200 else status
    assert client.get(reverse("special-photos", args=["watches"])).status_code == status
    one = reverse("special-photo", args=["watches", image.pk])
    assert client.get(one).status_code == status
    data = {"role": "gold", "expected_watch": "yes", "expected_score": "7"}
    assert client.post(one, data).status_code == done
    assert client.post(reverse("practice-choose", args=["watches"])).status_code == done
    assert client.post(reverse("photo-requeue", args=["watches", broken.pk])).status_code == done
    assert (fresh(image).role, fresh(broken).problem) == (("gold", "") if name == "ada" else ("rated", "Reported."))


def test_photos_of_another_campaign_are_not_found(
    client_of: Any, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    theirs = make_image(1, campaign=Campaign.objects.create(slug="other", name="Other"), problem="Reported.")
    for name in ("special-photo", "photo-requeue"):
        assert client_of("ada").post(reverse(name, args=["watches", theirs.pk]), {"role": "gold"}).status_code == 404


@pytest.mark.parametrize("show", ["practice", "example", "gold", "problem"])
def test_lists_take_as_many_queries_for_many_photos(campaign: Campaign, client_of: Any, show: str) -> None:
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
    assert queries() == few <= 7
    assert len(made) == 2


def test_the_page_asks_before_a_holdout_photo_teaches(client_of: Any, make_image: Callable[..., Image]) -> None:
    image = make_image(1, split="holdout")
    page = reverse("special-photo", args=["watches", image.pk])
    data = {"role": "practice", "expected_watch": "yes", "expected_score": "7"}
    asked = client_of("ada").post(page, data)
    assert (asked.status_code, fresh(image).role) == (422, "rated")
    assert "left out of every evaluation" in asked.content.decode()
    assert client_of("ada").post(page, data | {"leave_evaluation": "on"}).status_code == 302
    assert fresh(image).role == "practice"


def test_the_form_proposes_what_people_said_and_keeps_what_was_set(
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
    assert fresh(image).role == "rated"
    assert Annotation.objects.count() == 1


def test_the_photo_page_offers_the_form_to_admins_only(client_of: Any, image: Image) -> None:
    page = reverse("photo", args=["watches", image.pk])
    action = reverse("special-photo", args=["watches", image.pk])
    assert action in client_of("ada").get(page).content.decode()
    assert action not in client_of("rita").get(page).content.decode()
