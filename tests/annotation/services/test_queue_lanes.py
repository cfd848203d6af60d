"""Gold photos and the anchoring experiment in the queue, and fairness to photos and annotators."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from annotation.models import Annotation, Assignment, Campaign, Image
from annotation.selectors.progress import queue_status
from annotation.services.annotations import annotation_record, prediction_shown
from annotation.services.queue import counters_rebuild, leases_claim, leases_return


@pytest.fixture
def campaign(campaign: Campaign) -> Campaign:
    campaign.gold_share = 0.0
    campaign.save()
    return campaign


def claim(campaign: Campaign, annotator: Any, count: int = 1, *, seed: int = 1) -> list[Assignment]:
    return leases_claim(campaign=campaign, annotator=annotator, count=count, rng=random.Random(seed))


def answer(campaign: Campaign, lease: Assignment, **fields: Any) -> Annotation:
    return annotation_record(
        campaign=campaign,
        annotator=lease.annotator,
        image_id=lease.image_id,
        client_id=uuid4(),
        lease_id=lease.pk,
        **(fields or {"watch": "yes", "score": 7}),
    ).annotation


class TestGold:
    @pytest.fixture
    def photos(self, campaign: Campaign, make_image: Callable[..., Image]) -> list[Image]:
        campaign.gold_share = 0.3
        return [make_image(seed) for seed in range(30)]

    @pytest.fixture
    def gold(self, make_image: Callable[..., Image]) -> list[Image]:
        return [make_image(100 + seed, role="gold", expected_score=5) for seed in range(3)]

    def answer_all(self, campaign: Campaign, annotator: Any) -> list[Assignment]:
        rng, done = random.Random(3), []
        while leases := leases_claim(campaign=campaign, annotator=annotator, count=2, rng=rng):
            for lease in leases:
                answer(campaign, lease)
            done += leases
        return done

    def test_each_annotator_gets_each_gold_photo_once(
        self, campaign: Campaign, people: Any, photos: list[Image], gold: list[Image]
    ) -> None:
        ids = {photo.pk for photo in gold}
        for name in ("alice", "bob", "rita", "ada"):
            done = self.answer_all(campaign, people[name])
            assert ids == {lease.image_id for lease in done if lease.lane == "gold"} or name == "ada"
            assert max(Counter(lease.image_id for lease in done).values(), default=1) == 1
        assert not Image.objects.filter(role="rated").exclude(open_slots=0).exists()
        assert Annotation.objects.filter(image__in=gold).votes().count() == 9, (
            "answers to gold photos are ordinary answers"
        )
        assert not Annotation.objects.filter(is_repeat=True).exists()
        assert counters_rebuild(campaign=campaign) == 0

    def test_a_campaign_is_done_even_if_gold_photos_are_left(
        self, campaign: Campaign, people: Any, photos: list[Image], gold: list[Image]
    ) -> None:
        for name in ("alice", "bob", "rita"):
            self.answer_all(campaign, people[name])
        assert claim(campaign, people["ada"], 5) == [], "gold photos come only together with ordinary photos"
        assert "All done" in queue_status(campaign, people["ada"])

    def test_a_returned_gold_photo_comes_back(
        self, campaign: Campaign, people: Any, photos: list[Image], gold: list[Image]
    ) -> None:
        campaign.gold_share = 1.0
        (lease,) = claim(campaign, people["alice"])
        assert lease.image.role == "gold"
        leases_return(campaign=campaign, annotator=people["alice"], image_ids=[lease.image_id])
        Image.objects.filter(pk=lease.image_id).update(votes_needed=0, open_slots=0)
        Image.objects.filter(role="rated").update(problem="It does not open.")
        assert queue_status(campaign, people["alice"]) == ""
        assert [one.pk for one in claim(campaign, people["alice"])] == [lease.pk]
        assert counters_rebuild(campaign=campaign) == 0

    def test_a_gold_photo_with_a_problem_is_not_leased(
        self, campaign: Campaign, people: Any, photos: list[Image], gold: list[Image]
    ) -> None:
        campaign.gold_share = 1.0
        Image.objects.filter(role="gold").update(problem="It does not open.")
        assert [lease.lane for lease in claim(campaign, people["alice"], 3)] == ["random"] * 3

    def test_annotators_do_not_get_gold_photos_that_they_have_rated(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.gold_share = 0
        (lease,) = claim(campaign, people["alice"])
        answer(campaign, lease)
        Image.objects.filter(pk=lease.image_id).update(role="gold", expected_score=5)
        campaign.gold_share = 1.0
        assert {one.lane for one in claim(campaign, people["alice"], 5)} == {"random"}
        assert claim(campaign, people["bob"])[0].lane == "gold"


class TestAnchoring:
    @pytest.fixture
    def photos(self, make_image: Callable[..., Image]) -> list[Image]:
        return [make_image(seed) for seed in range(40)]

    @pytest.mark.parametrize(("mode", "expects_anchored"), [("blind", True), ("reveal", True), ("prelabel", False)])
    def test_a_share_of_leases_is_anchored_except_in_prelabel_mode(
        self, campaign: Campaign, people: Any, photos: list[Image], mode: str, expects_anchored: bool
    ) -> None:
        campaign.mode, campaign.anchoring_share = mode, 0.5
        leases = claim(campaign, people["alice"], 40)
        anchored = sum(lease.is_anchored for lease in leases)
        assert (10 <= anchored <= 30) if expects_anchored else anchored == 0
        assert not any(lease.saw_prediction for lease in leases)

    def test_an_answer_is_anchored_only_if_the_prediction_was_shown(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.anchoring_share = 1.0
        shown, not_shown = claim(campaign, people["alice"], 2)
        prediction_shown(campaign=campaign, annotator=people["alice"], image_id=shown.image_id)
        row = answer(campaign, shown)
        assert (row.is_anchored, row.saw_prediction) == (True, True)
        row = answer(campaign, not_shown)
        assert (row.is_anchored, row.saw_prediction) == (False, False)

    def test_a_correction_is_anchored_if_the_first_answer_was(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.anchoring_share = 1.0
        shown, not_shown = claim(campaign, people["alice"], 2)
        prediction_shown(campaign=campaign, annotator=people["alice"], image_id=shown.image_id)
        for lease in (shown, not_shown):
            answer(campaign, lease)
        prediction_shown(campaign=campaign, annotator=people["alice"], image_id=not_shown.image_id)  # after the answer
        assert answer(campaign, shown).is_anchored
        assert not answer(campaign, not_shown).is_anchored

    def test_a_lease_that_comes_back_is_still_anchored(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.anchoring_share = 1.0
        (lease,) = claim(campaign, people["alice"])
        leases_return(campaign=campaign, annotator=people["alice"], image_ids=[lease.image_id])
        campaign.anchoring_share = 0.0
        again = claim(campaign, people["alice"], 2)
        assert [one.is_anchored for one in again] == [True, False]


class TestFairness:
    def test_a_photo_that_is_added_late_gets_its_votes_before_all_others_are_done(
        self, campaign: Campaign, people: Any, make_image: Callable[..., Image]
    ) -> None:
        """Each claim starts at a random queue position. So the photo that is added last is not leased last."""
        for seed in range(40):
            make_image(seed)
        names, rng = ["alice", "bob", "rita", "ada"], random.Random(2)
        for _ in range(10):
            answer(campaign, claim(campaign, people["alice"], seed=rng.randrange(10**6))[0])
        late = make_image(99)
        for number in range(120):
            person = people[names[number % 4]]
            for lease in claim(campaign, person, seed=rng.randrange(10**6)):
                answer(campaign, lease)
            if Image.objects.get(pk=late.pk).vote_count == 3:
                break
        assert Image.objects.get(pk=late.pk).vote_count == 3
        assert Image.objects.filter(open_slots__gt=0).count() > 1

    def test_annotators_who_work_equally_get_similar_numbers_of_photos(
        self, campaign: Campaign, people: Any, make_image: Callable[..., Image]
    ) -> None:
        for seed in range(24):
            make_image(seed)
        names, rng = ["alice", "bob", "rita", "ada"], random.Random(4)
        idle = 0
        while idle < 4:
            for name in names:
                leases = leases_claim(campaign=campaign, annotator=people[name], count=2, rng=rng)
                idle = 0 if leases else idle + 1
                for lease in leases:
                    answer(campaign, lease)
        answer_counts = Counter(Annotation.objects.values_list("annotator__username", flat=True))
        assert sum(answer_counts.values()) == 72
        assert max(answer_counts.values()) - min(answer_counts.values()) <= 4
