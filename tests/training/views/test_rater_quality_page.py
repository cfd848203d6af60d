"""The page Annotator quality: anchoring, hidden repeats, gold photos and skips."""

import html
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image, ImportedAnnotator, User
from annotation.selectors.rater_quality import rater_qualities
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote
from training.models import Promotion
from training.selectors.anchoring import anchoring_measure

PAGE = "/campaigns/watches/annotator-quality/"
OLD_ADDRESS = "/campaigns/watches/rating-practice/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def skip(image: Image, annotator: User) -> Annotation:
    return vote(image, annotator, None, "", skip_reason="I cannot judge this photo")  # type: ignore[arg-type]


@pytest.fixture
def anchored(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """12 photos with the predicted score 8. Bob answers 4 without the prediction, alice 6 after seeing it."""
    images = images_make(campaign, 12)
    predictions_make(version_make(campaign), images, [8.0] * 12)
    for image in images:
        vote(image, people["bob"], 4)
        vote(image, people["alice"], 6, is_anchored=True, saw_prediction=True)
    return images


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 200), ("ada", 200)],
)
def test_only_reviewers_and_admins_see_the_page(client_of: Callable[[str], Any], name: str, status: int) -> None:
    assert client_of(name).get(PAGE).status_code == status


def test_the_old_address_redirects_to_the_page(client_of: Callable[[str], Any]) -> None:
    response = client_of("rita").get(f"{OLD_ADDRESS}?from=mail")
    assert (response.status_code, response["Location"]) == (301, f"{PAGE}?from=mail")


@pytest.mark.parametrize(("name", "status"), [("mallory", 404), ("alice", 403), ("rita", 200)])
def test_the_old_address_checks_the_same_permissions(client_of: Callable[[str], Any], name: str, status: int) -> None:
    client = client_of(name)
    assert client.get(client.get(OLD_ADDRESS)["Location"]).status_code == status


def test_only_reviewers_and_admins_have_it_in_the_navigation(client_of: Callable[[str], Any]) -> None:
    assert PAGE in client_of("rita").get("/campaigns/watches/calibration/").content.decode()
    assert PAGE not in client_of("alice").get("/campaigns/watches/").content.decode()


def test_an_empty_campaign_says_that_there_are_no_answers(client_of: Callable[[str], Any]) -> None:
    text = text_of(client_of("ada").get(PAGE))
    assert "The anchoring experiment is off" in text
    assert "No answers yet" in text


def test_the_title_says_how_much_the_prediction_influences_people(
    client_of: Callable[[str], Any], anchored: list[Image]
) -> None:
    response = client_of("rita").get(PAGE)
    text = text_of(response)
    assert (
        "Seeing the prediction first moves scores 2.0 points (50 % of the distance) towards it "
        "(95 %: +2.0 to +2.0 points), n = 12 photos"
    ) in text
    assert "blind 4.00" in text
    assert "shown first 2.00" in text
    assert 'role="img" aria-label="Mean distance from the prediction' in response.content.decode()


def test_the_page_says_when_there_are_too_few_answers(
    client_of: Callable[[str], Any], campaign: Campaign, anchored: list[Image]
) -> None:
    Campaign.objects.update(anchoring_share=0.1)
    Annotation.objects.filter(image__in=anchored[3:]).delete()
    text = text_of(client_of("rita").get(PAGE))
    assert "The anchoring experiment needs more answers" in text
    assert "3 answers were given after seeing the prediction" in text


def test_corrections_do_not_count(campaign: Campaign, people: Any, anchored: list[Image]) -> None:
    before = anchoring_measure(campaign)
    first = Annotation.objects.get(image=anchored[0], annotator=people["bob"])
    vote(anchored[0], people["bob"], 8, supersedes=first, saw_prediction=True)
    first = Annotation.objects.get(image=anchored[1], annotator=people["alice"])
    vote(anchored[1], people["alice"], 8, supersedes=first, is_anchored=True, saw_prediction=True)
    vote(anchored[2], people["bob"], 8, is_repeat=True)
    assert anchoring_measure(campaign) == before


def test_answers_are_compared_with_the_prediction_that_was_shown(
    campaign: Campaign, people: Any, anchored: list[Image]
) -> None:
    """A later champion predicts other scores. No annotator saw them before answering."""
    first = campaign.model_versions.get(number=1)
    before = anchoring_measure(campaign)
    campaign.model_versions.update(is_champion=False)
    second = version_make(campaign, 2)
    predictions_make(second, anchored, [1.0] * 12)
    promotion = Promotion.objects.create(campaign=campaign, kind="manual", version=second, replaced=first)
    assert anchoring_measure(campaign) == before
    Promotion.objects.filter(pk=promotion.pk).update(created_at=timezone.now() - timedelta(days=1))
    after = anchoring_measure(campaign)
    assert after is not None
    assert after.shift.value == -2


def test_answers_whose_prediction_was_deleted_are_left_out(campaign: Campaign, anchored: list[Image]) -> None:
    campaign.model_versions.get().predictions.filter(image=anchored[0]).delete()
    measured = anchoring_measure(campaign)
    assert measured is not None
    assert measured.photos == 11


