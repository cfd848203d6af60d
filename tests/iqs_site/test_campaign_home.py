"""The overview of a campaign. It is updated live and shows the parts that the role may see."""

import html
import re
from collections.abc import Callable
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, ImportBatch
from annotation.services.annotations import annotation_record
from annotation.services.comments import comment_record
from inference.models import Feature
from inference.selectors import backbone_key
from iqs_site import overview
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote
from training.models import Evaluation, TrainingRun
from training.selectors.comparison import scale_and_thresholds

HOME = "/campaigns/watches/"
STATUS = "/campaigns/watches/status"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Replace the broker, which tests do not run. Tests may change `alive` and `broker`."""
    state = SimpleNamespace(broker=True, alive=[])
    worker = SimpleNamespace(name="worker@host", queues=("default", "inference", "single", "training"))
    state.alive.append(worker)
    monkeypatch.setattr(overview, "broker_alive", lambda: state.broker)
    monkeypatch.setattr(overview, "workers_alive", lambda: state.alive)
    return state


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 200), ("rita", 200), ("ada", 200)]
)
@pytest.mark.parametrize("address", [HOME, STATUS])
def test_only_members_see_the_overview(client_of: Callable[[str], Any], name: str, status: int, address: str) -> None:
    assert client_of(name).get(address).status_code == status


def test_annotators_see_progress_but_no_models(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 3)
    campaign.images.update(votes_needed=2)
    campaign.images.filter(pk=images[0].pk).update(vote_count=2)
    predictions_make(version_make(campaign), images, [5.0] * 3)
    vote(images[0], people["alice"], 5)
    text = text_of(client_of("alice").get(HOME))
    assert "2 of 6 votes given" in text
    assert "1 of 3 photos complete" in text
    assert "1 by you" in text
    assert "Annotate" in text
    for word in ("Photo processing", "Champion", "Training runs", "version 1", "worker"):
        assert word not in text


def test_an_annotator_without_photos_to_rate_sees_the_reason(
    client_of: Callable[[str], Any], campaign: Campaign
) -> None:
    images_make(campaign, 1)
    Campaign.objects.update(state=Campaign.State.PAUSED)
    response = client_of("alice").get(STATUS)
    assert "The campaign is paused" in text_of(response)
    assert "/annotate/" not in response.content.decode()


def test_a_campaign_without_photos_says_what_to_do(client_of: Callable[[str], Any]) -> None:
    assert "Import photos" in text_of(client_of("ada").get(HOME))
    assert "must import photos first" in text_of(client_of("alice").get(HOME))


def test_reviewers_see_the_work_queue_and_admins_also_see_the_reasons_for_failures(
    client_of: Callable[[str], Any], campaign: Campaign
) -> None:
    done, failed, *_ = images_make(campaign, 5)
    Feature.objects.create(image=done, backbone=backbone_key(""), state=Feature.State.DONE)
    Feature.objects.create(
        image=failed, backbone=backbone_key(""), state=Feature.State.FAILED, reason="The file ends too early."
    )
    predictions_make(version_make(campaign), [done], [5.0])
    text = text_of(client_of("rita").get(STATUS))
    assert "1 processed 3 queued 1 failed 1 predicted by the champion" in text
    assert "Admins see the reasons" in text
    assert "The file ends too early." not in text
    text = text_of(client_of("ada").get(STATUS))
    assert "1 photo failed" in text
    assert "The file ends too early." in text


def test_running_workers_are_counted(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    text = text_of(client_of("rita").get(STATUS))
    assert "1 worker running worker@host: default, inference, single, training" in text
    assert "No worker" not in text


def test_without_workers_the_page_shows_the_command_that_starts_one(
    client_of: Callable[[str], Any], workers: SimpleNamespace
) -> None:
    workers.alive.clear()
    text = text_of(client_of("rita").get(STATUS))
    assert "No worker is running. Start one with make run , or" in text
    assert "celery -A iqs_site worker -Q default,inference,single,training ." in text


def test_a_queue_without_a_worker_is_shown(client_of: Callable[[str], Any], workers: SimpleNamespace) -> None:
    workers.alive[0] = SimpleNamespace(name="one@host", queues=("inference",))
    text = text_of(client_of("rita").get(STATUS))
    assert "No worker takes default, single, training jobs." in text
    assert "Start one with celery -A iqs_site worker -Q default,single,training ." in text


def test_a_broker_that_is_down_is_shown(client_of: Callable[[str], Any], workers: SimpleNamespace) -> None:
    workers.broker = False
    text = text_of(client_of("rita").get(STATUS))
    assert "The broker does not answer." in text
    assert "No worker is running" not in text


def test_the_figures_of_the_champion_have_an_interval_and_a_ceiling(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    (image,) = images_make(campaign, 1, holdout=True)
    version = version_make(campaign, 3)
    assert "Not evaluated yet" in text_of(client_of("rita").get(STATUS))
    Evaluation.objects.create(
        model_version=version,
        image_count=180,
        vote_count=900,
        fingerprint="f",
        settings=asdict(scale_and_thresholds(version)),
        metrics={
            "quality_srcc": {"value": 0.71, "low": 0.62, "high": 0.79, "n": 180, "ceiling": 0.85},
            "watch_roc_auc": {"value": None, "low": None, "high": None, "n": 0},
        },
    )
    text = text_of(client_of("rita").get(STATUS))
    assert "version 3" in text
    assert "Quality SRCC 0.710 (0.620–0.790) n = 180 ceiling √r k 0.850" in text
    assert "Watch ROC AUC – " in text
    time = r"\d+ \w+ \d{4}, \d\d:\d\d UTC"
    assert re.search(rf"Version 3, measured {time} on 180 holdout photos with 900 votes\.", text)
    vote(image, people["alice"], 5)
    text = text_of(client_of("rita").get(STATUS))
    assert "Measured before 1 newer holdout vote; the calibration page shows today's figures." in text


def test_runs_and_imports_are_listed_with_their_state(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images_make(campaign, 1)
    other = Campaign.objects.create(slug="other", name="Other")
    TrainingRun.objects.create(campaign=other, trigger="count", state="skipped")
    TrainingRun.objects.create(campaign=campaign, trigger="count", state="skipped", message="Nothing new since run 1.")
    TrainingRun.objects.create(
        campaign=campaign,
        trigger="button",
        requested_by=people["ada"],
        state="running",
        progress=0.42,
        stage="epoch 9",
    )
    ImportBatch.objects.create(campaign=campaign, source="sale.zip", state="done", total=3, added=2, rejected=1)
    response = client_of("rita").get(STATUS)
    text = text_of(response)
    assert "running button, ada" in text
    assert re.findall(r"Run (\d+)", text) == ["2", "1"], "runs have the number within their campaign"
    assert "epoch 9" in text
    assert 'value="0.420"' in response.content.decode()
    assert "Nothing new since run 1." in text
    assert "sale.zip done 2 0 1" in text


def test_reviewers_see_how_many_comments_are_open(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    (image,) = images_make(campaign, 1)
    assert "open comment" not in text_of(client_of("rita").get(HOME))
    for text in ("Two clocks.", "Too dark."):
        comment_record(campaign=campaign, author=people["alice"], image_id=image.pk, client_id=uuid4(), text=text)
    annotation_record(
        campaign=campaign, annotator=people["alice"], image_id=image.pk, client_id=uuid4(), skip_reason="Too dark"
    )
    assert "2 open comments, 2 with a skip" in text_of(client_of("rita").get(HOME))
    assert b"/campaigns/watches/comments/" in client_of("ada").get(STATUS).content
    assert "open comment" not in text_of(client_of("alice").get(HOME))


def test_unchanged_content_is_not_sent_again(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    client = client_of("rita")
    page = client.get(HOME).content.decode()
    poll = re.search(r'hx-get="([^"]+)" hx-trigger="every 3s"', page)
    assert poll
    assert client.get(poll[1]).status_code == 204
    campaign.images.update(vote_count=1)
    changed = client.get(poll[1])
    assert changed.status_code == 200
    assert changed.content.decode().lstrip().startswith('<div id="campaign-status"')
    assert poll[1] not in changed.content.decode()


def test_many_photos_need_no_more_queries_than_one(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    version = version_make(campaign)
    client = client_of("ada")

    def query_count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(STATUS)
        return len(captured)

    predictions_make(version, images_make(campaign, 1), [5.0])
    before = query_count()
    many = images_make(campaign, 40, prefix="more")
    predictions_make(version, many, [5.0] * 40)
    Feature.objects.bulk_create(Feature(image=image, backbone=backbone_key(""), state="done") for image in many)
    assert query_count() == before <= 29  # five more: left for you, answers a day (two), versions and their evaluations
