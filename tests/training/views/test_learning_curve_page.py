"""The learning curve on the models page: who may see and start it, what it shows, and how many queries it takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.measures.figures_text import figures_text
from annotation.measures.intervals import Interval
from annotation.models import Campaign
from tests.training.evaluation.test_curve_gain import report
from training.models import LearningCurve
from training.services.learning_curves import curve_claim, curve_finish, curve_request, curve_write

MODELS = "/campaigns/watches/models/"
LIVE, START = f"{MODELS}learning-curve/live", f"{MODELS}learning-curve/start"
State = LearningCurve.State
HELPS = figures_text(report(Interval(0.012, 0.002, 0.022, 187), Interval(0.02, 0.01, 0.03, 187)))


def end(campaign: Campaign, **fields: Any) -> LearningCurve:
    curve = curve_request(campaign=campaign)
    attempt = curve_claim(curve_id=curve.pk) or 0
    curve_finish(curve_id=curve.pk, attempt=attempt, **{"state": State.DONE, **fields})
    return curve


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada"])
@pytest.mark.parametrize(("method", "path", "allowed"), [("get", LIVE, {"rita", "ada"}), ("post", START, {"ada"})])
def test_permissions(client_of: Callable[[str], Any], name: str, method: str, path: str, allowed: set[str]) -> None:
    response = getattr(client_of(name), method)(path)
    assert LearningCurve.objects.count() == (method == "post" and name in allowed)
    if name in allowed:
        assert response.status_code == (302 if method == "post" else 200)
    elif name == "anonymous":
        assert "/login/" in response["Location"]
    else:
        assert response.status_code == (404 if name == "mallory" else 403)


def test_a_start_needs_post(client_of: Callable[[str], Any]) -> None:
    assert client_of("ada").get(START).status_code == 405


def test_a_second_click_starts_no_second_curve(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    client = client_of("ada")
    for _ in range(2):
        assert client.post(START)["Location"] == MODELS
    assert LearningCurve.objects.get().requested_by is not None


def test_starts_count_among_the_runs_of_an_hour(client_of: Callable[[str], Any], settings: Any) -> None:
    settings.IQS_TRAINING_RUNS_PER_HOUR = 1
    client = client_of("ada")
    client.post(START)
    LearningCurve.objects.update(state=State.FAILED)
    page = client.post(START, follow=True).content.decode()
    assert "You have started 1 training runs and learning curves in this hour" in page
    assert LearningCurve.objects.count() == 1


def test_before_the_first_curve_the_page_says_what_it_is(client_of: Callable[[str], Any]) -> None:
    page = client_of("ada").get(MODELS).content.decode()
    assert "Does more feedback still help?" in page
    assert "Not measured yet" in page
    assert START in page
    assert START not in client_of("rita").get(MODELS).content.decode()


def test_a_live_curve_shows_its_progress_and_is_updated(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    client = client_of("ada")
    curve = curve_request(campaign=campaign)
    page = client.get(LIVE).content.decode()
    assert "Waiting for a worker" in page
    assert f'hx-get="{LIVE}"' in page
    assert START not in page
    LearningCurve.objects.update(created_at=timezone.now() - timedelta(seconds=11))
    assert "No worker has started yet" in client.get(LIVE).content.decode()
    attempt = curve_claim(curve_id=curve.pk) or 0
    curve_write(curve_id=curve.pk, attempt=attempt, progress=0.42)
    assert 'value="42"' in client.get(LIVE).content.decode()
    curve_finish(curve_id=curve.pk, attempt=attempt, state=State.DONE, result=HELPS)
    page = client.get(LIVE).content.decode()
    assert "hx-get" not in page
    assert "More answers still help." in page


def test_a_result_has_sentences_charts_and_numbers(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    end(campaign, result=HELPS)
    page = client_of("rita").get(MODELS).content.decode()
    assert "Forecast for the next 200, to further photos of the same kind: SRCC +0.020 (+0.010 to +0.030)" in page
    assert page.count('class="forecast"') == 2
    assert "560 answers to 187 train photos in 180 groups" in page
    assert page.count("<tr>") >= 8


def test_the_margin_of_the_campaign_decides_what_is_little(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    small = report(Interval(0.004, 0.001, 0.008, 187), Interval(0.004, 0.001, 0.009, 187))
    end(campaign, result=figures_text(small))
    assert "More answers would help little." in client_of("rita").get(LIVE).content.decode()
    Campaign.objects.update(promotion_margin=0.0)
    assert "More answers still help." in client_of("rita").get(LIVE).content.decode()


def test_too_few_answers_and_failures_say_why(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    end(campaign, message="Not enough answers to tell: …")
    assert "Not enough answers to tell: …" in client_of("rita").get(LIVE).content.decode()
    end(campaign, state=State.FAILED, message="The stored features have 8 numbers.")
    page = client_of("rita").get(LIVE).content.decode()
    assert "The learning curve failed." in page
    assert "The stored features have 8 numbers." in page


def test_the_models_page_takes_one_query_for_it(campaign: Campaign, client_of: Callable[[str], Any]) -> None:
    client = client_of("rita")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(MODELS).status_code == 200
        return len(captured)

    queries()  # the first request fills caches
    before = queries()
    end(campaign, result=HELPS)
    curve_request(campaign=campaign)
    assert queries() == before


def test_the_overview_links_to_it(client_of: Callable[[str], Any], make_image: Callable[..., Any]) -> None:
    make_image()
    page = client_of("rita").get("/campaigns/watches/status").content.decode()
    assert f'{MODELS}#more-answers"' in page
