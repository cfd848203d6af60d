"""Learning curves: requested, claimed, measured in a real process, stored once."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from annotation.measures.figures_text import figures_read
from annotation.models import Annotation, Campaign, Image
from inference.networks.config import EFFICIENTNET_LITE0
from training import tasks
from training.evaluation.curve_gain import CurveReport
from training.models import HoldoutLook, LearningCurve
from training.services.curve_execution import curve_perform
from training.services.curve_process import curve_supervise
from training.services.learning_curves import (
    STALE_SECONDS,
    CurveEndedError,
    curve_claim,
    curve_finish,
    curve_request,
    curve_write,
    curves_queued,
    curves_requeue_stale,
)

State = LearningCurve.State


def claimed(campaign: Campaign) -> tuple[LearningCurve, int]:
    curve = curve_request(campaign=campaign)
    attempt = curve_claim(curve_id=curve.pk)
    assert attempt is not None
    return curve, attempt


def test_a_second_request_returns_the_live_curve_and_a_second_claim_nothing(campaign: Campaign) -> None:
    curve = curve_request(campaign=campaign)
    assert curve_request(campaign=campaign) == curve
    assert curves_queued() == [curve.pk]
    assert curve_claim(curve_id=curve.pk) == 1
    assert curve_claim(curve_id=curve.pk) is None
    assert curve_request(campaign=campaign) == curve  # while it is measured
    assert curves_queued() == []


def test_a_result_replaces_the_earlier_one_and_a_failure_does_not(campaign: Campaign) -> None:
    def end(state: str, **fields: Any) -> LearningCurve:
        curve, attempt = claimed(campaign)
        assert curve_finish(curve_id=curve.pk, attempt=attempt, state=state, **fields)
        return curve

    first = end(State.DONE, result="{}")
    failed = end(State.FAILED, message="No features.")
    assert set(LearningCurve.objects.all()) == {first, failed}
    again = end(State.FAILED, message="Still none.")
    assert set(LearningCurve.objects.all()) == {first, again}
    newest = end(State.DONE, result="{}")
    assert list(LearningCurve.objects.all()) == [newest]


def test_a_curve_without_a_heartbeat_is_queued_again_and_its_process_can_write_no_more(campaign: Campaign) -> None:
    curve, attempt = claimed(campaign)
    curve_write(curve_id=curve.pk, attempt=attempt, progress=0.4)
    assert curves_requeue_stale() == 0
    LearningCurve.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=STALE_SECONDS + 1))
    assert curves_requeue_stale() == 1
    with pytest.raises(CurveEndedError):
        curve_write(curve_id=curve.pk, attempt=attempt, progress=0.5)
    assert not curve_finish(curve_id=curve.pk, attempt=attempt, state=State.DONE)
    assert curve_claim(curve_id=curve.pk) == 2


def test_the_third_process_that_dies_ends_the_curve(campaign: Campaign) -> None:
    curve, _attempt = claimed(campaign)
    LearningCurve.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=STALE_SECONDS + 1), attempt=3)
    assert curves_requeue_stale() == 1
    curve.refresh_from_db()
    assert curve.state == State.FAILED
    assert "tried 3 times" in curve.message


def test_few_answers_say_how_many_are_needed(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    make_rated_images(train=20, holdout=200, votes=2, features=8)
    curve = curve_perform(curve_id=(pair := claimed(campaign))[0].pk, attempt=pair[1])
    assert (curve.state, curve.result) == (State.DONE, "")
    assert curve.message.endswith("There are 40 answers to photos of 20 groups.")  # none of the holdout


def test_answers_that_saw_a_prediction_and_photos_with_a_problem_are_left_out(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    images = make_rated_images(train=30, votes=2, features=8)
    Annotation.objects.filter(image__in=images[:5]).update(saw_prediction=True, is_blind=False)
    Image.objects.filter(pk__in=[image.pk for image in images[5:8]]).update(problem="Reported as damaged.")
    Image.objects.filter(pk=images[8].pk).update(withdrawn_at=timezone.now())
    curve = curve_perform(curve_id=(pair := claimed(campaign))[0].pk, attempt=pair[1])
    assert "There are 42 answers to photos of 21 groups." in curve.message


def test_features_of_another_length_fail_with_a_message(
    campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=100, votes=3, features=8)
    curve = curve_perform(curve_id=(pair := claimed(campaign))[0].pk, attempt=pair[1])
    assert curve.state == State.FAILED
    assert curve.message.startswith("The stored features have 8 numbers, but the prior needs")


def test_the_command_measures_and_prints_the_curve(
    campaign: Campaign, make_rated_images: Callable[..., Any], client_of: Callable[[str], Any]
) -> None:
    make_rated_images(train=100, votes=3, features=EFFICIENTNET_LITE0.feature_size)
    out, errors = io.StringIO(), io.StringIO()
    call_command("learning_curve", "watches", stdout=out, stderr=errors)
    text = out.getvalue()
    assert "The last 200 answers: SRCC" in text
    assert "300 answers to 100 train photos in 100 groups" in text
    curve = LearningCurve.objects.get()
    assert (curve.state, curve.attempt) == (State.DONE, 1)
    report = figures_read(CurveReport, curve.result)
    assert report is not None
    assert report.newest.answers == pytest.approx(270, abs=1)
    assert report.newest.srcc.value > report.prior_srcc  # the features say what people think
    assert report.ceiling is not None
    assert 0.5 < report.ceiling.value <= 1
    assert HoldoutLook.objects.count() == 0
    page = client_of("rita").get("/campaigns/watches/models/").content.decode()
    assert "300 answers to 100 train photos" in page
    assert page.count('class="forecast"') == 2


def test_the_command_refuses_a_curve_that_is_being_measured(campaign: Campaign) -> None:
    claimed(campaign)
    with pytest.raises(CommandError, match="is being measured already"):
        call_command("learning_curve", "watches")


@pytest.fixture
def shared_database(transactional_db: None, settings: Any) -> None:
    """Let other processes use the data of the test: no transaction, and DATABASE_URL names the test database."""
    server, _, query = django_settings.DATABASE_URL.partition("?")
    address = f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    settings.DATABASE_URL = f"{address}?{query}" if query else address


@pytest.mark.slow
def test_a_worker_measures_in_a_process_of_its_own(
    shared_database: None, campaign: Campaign, make_rated_images: Callable[..., Any]
) -> None:
    make_rated_images(train=10, votes=2, features=8)
    curve = curve_request(campaign=campaign)
    tasks.learning_curve_measure(curve.pk)
    curve.refresh_from_db()
    assert (curve.state, curve.attempt) == (State.DONE, 1), curve.message
    assert "There are 20 answers" in curve.message
    assert not curve.log.exists()


@pytest.mark.slow
def test_a_process_that_fails_leaves_its_last_lines_as_the_message(campaign: Campaign, settings: Any) -> None:
    settings.DATABASE_URL = "mysql://nowhere/nothing"
    curve, attempt = claimed(campaign)
    curve_supervise(curve_id=curve.pk, attempt=attempt)
    curve.refresh_from_db()
    assert curve.state == State.FAILED
    assert "DATABASE_URL must name a PostgreSQL database" in curve.message
    assert curve.log.exists()


def test_the_sweep_announces_queued_curves_again(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    sent: list[Any] = []
    # There is no broker in tests, so the messages are collected here.
    monkeypatch.setattr(tasks.learning_curve_measure, "apply_async", lambda args, **options: sent.append(args))
    curve = curve_request(campaign=campaign)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert sent == [(curve.pk,)]
