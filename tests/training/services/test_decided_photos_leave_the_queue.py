"""Decided photos leave every lane but the random one, come back when deciding ends, and are counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.measures.figures_text import figures_text
from annotation.models import Annotation, Assignment, Campaign, Image, QueueLane, QueuePriority
from annotation.selectors.progress import DecidedPhotos, decided_in_queue
from annotation.services.annotations import annotation_record
from annotation.services.queue import leases_claim
from inference.decisions.calibration import Calibration, Tolerances
from inference.decisions.limits import Limits
from inference.models import DecisionRule, DecisionRun, ModelVersion
from inference.services.decision_rules import decision_rule_set
from inference.services.queue_priorities import priorities_refresh
from training.selectors.audit_photos import audit_table

BOTH = Tolerances(accepted=0.2, rejected=None, watch=None, missed=0.05, score_points=None, confidence=0.9)
LIMITS = Limits(
    accept_from=7.0,
    reject_below=None,
    watch_from=None,
    no_watch_below=0.1,
    half_width=None,
    confidence=0.9,
    calibrated_on=214,
)


@pytest.fixture
def photos(campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> list[Image]:
    """Return 6 photos: 0 and 1 wholly decided, 2 in its quality only, 3 in its watch only, 4 in nothing, 5 holdout."""
    images: list[Image] = make_rated_images(train=5, holdout=1, votes=0)
    said = [(9.0, 0.01), (8.0, 0.02), (9.0, 0.5), (5.0, 0.01), (5.0, 0.5), (9.0, 0.01)]
    make_version(1, champion=True, predict=dict(zip(images, said, strict=True)))
    campaign.lane_shares = {"fewest_votes": 0.5, "random": 0.25, "holdout": 0.25}
    campaign.gold_share = campaign.repeat_share = 0.0
    campaign.save()
    return images


@pytest.fixture
def run(campaign: Campaign, photos: list[Image], people: dict[str, Any]) -> DecisionRun:
    """Return a calibration by which the model decides."""
    return calibrate(campaign, people, BOTH, LIMITS)


def calibrate(campaign: Campaign, people: dict[str, Any], allowed: Tolerances, limits: Limits) -> DecisionRun:
    rule = decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=allowed)
    return DecisionRun.objects.create(
        campaign=campaign,
        rule_number=rule.number,
        model_version=ModelVersion.objects.get(is_champion=True),
        class_limits=[campaign.reject_at, campaign.pending_at],
        figures=figures_text(Calibration(limits, ())),
    )


def in_lane(campaign: Campaign, photos: list[Image], lane: str = "fewest_votes") -> list[int]:
    """Refresh the lanes. Return the places in `photos` of those in a lane."""
    priorities_refresh(campaign=campaign)
    rows = QueuePriority.objects.filter(lane__name=lane)
    there = set(rows.values_list("image_id", flat=True))
    return [place for place, photo in enumerate(photos) if photo.pk in there]


def test_only_photos_of_which_everything_is_decided_leave(
    campaign: Campaign, photos: list[Image], run: DecisionRun
) -> None:
    assert in_lane(campaign, photos) == [2, 3, 4, 5]
    assert in_lane(campaign, photos, "holdout") == [5]
    assert decided_in_queue(campaign) == DecidedPhotos(photos=2, votes=6)


def test_lanes_that_look_at_photos_leave_them_out(campaign: Campaign, photos: list[Image], run: DecisionRun) -> None:
    campaign.lane_shares = {"watch_margin": 0.5, "typical_first": 0.5}
    campaign.save()
    assert in_lane(campaign, photos, "watch_margin") == [2, 3, 4]
    assert in_lane(campaign, photos, "typical_first") == [2, 3, 4]


def test_the_random_lane_still_gives_them(
    campaign: Campaign, photos: list[Image], run: DecisionRun, people: dict[str, Any]
) -> None:
    campaign.lane_shares = {"random": 1.0}
    campaign.save()
    priorities_refresh(campaign=campaign)
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=6)
    assert {lease.image_id for lease in leases} == {photo.pk for photo in photos}


def test_they_come_after_all_others_where_a_lane_is_empty(
    campaign: Campaign, photos: list[Image], run: DecisionRun, people: dict[str, Any]
) -> None:
    campaign.lane_shares = {"fewest_votes": 1.0}
    campaign.save()
    priorities_refresh(campaign=campaign)
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=6)
    assert [lease.lane for lease in leases] == ["fewest_votes"] * 4 + ["random"] * 2
    assert {lease.image_id for lease in leases[4:]} == {photos[0].pk, photos[1].pk}


class TestTheyComeBack:
    """When deciding ends, the next refresh brings all photos back."""

    def test_when_deciding_pauses_and_leave_when_it_goes_on(
        self, campaign: Campaign, photos: list[Image], run: DecisionRun
    ) -> None:
        assert in_lane(campaign, photos) == [2, 3, 4, 5]
        DecisionRun.objects.update(pause=DecisionRun.Pause.DRIFT, paused_at=timezone.now())
        assert in_lane(campaign, photos) == [0, 1, 2, 3, 4, 5]
        assert decided_in_queue(campaign) == DecidedPhotos(0, 0)
        DecisionRun.objects.update(pause="")
        assert in_lane(campaign, photos) == [2, 3, 4, 5]

    def test_when_the_rule_is_off(
        self, campaign: Campaign, photos: list[Image], run: DecisionRun, people: dict[str, Any]
    ) -> None:
        in_lane(campaign, photos)
        decision_rule_set(campaign=campaign, by=people["ada"], is_on=False, tolerances=BOTH)
        assert in_lane(campaign, photos) == [0, 1, 2, 3, 4, 5]

    def test_when_the_rule_changes_until_it_is_calibrated(
        self, campaign: Campaign, photos: list[Image], run: DecisionRun, people: dict[str, Any]
    ) -> None:
        stricter = replace(BOTH, accepted=0.1)
        decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=stricter)
        assert in_lane(campaign, photos) == [0, 1, 2, 3, 4, 5]
        calibrate(campaign, people, stricter, replace(LIMITS, accept_from=8.5))
        assert in_lane(campaign, photos) == [1, 2, 3, 4, 5]

    def test_with_another_champion(
        self, campaign: Campaign, photos: list[Image], run: DecisionRun, make_version: Callable[..., Any]
    ) -> None:
        ModelVersion.objects.update(is_champion=False)
        make_version(2, champion=True, predict=dict.fromkeys(photos, (9.0, 0.01)))
        assert in_lane(campaign, photos) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("allowed", "limits", "left"),
    [
        pytest.param(replace(BOTH, missed=None), replace(LIMITS, no_watch_below=None), [], id="quality only"),
        pytest.param(replace(BOTH, accepted=None), replace(LIMITS, accept_from=None), [], id="watch only"),
        pytest.param(
            replace(BOTH, accepted=None, score_points=2.0),
            replace(LIMITS, accept_from=None, half_width=2.0),
            [0, 1, 3],
            id="score and watch",
        ),
        pytest.param(replace(BOTH, score_points=2.0), LIMITS, [], id="class and score, but no limit for the score"),
        pytest.param(replace(BOTH, score_points=2.0), replace(LIMITS, half_width=2.0), [0, 1], id="all three"),
    ],
)
def test_what_the_rule_states_says_which_photos_leave(
    campaign: Campaign,
    photos: list[Image],
    people: dict[str, Any],
    allowed: Tolerances,
    limits: Limits,
    left: list[int],
) -> None:
    calibrate(campaign, people, allowed, limits)
    assert in_lane(campaign, photos) == [place for place in range(6) if place not in left]


def test_votes_and_undo_change_how_many_votes_are_saved(
    campaign: Campaign, photos: list[Image], run: DecisionRun, people: dict[str, Any]
) -> None:
    campaign.lane_shares = {"random": 0.5, "fewest_votes": 0.5}
    campaign.save()
    priorities_refresh(campaign=campaign)
    Image.objects.exclude(pk=photos[0].pk).update(problem="reported")
    (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert lease.image_id == photos[0].pk
    whose = {"campaign": campaign, "annotator": people["alice"], "image_id": photos[0].pk, "lease_id": lease.pk}
    annotation_record(**whose, client_id=uuid4(), watch="yes", score=2)
    Image.objects.update(problem="")
    assert in_lane(campaign, photos) == [2, 3, 4, 5]  # an answer that agrees or not: the decision is the model's
    assert decided_in_queue(campaign) == DecidedPhotos(photos=2, votes=5)
    annotation_record(**whose, client_id=uuid4(), skip_reason="unsure")  # takes the answer back
    assert in_lane(campaign, photos) == [2, 3, 4, 5]
    assert decided_in_queue(campaign) == DecidedPhotos(photos=2, votes=6)


def test_a_photo_for_which_a_reviewer_asked_more_votes_stays(
    campaign: Campaign, photos: list[Image], run: DecisionRun
) -> None:
    Image.objects.filter(pk=photos[0].pk).update(extra_votes=2, votes_needed=5, open_slots=5)
    assert in_lane(campaign, photos) == [0, 2, 3, 4, 5]
    assert decided_in_queue(campaign) == DecidedPhotos(photos=1, votes=3)


def test_nothing_leaves_without_a_holdout(campaign: Campaign, photos: list[Image], run: DecisionRun) -> None:
    Image.objects.filter(pk=photos[5].pk).update(split="train")
    assert in_lane(campaign, photos) == [0, 1, 2, 3, 4, 5]
    assert DecisionRule.objects.get().left_queue_at is None


def test_random_answers_from_before_stay_audit_answers(
    campaign: Campaign, photos: list[Image], run: DecisionRun, people: dict[str, Any]
) -> None:
    version = ModelVersion.objects.get(is_champion=True)
    for photo in photos[:2]:
        Assignment.objects.create(
            campaign=campaign, image=photo, annotator=people["alice"], lane="random", expires_at=timezone.now()
        )
        Annotation.objects.create(
            client_id=uuid4(), campaign=campaign, image=photo, annotator=people["alice"], watch="no", score=9
        )
    assert len(audit_table(campaign, version, panel=1).photos) == 2
    priorities_refresh(campaign=campaign)
    left_at = DecisionRule.objects.get().left_queue_at
    assert left_at is not None
    assert len(audit_table(campaign, version, panel=1).photos) == 2
    Annotation.objects.filter(image=photos[0]).update(created_at=left_at + timedelta(seconds=1))
    assert len(audit_table(campaign, version, panel=1).photos) == 1


def test_a_refresh_reads_the_decisions_once_for_all_lanes(
    campaign: Campaign, photos: list[Image], run: DecisionRun
) -> None:
    priorities_refresh(campaign=campaign)
    with CaptureQueriesContext(connection) as captured:
        priorities_refresh(campaign=campaign)
    assert sum("inference_decisionrun" in query["sql"] for query in captured) == 1
    assert QueueLane.objects.filter(decided_photos=2).count() == 2


def test_pages_say_what_is_saved(
    campaign: Campaign, photos: list[Image], run: DecisionRun, client_of: Callable[[str], Any]
) -> None:
    priorities_refresh(campaign=campaign)
    status, following = f"/campaigns/{campaign.slug}/", f"/campaigns/{campaign.slug}/next/"
    page = client_of("rita").get(following).text
    assert "The model has decided 2 photos that lack votes" in page
    assert "up to 6 votes. Its limits rest on 214 audit photos." in page
    assert "votes saved: <a" in client_of("rita").get(status).text
    DecisionRun.objects.update(pause=DecisionRun.Pause.DRIFT, paused_at=timezone.now())
    priorities_refresh(campaign=campaign)
    assert "has decided" not in client_of("rita").get(following).text
    assert "votes saved: <a" not in client_of("rita").get(status).text
