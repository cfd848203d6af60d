"""A training run says how many decisions of reviewers it used as labels, on its page and in the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Adjudication, AuditRecord, Campaign, Image, User
from tests.annotation.services.test_campaign_changes import shown
from training.models import TrainingRun
from training.services.execution import run_perform
from training.services.runs import run_claim, run_request


@pytest.fixture
def decided(campaign: Campaign, make_rated_images: Callable[..., Any], people: dict[str, User]) -> None:
    """Five train photos; a reviewer decided about two of them, about one after the reveal."""
    make_rated_images(train=5, features=8)
    for place, image in enumerate(Image.objects.filter(split="train").order_by("pk")[:2]):
        Adjudication.objects.create(
            campaign=campaign, image=image, reviewer=people["rita"], watch="yes", score=9, saw_prediction=place > 0
        )


def run_made(campaign: Campaign) -> TrainingRun:
    """Freeze the data of a run. It then fails, because the features are too short for the prior."""
    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    run_perform(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0)
    run.refresh_from_db()
    assert run.message.startswith("The stored features have 8 numbers")
    return run


def test_a_run_counts_the_decisions_that_it_used(
    campaign: Campaign, decided: None, client_of: Callable[[str], Client]
) -> None:
    plain = run_made(campaign)
    assert (plain.decision_count, plain.exposed_decision_count) == (0, 0)
    Campaign.objects.update(decisions_as_labels=True)
    run = run_made(campaign)
    assert (run.decision_count, run.exposed_decision_count) == (2, 1)
    assert run.fingerprint != plain.fingerprint
    client = client_of("rita")
    page = " ".join(client.get(reverse("run", args=["watches", run.pk])).content.decode().split())
    assert "on 2 photos a reviewer's decision stood in place of the votes (1 after predictions were visible)" in page
    assert client.get(f"/api/campaigns/watches/runs/{run.pk}").json()["decisions"] == 2


def test_a_later_attempt_keeps_the_numbers(campaign: Campaign, decided: None) -> None:
    Campaign.objects.update(decisions_as_labels=True)
    run = run_made(campaign)
    Adjudication.objects.all().delete()
    TrainingRun.objects.filter(pk=run.pk).update(state=TrainingRun.State.QUEUED)
    run_perform(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0)
    run.refresh_from_db()
    assert (run.attempt, run.decision_count, run.exposed_decision_count) == (2, 2, 1)


def test_only_an_admin_switches_decisions_on_and_the_audit_says_so(
    campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    assert campaign.decisions_as_labels is False
    address = reverse("campaign-edit", args=["watches"])
    data = shown(client_of("ada")) | {"decisions_as_labels": "on"}
    assert client_of("rita").post(address, data).status_code == 403
    assert client_of("ada").post(address, data).status_code == 302
    campaign.refresh_from_db()
    assert campaign.decisions_as_labels
    assert AuditRecord.objects.filter(kind="settings_changed").first().after == {"decisions_as_labels": True}
