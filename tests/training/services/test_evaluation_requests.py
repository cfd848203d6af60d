"""Requests to evaluate all versions: one is never lost, and never worked on twice at the same time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Campaign
from training import tasks
from training.models import Evaluation, EvaluationRequest
from training.services import evaluation_requests
from training.services.evaluation_requests import evaluations_due, evaluations_perform, evaluations_request

MODELS = "/campaigns/watches/models/"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    messages: list[Any] = []
    # There is no broker in tests, so the messages are collected here.
    monkeypatch.setattr(
        tasks.versions_evaluate, "apply_async", lambda args, **options: messages.append((args, options))
    )
    return messages


@pytest.fixture
def version(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> Any:
    images = make_rated_images(holdout=5, votes=2)
    return make_version(1, champion=True, predict=dict.fromkeys(images, (5.0, 0.5)))


def test_a_request_whose_message_was_lost_is_found_by_the_sweep(
    version: Any, campaign: Campaign, client_of: Any, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    assert client_of("ada").post(f"{MODELS}evaluate").status_code == 302
    sent.clear()  # nobody got the message
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            tasks.sweep()
    assert sent == [((campaign.pk,), {"expires": 60})] * 2
    assert "All versions are being evaluated, as requested" in client_of("rita").get(MODELS).content.decode()
    tasks.versions_evaluate(campaign.pk)
    assert Evaluation.objects.filter(model_version=version).count() == 1
    assert evaluations_due() == []
    assert "All versions are being evaluated" not in client_of("rita").get(MODELS).content.decode()
    tasks.versions_evaluate(campaign.pk)  # the second message
    assert Evaluation.objects.count() == 1


def test_a_claimed_request_is_left_to_its_worker_until_the_claim_is_stale(version: Any, campaign: Campaign) -> None:
    evaluations_request(campaign=campaign)
    EvaluationRequest.objects.update(claimed_at=timezone.now(), attempts=1)
    assert evaluations_due() == []
    assert evaluations_perform(campaign_id=campaign.pk) == []
    assert not Evaluation.objects.exists()
    past = timezone.now() - timedelta(seconds=evaluation_requests.STALE_SECONDS + 1)
    EvaluationRequest.objects.update(claimed_at=past)
    assert evaluations_due() == [campaign.pk]
    evaluations_perform(campaign_id=campaign.pk)
    assert Evaluation.objects.exists()


def test_a_request_during_an_evaluation_is_kept(
    version: Any, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = evaluation_requests.evaluations_refresh

    def request_again(**arguments: Any) -> list[str]:
        problems = refresh(**arguments)
        evaluations_request(campaign=campaign)  # somebody presses the button again at this moment
        return problems

    monkeypatch.setattr(evaluation_requests, "evaluations_refresh", request_again)
    evaluations_request(campaign=campaign)
    evaluations_perform(campaign_id=campaign.pk)
    assert evaluations_due() == [campaign.pk]


def test_an_evaluation_that_fails_says_why_and_is_given_up_after_three_attempts(
    version: Any, campaign: Campaign, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**arguments: Any) -> list[str]:
        raise OSError("no disk")

    with monkeypatch.context() as patched:
        patched.setattr(evaluation_requests, "evaluations_refresh", fail)  # a fault that no data can cause
        evaluations_request(campaign=campaign)
        for _ in range(evaluation_requests.MAX_ATTEMPTS):
            assert evaluations_due() == [campaign.pk]
            with pytest.raises(OSError, match="no disk"):
                evaluations_perform(campaign_id=campaign.pk)
    assert evaluations_due() == []
    html = client_of("rita").get(MODELS).content.decode()
    assert "The evaluation failed: OSError: no disk" in html
    client_of("ada").post(f"{MODELS}evaluate")
    assert evaluations_due() == [campaign.pk]
