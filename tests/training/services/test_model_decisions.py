"""What the model decides: calibrated on audit votes, checked on fresh ones, and paused when it no longer holds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotation.models import Annotation, Assignment, AuditKind, AuditRecord, Campaign, Image, ImportBatch
from inference.decisions.calibration import Statement, Tolerances
from inference.gallery.decisions import State, deciding
from inference.models import DecisionCheck, DecisionRun, ModelVersion
from inference.services.decision_rules import decision_rule_set
from training.models import DriftCheck, TrainingRun
from training.selectors.audit_photos import audit_table
from training.services.model_decisions import decisions_due, decisions_update

ALLOWED = Tolerances(accepted=0.2, rejected=None, watch=None, missed=None, score_points=None, confidence=0.9)


@pytest.fixture
def rated(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any], people: dict[str, Any]
) -> Callable[..., ModelVersion]:
    """Return a function: a champion, and rated photos on which people and the champion say the same."""

    def make(holdout: int, *, train: int = 0) -> ModelVersion:
        images = make_rated_images(train=train, holdout=holdout, votes=1)
        means = dict(Annotation.objects.values_list("image_id", "score"))
        predict = {image: (float(means.get(image.pk, 5)), 0.2) for image in images}
        decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=ALLOWED)
        return make_version(1, champion=True, predict=predict)

    return make


def spread(campaign: Campaign) -> None:
    """Give the photos scores from 1 to 10 in turn, the same by people and model."""
    version = ModelVersion.objects.get(is_champion=True)
    for number, prediction in enumerate(version.predictions.order_by("image")):
        score = number % 10 + 1
        prediction.quality_mean = score
        prediction.save()
        Annotation.objects.filter(image=prediction.image_id).update(score=score)


def photos_add(campaign: Campaign, people: dict[str, Any], count: int, *, score: int) -> None:
    """Add holdout photos that the champion predicts as very good, with a vote each."""
    version = ModelVersion.objects.get(is_champion=True)
    like = campaign.images.first()
    prediction = version.predictions.first()
    assert like is not None
    assert prediction is not None
    for number in range(count):
        image = Image.objects.get(pk=like.pk)
        image.pk, image.sha256, image.split = None, f"{number:064d}", Image.Split.HOLDOUT
        image.group = uuid4()
        image._state.adding = True
        image.save()
        prediction.pk, prediction.image, prediction.quality_mean = None, image, 10.0
        prediction._state.adding = True
        prediction.save()
        vote(campaign, people["alice"], image, score)


def vote(campaign: Campaign, annotator: Any, image: Image, score: int) -> Annotation:
    """Store a vote."""
    return Annotation.objects.create(
        client_id=uuid4(), campaign=campaign, image=image, annotator=annotator, watch="no", score=score
    )


def test_the_first_calibration_decides_and_counts(campaign: Campaign, rated: Callable[..., ModelVersion]) -> None:
    version = rated(200)
    spread(campaign)
    assert deciding(campaign).state == State.WAITING
    assert decisions_due() == [campaign.pk]
    run = decisions_update(campaign=campaign)
    found = deciding(campaign)
    assert run is not None
    assert found.state == State.DECIDING
    assert found.limits is not None
    assert found.limits.calibrated_on == 200
    assert found.limits.accept_from == 7
    assert run.model_version == version
    assert run.counts["photos"] == 200
    assert run.counts["accepted"] == 80
    # No worker has stored the consensus of people in this test.
    assert run.counts["quality_model"] == run.counts["accepted"] == 200 - run.counts["quality_nobody"]
    assert decisions_due() == []


def test_new_photos_are_counted_some_minutes_after_their_import(
    campaign: Campaign, rated: Callable[..., ModelVersion], people: dict[str, Any]
) -> None:
    rated(200)
    spread(campaign)
    decisions_update(campaign=campaign)
    now = timezone.now()
    photos_add(campaign, people, 10, score=10)
    Annotation.objects.filter(image__in=Image.objects.order_by("-pk")[:10]).delete()
    ImportBatch.objects.create(campaign=campaign, state=ImportBatch.State.DONE, added=10, finished_at=now)
    assert decisions_due() == []
    DecisionRun.objects.update(checked_at=now - timedelta(minutes=11))
    assert decisions_due() == [campaign.pk]
    ImportBatch.objects.update(finished_at=now - timedelta(minutes=30))  # the look came long enough after it
    assert decisions_due() == []
    run = decisions_update(campaign=campaign)
    assert run is not None
    assert run.counts["photos"] == 210


def test_too_few_votes_decide_nothing(campaign: Campaign, rated: Callable[..., ModelVersion]) -> None:
    rated(8)
    decisions_update(campaign=campaign)
    found = deciding(campaign)
    assert found.state == State.TOO_FEW
    assert found.limits is None
    assert found.calibration is not None
    finding = found.calibration.finding(Statement.ACCEPTED)
    assert finding is not None
    assert finding.limit is None


def test_fresh_votes_that_contradict_pause_until_newer_votes_support_a_limit(
    campaign: Campaign, rated: Callable[..., ModelVersion], people: dict[str, Any]
) -> None:
    rated(200)
    spread(campaign)
    Annotation.objects.update(created_at=timezone.now() - timedelta(hours=1))
    decisions_update(campaign=campaign, now=timezone.now() - timedelta(minutes=30))
    photos_add(campaign, people, 15, score=1)
    assert decisions_due() == [campaign.pk]
    decisions_update(campaign=campaign)
    found = deciding(campaign)
    assert found.state == State.PAUSED
    assert found.limits is None
    assert found.run is not None
    assert (found.run.pause, found.run.pause_statement) == ("broken", "accepted")
    checked = DecisionCheck.objects.get().checked
    assert checked is not None
    assert checked.broken is not None
    assert (checked.broken.photos, checked.broken.wrong) == (15, 15)
    # The votes before no longer count, and later ones end the pause.
    decisions_update(campaign=campaign)
    assert deciding(campaign).state == State.PAUSED
    Annotation.objects.filter(score=1, created_at__gt=timezone.now() - timedelta(minutes=20)).update(score=10)
    votes_add(campaign, people)
    decisions_update(campaign=campaign)
    assert deciding(campaign).state == State.DECIDING


def votes_add(campaign: Campaign, people: dict[str, Any]) -> None:
    """A second person answers like the model on every photo: new votes on photos of the holdout."""
    version = ModelVersion.objects.get(is_champion=True)
    for prediction in version.predictions.select_related("image"):
        vote(campaign, people["bob"], prediction.image, round(prediction.quality_mean))


def test_a_new_champion_and_new_class_limits_pause_until_calibrated(
    campaign: Campaign, rated: Callable[..., ModelVersion], make_version: Callable[..., Any]
) -> None:
    old = rated(200)
    spread(campaign)
    decisions_update(campaign=campaign)
    ModelVersion.objects.update(is_champion=False)
    new = make_version(
        2,
        champion=True,
        predict={one.image: (one.quality_mean, 0.2) for one in old.predictions.select_related("image")},
    )
    assert deciding(campaign).state == State.NEW_MODEL
    assert deciding(campaign).limits is None
    assert decisions_due() == [campaign.pk]
    run = decisions_update(campaign=campaign)
    assert run is not None
    assert run.model_version == new
    assert deciding(campaign).state == State.DECIDING
    Campaign.objects.update(pending_at=8.0)
    campaign.refresh_from_db()
    assert deciding(campaign).state == State.NEW_CLASSES
    decisions_update(campaign=campaign)
    limits = deciding(campaign).limits
    assert limits is not None
    assert limits.accept_from is not None
    assert limits.accept_from > 7


def drift_found(campaign: Campaign, version: ModelVersion, verdict: str, *, at: datetime | None = None) -> None:
    """Store a check of the photos of the last week."""
    at = at or timezone.now()
    none: dict[str, Any] = dict.fromkeys(("coefficient", "by_chance", "p_value", "power"))
    none |= {"new_photos": 50, "new_groups": 50, "old_photos": 100}
    DriftCheck.objects.all().delete()
    DriftCheck.objects.create(
        campaign=campaign,
        model_version=version,
        made_at=at,
        since=at - timedelta(days=7),
        photos={"verdict": verdict, **none},
        scores={"verdict": "no drift", **none},
        weeks=[],
    )


def calibrated_last_month(campaign: Campaign, rated: Callable[..., ModelVersion]) -> ModelVersion:
    """Return a champion whose decisions rest on photos of last month. Their votes are of today."""
    version = rated(200)
    spread(campaign)
    decisions_update(campaign=campaign, now=timezone.now() - timedelta(days=1))
    Image.objects.update(created_at=timezone.now() - timedelta(days=30))
    return version


@pytest.mark.parametrize("verdict", ["drift", "no drift"])
def test_drift_after_the_calibration_pauses(
    campaign: Campaign, rated: Callable[..., ModelVersion], verdict: str
) -> None:
    version = calibrated_last_month(campaign, rated)
    drift_found(campaign, version, verdict)
    assert decisions_due() == [campaign.pk]
    decisions_update(campaign=campaign)
    assert deciding(campaign).state == (State.PAUSED if verdict == "drift" else State.DECIDING)


def test_after_drift_only_answers_to_the_new_photos_end_the_pause(
    campaign: Campaign, rated: Callable[..., ModelVersion], people: dict[str, Any]
) -> None:
    version = calibrated_last_month(campaign, rated)
    drift_found(campaign, version, "drift")
    decisions_update(campaign=campaign)
    votes_add(campaign, people)  # on the photos of last month
    decisions_update(campaign=campaign)
    assert deciding(campaign).state == State.PAUSED
    photos_add(campaign, people, 60, score=10)
    decisions_update(campaign=campaign)
    found = deciding(campaign)
    assert found.state == State.DECIDING
    assert found.limits is not None
    assert found.limits.calibrated_on == 60
    # The same drift does not pause again within the week, and pauses again after it.
    for days, state in ((1, State.DECIDING), (8, State.PAUSED)):
        at = timezone.now() + timedelta(days=days)
        drift_found(campaign, version, "drift", at=at)
        decisions_update(campaign=campaign, now=at)
        assert deciding(campaign).state == state


def test_a_version_that_learned_after_the_drift_is_measured_on_all_audit_photos(
    campaign: Campaign, rated: Callable[..., ModelVersion], make_version: Callable[..., Any]
) -> None:
    version = calibrated_last_month(campaign, rated)
    drift_found(campaign, version, "drift")
    decisions_update(campaign=campaign)
    ModelVersion.objects.update(is_champion=False)
    predict = {one.image: (one.quality_mean, 0.2) for one in version.predictions.select_related("image")}
    make_version(2, champion=True, predict=predict)
    decisions_update(campaign=campaign)
    found = deciding(campaign)
    assert found.state == State.DECIDING
    assert found.limits is not None
    assert found.limits.calibrated_on == 200


def test_audit_photos_are_holdout_and_random_ones_that_the_version_has_not_learned_from(
    campaign: Campaign, rated: Callable[..., ModelVersion], people: dict[str, Any]
) -> None:
    version = rated(10, train=10)
    train = list(campaign.images.filter(split="train").order_by("pk"))
    for image in train:
        for annotator in Annotation.objects.filter(image=image).values_list("annotator", flat=True):
            Assignment.objects.create(
                campaign=campaign,
                image=image,
                annotator_id=annotator,
                lane="random",
                state="done",
                expires_at=timezone.now(),
            )
    assert len(audit_table(campaign, version, panel=1).photos) == 20
    learned = Annotation.objects.get(image=train[2]).pk
    TrainingRun.objects.create(
        campaign=campaign, trigger="button", state="done", challenger=version, last_annotation_id=learned
    )
    # The first three photos taught it.
    assert len(audit_table(campaign, version, panel=1).photos) == 17
    # A near-duplicate of a photo that taught it does not count either, and a group of two counts once.
    Image.objects.filter(pk=train[4].pk).update(group=train[0].group)
    holdout = list(campaign.images.filter(split="holdout").order_by("pk"))
    Image.objects.filter(pk=holdout[1].pk).update(group=holdout[0].group)
    assert len(audit_table(campaign, version, panel=1).photos) == 15
    # Once a lane has chosen a training photo, those that it leaves for 'random' are too easy: only the holdout counts.
    Assignment.objects.filter(image=train[9]).update(lane="information_gain")
    assert len(audit_table(campaign, version, panel=1).photos) == 9


def test_a_panel_needs_all_its_votes(campaign: Campaign, rated: Callable[..., ModelVersion], people: Any) -> None:
    version = rated(10)
    assert len(audit_table(campaign, version, panel=2).photos) == 0
    image = campaign.images.first()
    assert image is not None
    first = Annotation.objects.get(image=image)
    vote(campaign, people["rita"], image, 10)
    table = audit_table(campaign, version, panel=2)
    assert table.photos.people_mean.tolist() == [np.mean([first.score or 0, 10])]


def test_a_rule_is_checked_and_its_changes_are_recorded(campaign: Campaign, people: dict[str, Any]) -> None:
    nothing = Tolerances(None, None, None, None, None)
    with pytest.raises(ValidationError, match="at least one tolerance"):
        decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=nothing)
    with pytest.raises(ValidationError, match="at most 50"):
        decision_rule_set(
            campaign=campaign,
            by=people["ada"],
            is_on=True,
            tolerances=Tolerances(0.9, None, None, None, None),
        )
    rule = decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=ALLOWED)
    number = rule.number
    rule = decision_rule_set(campaign=campaign, by=people["ada"], is_on=False, tolerances=ALLOWED)
    assert rule.number == number
    assert AuditRecord.objects.filter(kind=AuditKind.DECISION_RULE).count() == 2
    assert decisions_update(campaign=campaign) is None
