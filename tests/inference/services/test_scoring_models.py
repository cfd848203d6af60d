"""The page 'Try the model' with a version: who may choose which, and that its rules decide."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, Membership, Role
from inference.models import ModelVersion
from inference.services.scoring_models import champions_to_try, model_of, versions_of
from inference.tasks import scoring_job_run
from tests.conftest import photo_bytes
from tests.inference.tiny_models import tiny_models_place
from tests.inference.tiny_versions import BACKBONE, version_of

LOWEST, BINS = 1, 5


@pytest.fixture(autouse=True)
def _tiny_models(settings: Any) -> None:
    tiny_models_place(settings.MODELS_ROOT)


@pytest.fixture
def campaign(db: None) -> Campaign:
    return Campaign.objects.create(
        slug="watches", name="Watches", backbone=BACKBONE, scale_min=LOWEST, scale_max=BINS, reject_at=2, pending_at=3
    )


@pytest.fixture
def versions(campaign: Campaign) -> list[ModelVersion]:
    return [version_of(campaign, 1, champion=False), version_of(campaign, 2, champion=True)]


def send(client: Any, **data: Any) -> Any:
    return client.post("/score/", {"photos": [SimpleUploadedFile("a.jpg", photo_bytes(1))], **data})


@pytest.mark.parametrize(("name", "may"), [("alice", False), ("mallory", False), ("rita", True), ("ada", True)])
def test_only_reviewers_and_admins_choose_a_version(
    client_of: Callable[[str], Any], versions: list[ModelVersion], name: str, may: bool
) -> None:
    client = client_of(name)
    assert ("version 2, the champion" in client.get("/score/").text) == may
    assert send(client, version=versions[1].pk).status_code == (302 if may else 422)


@pytest.mark.parametrize("choice", ["-1", "x", "9" * 30, "0"])
def test_a_choice_that_does_not_exist_is_refused(client_of: Callable[[str], Any], choice: str) -> None:
    response = send(client_of("ada"), version=choice)
    assert response.status_code == 422
    assert "This version cannot be used" in response.text


def test_the_champion_of_the_campaign_is_chosen_first(
    client_of: Callable[[str], Any], versions: list[ModelVersion]
) -> None:
    page = client_of("rita").get("/campaigns/watches/gate/").text
    assert 'aria-current="page">' in page.partition('aria-label="Campaign"')[2].partition("</nav>")[0]
    assert f'<option value="{versions[1].pk}" selected>' in page
    assert page.index("Version 2, the champion") < page.index("Version 1")
    page = client_of("rita").get("/score/").text
    assert f'<option value="{versions[1].pk}" selected>' in page
    assert "version 1" not in page  # older versions on the page of the campaign only


def test_the_rules_of_the_version_decide(client_of: Callable[[str], Any], versions: list[ModelVersion]) -> None:
    client = client_of("rita")
    address = send(client, version=versions[1].pk).url
    assert scoring_job_run(Membership.objects.get(role=Role.REVIEWER).user_id, address.split("/")[-2]) == 1
    page = client.get(address).text
    assert "Scored by version 2 of Watches." in page
    assert "the threshold 0.900 (the line)" in page
    assert "The threshold was chosen for its campaign: best F1." in page
    assert f'<option value="{versions[1].pk}" selected>' in page
    assert page.count('class="hit"') == BINS


def test_a_version_that_was_deleted_meanwhile_is_a_reason(
    client_of: Callable[[str], Any], versions: list[ModelVersion]
) -> None:
    client = client_of("rita")
    address = send(client, version=versions[0].pk).url
    versions[0].delete()
    scoring_job_run(Membership.objects.get(role=Role.REVIEWER).user_id, address.split("/")[-2])
    assert "The version was deleted." in client.get(address).text


def test_the_shipped_model_stays_the_choice_of_everybody(client_of: Callable[[str], Any]) -> None:
    client = client_of("alice")
    address = send(client).url
    user = Membership.objects.get(user__username="alice").user_id
    assert scoring_job_run(user, address.split("/")[-2]) == 1
    page = client.get(address).text
    assert "Scored by the shipped model." in page
    assert "far below one half" in page


def test_versions_without_files_or_for_another_scale_are_not_offered(
    versions: list[ModelVersion], people: dict[str, Any], campaign: Campaign
) -> None:
    assert [one.number for one in versions_of(campaign)] == [2, 1]
    assert [one.number for one in champions_to_try(people["ada"])] == [2]
    Campaign.objects.update(scale_max=7)
    campaign.refresh_from_db()
    assert versions_of(campaign) == champions_to_try(people["ada"]) == []


def test_many_campaigns_need_no_more_queries(
    client_of: Callable[[str], Any], versions: list[ModelVersion], people: dict[str, Any]
) -> None:
    from django.db import connection

    client = client_of("rita")

    def query_count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/score/")
        return len(captured)

    before = query_count()
    for number in range(4):
        other = Campaign.objects.create(slug=f"c{number}", name=f"C{number}", backbone=BACKBONE, scale_max=BINS)
        Membership.objects.create(campaign=other, user=people["rita"], role=Role.ADMIN)
        version_of(other, 1, champion=True)
    assert query_count() == before <= 4  # session, user, versions, limit of the hour


def test_the_model_keeps_the_limits_of_the_moment(versions: list[ModelVersion], tmp_path: Any) -> None:
    model = model_of(versions[1])
    model.write(tmp_path)
    assert type(model).read(tmp_path) == model
    assert (model.rules.lowest, model.rules.bins, model.rules.threshold) == (LOWEST, BINS, 0.9)
    assert (model.rules.reject_at, model.rules.pending_at) == (2, 3)
