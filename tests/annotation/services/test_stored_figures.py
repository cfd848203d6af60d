"""Figures of pages are stored, say what they are from, and are computed by a worker when votes changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import tasks
from annotation.exchange.methods_report import votes_fingerprint
from annotation.measures.figures_text import figures_text
from annotation.models import Campaign, Image, StoredFigures, User
from annotation.selectors.votes import vote_table
from annotation.services import stored_figures as services
from annotation.services.screening import screening_decide, screening_undo
from annotation.services.stored_figures import figures_make, figures_request, inputs_of
from tests.opinions_and_predictions import images_make, vote

KINDS = list(StoredFigures.Kind)
State = StoredFigures.State


@pytest.fixture
def rated(campaign: Campaign, make_user: Callable[..., User]) -> list[Image]:
    images = images_make(campaign, 25)
    for number in range(3):
        person = make_user(f"person-{number}")
        for place, image in enumerate(images):
            vote(image, person, 1 + (place + number) % 10, "yes" if place % 2 else "no")
    return images


@pytest.fixture
def with_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FEW_ANSWERS", 0)  # the real limit would need 3,000 rows


@pytest.mark.parametrize("kind", KINDS)
def test_a_campaign_with_few_answers_does_not_wait_for_a_worker(
    campaign: Campaign, rated: list[Image], kind: StoredFigures.Kind
) -> None:
    found = figures_request(campaign=campaign, kind=kind)
    assert (found.is_newest, found.is_coming, found.row.votes) == (True, False, 75)
    assert found.row.fingerprint == votes_fingerprint(vote_table(campaign, independent=True))
    again = figures_request(campaign=campaign, kind=kind)
    assert again.row.made_at == found.row.made_at
    assert figures_text(again.value) == figures_text(found.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_computes_once_and_the_page_gets_the_stored_ones(
    campaign: Campaign, rated: list[Image], kind: StoredFigures.Kind, with_workers: None
) -> None:
    first = figures_request(campaign=campaign, kind=kind)
    assert (first.value, first.is_coming, first.row.state) == (None, True, State.QUEUED)
    assert figures_request(campaign=campaign, kind=kind).row.state == State.QUEUED
    assert tasks.stored_figures_make(first.row.pk)
    assert not tasks.stored_figures_make(first.row.pk)  # nothing is queued any more
    found = figures_request(campaign=campaign, kind=kind)
    assert (found.is_newest, found.is_coming) == (True, False)
    assert found.value is not None


def test_newer_votes_are_counted_while_the_page_shows_the_old_figures(
    campaign: Campaign, rated: list[Image], people: dict[str, Any], with_workers: None
) -> None:
    kind = StoredFigures.Kind.AGREEMENT
    tasks.stored_figures_make(figures_request(campaign=campaign, kind=kind).row.pk)
    vote(rated[0], people["alice"], 10)
    # A worker is not busy with one campaign all the time.
    soon = figures_request(campaign=campaign, kind=kind)
    assert (soon.is_newest, soon.is_coming, sum(soon.value.counted.votes)) == (False, False, 75)
    assert soon.again_at > timezone.now()
    StoredFigures.objects.update(made_at=timezone.now() - timedelta(minutes=1))
    later = figures_request(campaign=campaign, kind=kind)
    assert (later.is_newest, later.is_coming, sum(later.value.counted.votes)) == (False, True, 75)
    tasks.stored_figures_make(later.row.pk)
    assert sum(figures_request(campaign=campaign, kind=kind).value.counted.votes) == 76


def test_everything_that_changes_the_figures_makes_them_old(
    campaign: Campaign, rated: list[Image], people: dict[str, Any]
) -> None:
    seen: list[str] = []

    def changed() -> bool:
        seen.append(inputs_of(Campaign.objects.get(pk=campaign.pk), StoredFigures.Kind.METHODS))
        return seen.count(seen[-1]) == 1

    assert changed()
    assert not changed()
    given = vote(rated[0], people["alice"], 3)
    assert changed()
    vote(rated[0], people["alice"], 4, supersedes=given)
    assert changed()
    decision = screening_decide(
        campaign=campaign, annotator=people["alice"], decision="exclude", reason="clicks", by=people["rita"]
    )
    assert changed()
    screening_undo(decision=decision, by=people["rita"])
    assert changed()
    Image.objects.filter(pk=rated[1].pk).update(withdrawn_at=timezone.now())
    assert changed()
    Image.objects.filter(pk=rated[2].pk).update(role="gold", expected_score=3)
    assert changed()
    Image.objects.filter(pk=rated[2].pk).update(expected_score=4)
    assert changed()
    Campaign.objects.update(reject_at=4.5)
    assert changed()


def test_a_request_without_news_takes_few_queries(campaign: Campaign, rated: list[Image]) -> None:
    kind = StoredFigures.Kind.METHODS
    figures_request(campaign=campaign, kind=kind)
    with CaptureQueriesContext(connection) as captured:
        figures_request(campaign=campaign, kind=kind)
    assert len(captured) == 7


def test_a_failure_is_shown_and_not_tried_again_at_once(
    campaign: Campaign, rated: list[Image], with_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = StoredFigures.Kind.RATERS
    row = figures_request(campaign=campaign, kind=kind).row

    def broken(campaign: Campaign) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "rater_parts", broken)  # no known votes make it fail
    assert not tasks.stored_figures_make(row.pk)
    failed = figures_request(campaign=campaign, kind=kind)
    assert (failed.row.state, failed.row.message) == (State.FAILED, "ZeroDivisionError. See the log.")
    StoredFigures.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert figures_request(campaign=campaign, kind=kind).is_coming


def test_figures_of_an_earlier_version_of_the_program_are_computed_again(
    campaign: Campaign, rated: list[Image], with_workers: None
) -> None:
    kind = StoredFigures.Kind.AGREEMENT
    tasks.stored_figures_make(figures_request(campaign=campaign, kind=kind).row.pk)
    StoredFigures.objects.update(figures='{"counted": 1}')
    found = figures_request(campaign=campaign, kind=kind)
    assert (found.value, found.is_coming) == (None, True)


def test_a_worker_that_died_is_replaced(campaign: Campaign, rated: list[Image], with_workers: None) -> None:
    row = figures_request(campaign=campaign, kind=StoredFigures.Kind.AGREEMENT).row
    assert services.CLAIMS.claim(row.pk) is not None
    assert services.CLAIMS.claimable_ids() == []
    StoredFigures.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert services.CLAIMS.claimable_ids() == [row.pk]
    assert tasks.stored_figures_make(row.pk)


def test_the_steps_are_told(campaign: Campaign, rated: list[Image]) -> None:
    told: list[tuple[str, int, int]] = []
    row = StoredFigures.objects.create(campaign=campaign, kind=StoredFigures.Kind.AGREEMENT)
    figures_make(row=row, report=lambda *step: told.append(step))
    assert [(done, total) for _, done, total in told] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_the_command_computes_all_kinds(
    campaign: Campaign, rated: list[Image], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("refresh_figures", campaign.slug)
    assert StoredFigures.objects.exclude(figures="").count() == 3
    assert "agreement and labels, 75 votes" in capsys.readouterr().out
