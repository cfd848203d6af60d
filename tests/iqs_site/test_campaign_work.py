"""The work queues on the overview of a campaign: counts, time left, and the three buttons of an admin."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Campaign
from annotation.services.kept_counts import CLAIMS
from annotation.tasks import stored_count_make
from inference.models import Distortion, Feature
from inference.selectors import backbone_key, distortion_version
from iqs_site import overview
from tests.iqs_site.test_campaign_home import STATUS, text_of
from tests.opinions_and_predictions import images_make

CANCEL, RESUME, RETRY = (f"/campaigns/watches/work/features/{action}" for action in ("cancel", "resume", "retry"))


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the broker: one worker takes all queues. Tests may clear the list."""
    alive: list[Any] = [SimpleNamespace(name="worker@host", queues=("default", "inference", "single", "training"))]
    monkeypatch.setattr(overview, "broker_alive", lambda: True)
    monkeypatch.setattr(overview, "workers_alive", lambda: alive)
    return alive


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 302)]
)
@pytest.mark.parametrize("address", [CANCEL, RESUME, RETRY])
def test_only_admins_cancel_and_resume(
    client_of: Callable[[str], Any], campaign: Campaign, name: str, status: int, address: str
) -> None:
    images_make(campaign, 1)
    client = client_of(name)
    assert client.post(address).status_code == status
    assert client.get(address).status_code in {302, 403, 404, 405}
    expected = ["cancelled"] if name == "ada" and address == CANCEL else []
    assert list(Feature.objects.values_list("state", flat=True)) == expected


@pytest.mark.parametrize(
    "address", ["/campaigns/watches/work/votes/cancel", "/campaigns/watches/work/features/unknown"]
)
def test_other_queues_and_actions_are_not_found(client_of: Callable[[str], Any], address: str) -> None:
    assert client_of("ada").post(address).status_code == 404


def test_the_buttons_return_the_live_part(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images = images_make(campaign, 3)
    Feature.objects.create(image=images[0], backbone=backbone_key(""), state="failed", reason="gone", attempts=1)
    ada = client_of("ada")
    page = text_of(ada.get(STATUS))
    assert "Cancel 2 waiting" in page
    assert "Retry 1 failed" in page
    response = ada.post(CANCEL, headers={"HX-Request": "true"})
    assert 'id="campaign-status"' in response.content.decode()
    assert "2 photos were cancelled. An admin can resume them." in text_of(response)
    assert "Resume 2 cancelled" in text_of(response)
    assert "0 processed 1 failed" in text_of(ada.post(CANCEL, headers={"HX-Request": "true"}))
    assert "2 queued" in text_of(ada.post(RESUME, headers={"HX-Request": "true"}))
    assert "0 processed 3 queued 0 predicted" in text_of(ada.post(RETRY, headers={"HX-Request": "true"}))


def test_distortions_have_their_own_queue(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images = images_make(campaign, 4)
    Distortion.objects.create(image=images[0], version=distortion_version(), state="done")
    ada = client_of("ada")
    assert "1 measured for distortions" in text_of(ada.get(STATUS))
    assert "Distortions 3 queued" in text_of(ada.get(STATUS))
    assert "This queue starts when all photos have been processed." in text_of(ada.get(STATUS))
    ada.post("/campaigns/watches/work/distortions/cancel")
    assert Distortion.objects.filter(state="cancelled").count() == 3
    assert "3 photos were cancelled." in text_of(ada.get(STATUS))
    assert "Distortions 3 queued" not in text_of(ada.get(STATUS))


def test_reviewers_see_counts_but_no_buttons(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 2)
    page = text_of(client_of("rita").get(STATUS))
    assert "2 queued" in page
    assert "Cancel" not in page


def test_the_time_left_is_shown_while_a_worker_runs(
    client_of: Callable[[str], Any], campaign: Campaign, workers: list[Any]
) -> None:
    images = images_make(campaign, 300)
    now = timezone.now()
    Feature.objects.bulk_create(
        Feature(image=image, backbone=backbone_key(""), state="done", claimed_at=now - timedelta(seconds=60))
        for image in images[:50]
    )
    assert "250 photos are waiting, about 5 min left." in text_of(client_of("rita").get(STATUS))
    workers.clear()
    page = text_of(client_of("rita").get(STATUS))
    assert "No worker is running for this queue. 250 photos are waiting." in page
    assert "min left" not in page


def test_missing_weights_are_shown(client_of: Callable[[str], Any], campaign: Campaign, settings: Any) -> None:
    images_make(campaign, 2)
    Campaign.objects.update(backbone="no_such_network")
    page = text_of(client_of("ada").get(STATUS))
    assert "Photos are not being processed. Unknown backbone" in page
    assert "no_such_network" in page
    assert client_of("ada").post(CANCEL).status_code == 302


def test_a_worker_counts_a_large_campaign_and_again_after_a_button(
    client_of: Callable[[str], Any], campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page_after_counting() -> str:
        ada.get(STATUS)  # it asks for the counts that are old or missing
        for pk in CLAIMS.claimable_ids():
            assert stored_count_make(pk)
        return text_of(ada.get(STATUS))

    ada = client_of("ada")
    images_make(campaign, 2)
    assert "a worker counts them" not in text_of(ada.get(STATUS))
    monkeypatch.setattr(overview, "LARGE", 1)  # 50,000 photos would take minutes
    assert "A worker is counting the photos and votes of this campaign." in text_of(ada.get(STATUS))
    counted = page_after_counting()
    assert "2 queued" in counted
    assert "Photos and votes still needed were counted" in counted
    images_make(campaign, 1, prefix="later")
    assert "2 queued" in page_after_counting(), "not old enough to be counted again"
    ada.post(CANCEL)
    assert "3 photos were cancelled." in page_after_counting()
