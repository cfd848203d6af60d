"""Calibration figures are stored for each version and choice of filters, and become old when their inputs change."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.measures.figures_text import figures_text
from annotation.models import Campaign, Image, PhotoChange, SplitChange, User
from annotation.services.screening import screening_decide, screening_undo
from inference.models import ModelVersion
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote
from training import tasks
from training.evaluation.calibration.filters import Filters
from training.models import StoredCalibration
from training.services import stored_calibrations as services
from training.services.stored_calibrations import (
    calibration_make,
    calibration_request,
    calibration_row,
    calibrations_old_delete,
    inputs_of,
)

PAGE = "/campaigns/watches/calibration/"
State = StoredCalibration.State


@pytest.fixture
def photos(campaign: Campaign, make_user: Callable[..., User]) -> list[Image]:
    images = images_make(campaign, 12, holdout=True)
    for number in range(3):
        person = make_user(f"person-{number}")
        for place, image in enumerate(images):
            vote(image, person, 1 + (place + number) % 10, "yes" if place % 2 else "no")
    return images


@pytest.fixture
def version(campaign: Campaign, photos: list[Image]) -> ModelVersion:
    made = version_make(campaign)
    predictions_make(made, photos, [1.0 + place % 10 for place in range(12)], watch=0.2)
    return made


@pytest.fixture
def with_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FEW_ANSWERS", 0)  # the real limit would need 3,000 rows


def test_a_campaign_with_few_answers_does_not_wait_for_a_worker(campaign: Campaign, version: ModelVersion) -> None:
    found = calibration_request(campaign=campaign, version=version, filters=Filters())
    assert (found.is_newest, found.is_coming, found.row.votes) == (True, False, 36)
    again = calibration_request(campaign=campaign, version=version, filters=Filters())
    assert again.row.made_at == found.row.made_at
    # What is read again is what was computed.
    here, read = (json.loads(figures_text(one.value)) for one in (found, again))
    assert [name for name in here if str(here[name]) != str(read[name])] == []
    assert again.value.compared == 12


def test_each_choice_of_filters_has_figures_of_its_own(
    campaign: Campaign, version: ModelVersion, people: dict[str, Any]
) -> None:
    person = User.objects.get(username="person-0").pk
    plain = calibration_request(campaign=campaign, version=version, filters=Filters())
    without = calibration_request(campaign=campaign, version=version, filters=Filters(left_out=(person,)))
    assert (plain.value.votes, without.value.votes) == (36, 24)
    assert plain.row.pk != without.row.pk
    assert calibration_row(campaign=campaign, version=version, filters=Filters(left_out=(person,))).pk == without.row.pk


def test_everything_that_changes_the_figures_makes_them_old(
    campaign: Campaign, version: ModelVersion, photos: list[Image], people: dict[str, Any]
) -> None:
    seen: list[str] = []

    def changed(filters: Filters = Filters()) -> bool:  # noqa: B008  # frozen
        found = ModelVersion.objects.get(number=version.number)
        seen.append(inputs_of(Campaign.objects.get(pk=campaign.pk), found, filters))
        return seen.count(seen[-1]) == 1

    assert changed()
    assert not changed()
    given = vote(photos[0], people["alice"], 3)
    assert changed()
    vote(photos[0], people["alice"], 4, supersedes=given)
    assert changed()
    decision = screening_decide(
        campaign=campaign, annotator=people["alice"], decision="exclude", reason="clicks", by=people["rita"]
    )
    assert changed()
    screening_undo(decision=decision, by=people["rita"])
    assert changed()
    Image.objects.filter(pk=photos[1].pk).update(withdrawn_at=timezone.now())
    assert changed()
    Image.objects.filter(pk=photos[2].pk).update(problem="Reported as damaged.")
    assert changed()
    Image.objects.filter(pk=photos[2].pk).update(problem="")
    assert not changed()  # as before the report
    SplitChange.objects.create(image=photos[2], before="holdout", after="neither")
    assert changed()
    predictions_make(version, images_make(campaign, 1, holdout=True, prefix="new"), [4.0])
    assert changed()
    predictions_make(version_make(campaign, 2, champion=False), photos, [5.0] * 12)
    assert not changed()  # those of another version
    PhotoChange.objects.create(campaign=campaign, kind=PhotoChange.Kind.MOVE, moved=1)
    assert changed()
    Campaign.objects.update(reject_at=4.5)
    assert changed()
    Campaign.objects.update(watch_threshold=0.123)
    assert changed()
    assert changed(Filters(split="all"))
    assert changed(Filters(annotators="people"))
    User.objects.filter(username="person-1").update(is_simulated=True)
    assert changed(Filters(annotators="people"))
    assert not changed()  # without that filter it does not matter who is simulated


def test_a_worker_computes_once_and_a_page_shows_old_figures_until_then(
    client_of: Callable[[str], Client],
    campaign: Campaign,
    version: ModelVersion,
    photos: list[Image],
    people: dict[str, Any],
    with_workers: None,
) -> None:
    client = client_of("rita")
    markup = client.get(PAGE).content.decode()
    assert "The votes are being counted" in markup
    assert 'hx-trigger="every 1s"' in markup
    row = StoredCalibration.objects.get()
    assert row.state == State.QUEUED
    assert "Waiting for a worker" in client.get(f"{PAGE}live").content.decode()
    claimed = services.CLAIMS.claim(row.pk)
    assert claimed is not None
    StoredCalibration.objects.update(step="comparing watches", done=3, total=5)
    live = client.get(f"{PAGE}live")
    assert '<progress max="5" value="3" aria-label="comparing watches">' in live.content.decode()
    assert "HX-Refresh" not in live.headers
    assert services.claimed_calibration_make(row=claimed)
    assert client.get(f"{PAGE}live").headers["HX-Refresh"] == "true"
    assert "12 photos" in client.get(PAGE).content.decode().replace("<strong>", "").replace("</strong>", "")

    vote(photos[0], people["alice"], 10)
    assert "Votes, predictions or settings have changed since" in client.get(PAGE).content.decode()
    StoredCalibration.objects.update(made_at="2026-01-01T00:00Z")
    markup = client.get(PAGE).content.decode()
    assert "Newer votes are being counted" in markup
    assert "from 36 votes" in markup
    assert tasks.stored_calibration_make(row.pk)
    assert not tasks.stored_calibration_make(row.pk)  # nothing is queued any more
    # The page must not change while somebody reads it.
    live = client.get(f"{PAGE}live?had=2026-01-01T00:00:00%2B00:00")
    assert "HX-Refresh" not in live.headers
    assert "Show the newer figures" in live.content.decode()
    assert "from 37 votes" in client.get(PAGE).content.decode()


def test_a_failure_is_shown(
    client_of: Callable[[str], Client],
    version: ModelVersion,
    with_workers: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_of("rita")
    client.get(PAGE)

    def broken(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "compare_chosen", broken)  # no known votes make it fail
    assert not tasks.stored_calibration_make(StoredCalibration.objects.get().pk)
    assert "could not be counted: ZeroDivisionError. See the log." in client.get(PAGE).content.decode()


def test_a_request_without_news_takes_few_queries(campaign: Campaign, version: ModelVersion) -> None:
    calibration_request(campaign=campaign, version=version, filters=Filters())
    with CaptureQueriesContext(connection) as captured:
        calibration_request(campaign=campaign, version=version, filters=Filters())
    assert len(captured) == 6


def test_the_steps_are_told(campaign: Campaign, version: ModelVersion) -> None:
    told: list[tuple[str, int, int]] = []
    row = calibration_row(campaign=campaign, version=version, filters=Filters())
    calibration_make(row=row, report=lambda *step: told.append(step))
    assert told[0] == ("reading votes and predictions", 0, 0)
    assert [done for _, done, _ in told[1:]] == sorted(done for _, done, _ in told[1:])
    assert told[-1][1] == told[-1][2] > 0
    assert max(len(step) for step, _, _ in told) <= 40  # the column of the table


def test_rows_that_nobody_asks_for_are_deleted(
    campaign: Campaign, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = [Filters(), Filters(split="all"), Filters(annotators="people"), Filters(annotators="simulated")]
    rows = [calibration_row(campaign=campaign, version=version, filters=one) for one in choices]
    monday = timezone.now() - timedelta(days=5)
    StoredCalibration.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(asked_at=monday)
    assert calibrations_old_delete() == 1
    # The figures without filters are kept: they are those that people come back to.
    assert set(StoredCalibration.objects.values_list("pk", flat=True)) == {rows[0].pk, rows[2].pk, rows[3].pk}
    monkeypatch.setattr(services, "MOST_ROWS", 2)
    StoredCalibration.objects.filter(pk=rows[2].pk).update(asked_at=timezone.now() + timedelta(minutes=1))
    assert calibrations_old_delete() == 1
    assert set(StoredCalibration.objects.values_list("pk", flat=True)) == {rows[2].pk, rows[3].pk}


def test_a_row_that_a_page_asks_for_is_kept(campaign: Campaign, version: ModelVersion) -> None:
    filters = Filters(split="all")
    row = calibration_row(campaign=campaign, version=version, filters=filters)
    StoredCalibration.objects.update(asked_at=timezone.now() - timedelta(days=5))
    calibration_request(campaign=campaign, version=version, filters=filters)
    assert calibrations_old_delete() == 0
    assert StoredCalibration.objects.get().pk == row.pk


def test_the_command_computes_them_too(
    campaign: Campaign, version: ModelVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration_row(campaign=campaign, version=version, filters=Filters(split="all"))
    call_command("refresh_figures", campaign.slug)
    assert StoredCalibration.objects.exclude(figures="").count() == 2
    printed = capsys.readouterr().out
    assert "watches: calibration of version 1, 36 votes" in printed
    assert "watches: calibration of version 1, with filters, 36 votes" in printed