class TestAnnotators:
    @pytest.fixture
    def rated(self, campaign: Campaign, people: Any) -> Sequence[Image]:
        images = images_make(campaign, 60)
        for number, image in enumerate(images[:40]):
            vote(
                image,
                people["alice"],
                1 + number % 10,
                "unsure" if number < 4 else "no",
                milliseconds=1000 + 100 * number,
                viewing={"input": "keys" if number % 3 else "touch"},
            )
        return images

    def quality_of(self, campaign: Campaign, name: str) -> Any:
        return next(one for one in rater_qualities(campaign) if one.username == name)

    def test_counts_shares_and_times(self, campaign: Campaign, people: Any, rated: Sequence[Image]) -> None:
        skip(rated[40], people["alice"])
        alice = self.quality_of(campaign, "alice")
        assert (alice.answers, alice.skips, alice.unsure_share) == (40, 1, 0.1)
        assert alice.seconds == pytest.approx(2.95)
        assert alice.input == "keys"
        assert alice.flags == []
        assert (alice.repeats, alice.gold) == (None, None)

    def test_many_recent_skips_are_flagged(self, campaign: Campaign, people: Any, rated: Sequence[Image]) -> None:
        for image in rated[40:55]:
            skip(image, people["alice"])
        assert self.quality_of(campaign, "alice").flags == [], (
            "15 of the last 50 is exactly 30 %, which is not too many"
        )
        skip(rated[55], people["alice"])
        assert self.quality_of(campaign, "alice").flags == ["skipped 16 of the last 50 photos"]

    def test_a_few_skips_at_the_start_are_not_flagged(
        self, campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        for image in rated[:5]:
            skip(image, people["bob"])
        assert self.quality_of(campaign, "bob").flags == []

    def test_repeats_are_compared_with_the_latest_answer(
        self, campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        vote(rated[0], people["alice"], 1, "yes", is_repeat=True)  # the first answer was 1, unsure
        vote(rated[1], people["alice"], 5, "unsure", is_repeat=True)  # the first answer was 2, unsure
        first = Annotation.objects.get(image=rated[1], annotator=people["alice"], is_repeat=False)
        vote(rated[1], people["alice"], 4, "unsure", supersedes=first)
        repeats = self.quality_of(campaign, "alice").repeats
        assert (repeats.n, repeats.exact.value, repeats.within_one.value, repeats.watch.value) == (2, 0.5, 1, 0.5)

    def test_inconsistent_answers_to_repeats_are_flagged(
        self, campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        for number, image in enumerate(rated[:20]):
            vote(image, people["alice"], 10 - number % 10, is_repeat=True)
        assert "rates repeated photos differently" in self.quality_of(campaign, "alice").flags[0]

    def test_a_gold_answer_is_correct_within_one_point(
        self, campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        Image.objects.filter(pk__in=[image.pk for image in rated[:10]]).update(
            role="gold", expected_score=2, expected_watch=""
        )
        Image.objects.filter(pk=rated[11].pk).update(role="gold")  # without a known answer
        alice = self.quality_of(campaign, "alice")
        assert (alice.gold.n, alice.gold.value) == (10, 0.3)
        assert alice.flags == ["only 3 of 10 gold photos correct"]

    def test_a_few_wrong_gold_answers_are_not_flagged(
        self, campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        Image.objects.filter(pk__in=[image.pk for image in rated[3:7]]).update(
            role="gold", expected_score=1, expected_watch="unsure"
        )
        alice = self.quality_of(campaign, "alice")
        assert (alice.gold.n, alice.gold.value, alice.flags) == (4, 0.0, [])

    def test_an_annotator_who_always_gives_the_same_score_is_flagged(
        self, campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        for image in rated[:30]:
            vote(image, people["bob"], 5)
        assert self.quality_of(campaign, "bob").flags == [
            "the last 30 scores are nearly the same: variance 0.00, limit 0.76, n = 30"
        ]

    def test_the_page_shows_issues_and_marks_simulated_annotators(
        self, client_of: Callable[[str], Any], people: Any, rated: Sequence[Image]
    ) -> None:
        User.objects.filter(pk=people["bob"].pk).update(is_simulated=True)
        for image in rated[:30]:
            vote(image, people["bob"], 5)
        text = text_of(client_of("rita").get(PAGE))
        assert "1 of 2 annotators has issues; for 1 there are not enough answers to tell" in text
        assert "bob simulated" in text
        assert "alice not enough answers to tell" in text, "her scores cannot correlate with scores that are all 5"
        assert "skipped, unsure 0 %, 10 %; input mostly keys" in text

    def test_people_who_are_known_only_from_imported_votes_are_marked(
        self, client_of: Callable[[str], Any], campaign: Campaign, people: Any, rated: Sequence[Image]
    ) -> None:
        ImportedAnnotator.objects.create(campaign=campaign, user=people["bob"], name="rater 7")
        vote(rated[0], people["bob"], 5)
        text = text_of(client_of("rita").get(PAGE))
        assert "bob imported" in text
        assert text.count(" imported ") == 1

    def test_more_annotators_need_no_more_queries(
        self,
        client_of: Callable[[str], Any],
        people: Any,
        rated: Sequence[Image],
        anchored: list[Image],
        make_user: Callable[..., User],
    ) -> None:
        client = client_of("rita")
        client.get(PAGE)
        with CaptureQueriesContext(connection) as few:
            client.get(PAGE)
        vote(rated[0], make_user("one-more"), 5)
        with CaptureQueriesContext(connection) as counted:
            client.get(PAGE)
        for number in range(5):
            user = make_user(f"more-{number}")
            for image in rated[:12]:
                vote(image, user, 5)
                vote(image, user, 6, is_repeat=True)
        with CaptureQueriesContext(connection) as many:
            client.get(PAGE)
        assert len(few) <= 18
        assert len(many) == len(counted) <= 32
