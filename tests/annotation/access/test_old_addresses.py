"""An address that was given out goes on working after the campaign got another one."""

import io
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from annotation.management.lookup import campaign_named
from annotation.models import Annotation, Campaign, CampaignAddress, Image
from annotation.services.campaigns import campaign_create, campaign_update

OLD, NEW = "watches", "clocks"


@pytest.fixture
def renamed(campaign: Campaign) -> Campaign:
    return campaign_update(campaign=campaign, slug=NEW)


def recorded(client: Any, image: Image, address: str) -> int:
    body = {"client_id": str(uuid4()), "image_id": image.pk, "watch": "yes", "score": 7}
    status = client.post(f"/api/campaigns/{address}/annotations", body, content_type="application/json").status_code
    assert isinstance(status, int)
    return status


@pytest.mark.parametrize(
    "path", ["", "annotate/", "mine/", "members/?a=1&b=2", "settings/", "photos/?order=best", "models/", "calibration/"]
)
def test_old_pages_redirect_with_their_query(client_of: Any, renamed: Campaign, path: str) -> None:
    response = client_of("ada").get(f"/campaigns/{OLD}/{path}")
    assert (response.status_code, response.url) == (302, f"/campaigns/{NEW}/{path}")
    assert client_of("ada").get(response.url).status_code == 200


@pytest.mark.parametrize(("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("ada", 302)])
def test_an_old_address_tells_no_more_than_the_present_one(
    client_of: Any, renamed: Campaign, name: str, status: int
) -> None:
    response = client_of(name).get(f"/campaigns/{OLD}/settings/")
    assert response.status_code == status
    assert NEW not in response.headers.get("Location", "") or name == "ada"


def test_answers_and_leases_of_an_open_page_are_accepted_at_the_old_address(
    client_of: Any, renamed: Campaign, make_image: Any
) -> None:
    image, alice = make_image(1), client_of("alice")
    claimed = alice.post(f"/api/campaigns/{OLD}/leases", {"count": 1}, content_type="application/json")
    assert [lease["image_id"] for lease in claimed.json()["leases"]] == [image.pk]
    assert recorded(alice, image, OLD) == 200
    assert Annotation.objects.get().campaign == renamed
    assert alice.get(f"/api/campaigns/{OLD}/progress").json()["own_answers"] == 1
    assert recorded(client_of("mallory"), image, OLD) == 404


def test_a_form_of_an_open_page_is_accepted_at_the_old_address(client_of: Any, renamed: Campaign) -> None:
    response = client_of("ada").post(f"/campaigns/{OLD}/state", {"state": "paused"})
    assert (response.status_code, response.url) == (302, f"/campaigns/{NEW}/settings/")
    assert Campaign.objects.get().state == "paused"


def test_an_upload_goes_on_at_the_old_address(client_of: Any, campaign: Campaign) -> None:
    ada = client_of("ada")
    urls = ada.post(f"/campaigns/{OLD}/imports/start").json()
    campaign_update(campaign=campaign, slug=NEW)
    piece = ada.put(f"{urls['file_url']}?number=0&name=a.jpg&size=1&offset=0", b"x")
    assert piece.json() == {"complete": True}
    assert ada.post(urls["finish_url"]).url == urls["page_url"].replace(OLD, NEW)


def test_all_earlier_addresses_lead_to_the_present_one_and_can_be_taken_back(client_of: Any, renamed: Campaign) -> None:
    campaign_update(campaign=renamed, slug="third")
    for address in (OLD, NEW):
        assert client_of("ada").get(f"/campaigns/{address}/").url == "/campaigns/third/"
    campaign_update(campaign=renamed, slug=OLD)
    assert client_of("ada").get(f"/campaigns/{OLD}/").status_code == 200
    assert client_of("ada").get(f"/campaigns/{NEW}/").url == f"/campaigns/{OLD}/"


def test_no_other_campaign_can_take_an_old_address(people: dict[str, Any], renamed: Campaign) -> None:
    with pytest.raises(ValidationError, match="had this address before"):
        campaign_create(by=people["ada"], name="Other", slug=OLD)
    other = campaign_create(by=people["ada"], name="Other", slug="other")
    with pytest.raises(ValidationError, match="had this address before"):
        campaign_update(campaign=other, slug=OLD)
    with pytest.raises(IntegrityError), transaction.atomic():  # also past the service
        Campaign.objects.create(name="Third", slug=OLD)
    assert not Campaign.objects.filter(name="Third").exists()


def test_the_form_says_why_an_old_address_is_refused(
    client_of: Any, renamed: Campaign, people: dict[str, Any], make_user: Any
) -> None:
    people["root"] = make_user("root", is_superuser=True)
    response = client_of("root").post("/new-campaign/", {"slug": OLD, "name": "Other"})
    assert response.status_code == 422
    other = campaign_create(by=people["ada"], name="Other", slug="other")
    page = client_of("ada").get(f"/campaigns/{other.slug}/settings/")
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    data["synsets"] = "409"
    refused = client_of("ada").post(f"/campaigns/{other.slug}/settings/", {**data, "slug": OLD})
    assert refused.status_code == 422
    assert "Another campaign had this address before" in refused.content.decode()


def test_commands_and_schedules_take_old_addresses(renamed: Campaign) -> None:
    from training.models import TrainingRun
    from training.tasks import retrain_scheduled

    assert campaign_named(OLD) == campaign_named(NEW) == renamed
    call_command("export_annotations", OLD, stdout=io.StringIO())
    with pytest.raises(CommandError, match="Existing campaigns: clocks"):
        campaign_named("no-such")
    retrain_scheduled(campaign=OLD)
    assert TrainingRun.objects.get().campaign == renamed


def test_the_demo_finds_its_campaign_at_another_address(settings: Any, tmp_path: Any, db: None) -> None:
    from iqs_site.demo.campaign import demo_prepare

    settings.VAR = tmp_path
    demo_prepare(lambda line: None, count=1)
    campaign_update(campaign=Campaign.objects.get(), slug="mine")
    demo_prepare(lambda line: None, count=1)
    assert Campaign.objects.get().slug == "mine"


def test_the_migration_stores_the_addresses_of_existing_campaigns(campaign: Campaign) -> None:
    CampaignAddress.objects.all().delete()
    migration = import_module("annotation.migrations.0006_campaign_addresses").Migration
    with connection.cursor() as cursor:
        cursor.execute(migration.operations[1].sql)
    assert list(CampaignAddress.objects.values_list("slug", "campaign")) == [(OLD, campaign.pk)]
