"""Settings that change while people work: what is refused, and what two admins do to each other."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.urls import reverse

from annotation.models import Annotation, Campaign, Image, Membership
from annotation.services.annotations import AnnotationError, annotation_record
from annotation.services.campaigns import campaign_update, fields_fixed

SMALLER = {"scale_max": 5, "reject_at": 2, "pending_at": 3}


def answer(campaign: Campaign, annotator: Any, image: Image, score: int, **fields: Any) -> Annotation:
    return annotation_record(
        campaign=campaign, annotator=annotator, image_id=image.pk, client_id=uuid4(), watch="yes", score=score, **fields
    ).annotation


@pytest.mark.parametrize("role", ["practice", "example", "gold"])
def test_the_scale_is_fixed_by_an_expected_score(campaign: Campaign, make_image: Any, role: str) -> None:
    make_image(1, role=role, expected_watch="yes", expected_score=8)
    assert fields_fixed(campaign).keys() >= {"scale_min", "scale_max"}
    with pytest.raises(ValidationError, match="expected score"):
        campaign_update(campaign=campaign, **SMALLER)


def test_an_answer_given_on_another_scale_is_refused(campaign: Campaign, people: Any, make_image: Any) -> None:
    image = make_image(1)
    page = Campaign.objects.get()  # as a page that is open has it
    campaign_update(campaign=campaign, **SMALLER)
    with pytest.raises(AnnotationError, match="on the scale 1 to 10, and the campaign's scale is now 1 to 5"):
        answer(campaign, people["alice"], image, 4, scale=(1, 10))
    with pytest.raises(AnnotationError, match="from 1 to 5, not 8"):
        answer(page, people["alice"], image, 8)  # also for a request that read the campaign before the change
    assert answer(campaign, people["alice"], image, 4, scale=(1, 5)).score == 4


def test_a_skip_does_not_depend_on_the_scale(campaign: Campaign, people: Any, make_image: Any) -> None:
    skip = {"image_id": make_image(1).pk, "skip_reason": "Another reason", "scale": (1, 100)}
    annotation_record(campaign=campaign, annotator=people["alice"], client_id=uuid4(), **skip)
    assert Annotation.objects.get().skip_reason == "Another reason"


def test_the_api_refuses_an_answer_on_another_scale(client_of: Any, campaign: Campaign, make_image: Any) -> None:
    body = {"client_id": str(uuid4()), "image_id": make_image(1).pk, "watch": "yes", "score": 4, "scale": [1, 100]}
    place = "/api/campaigns/watches/annotations"
    response = client_of("alice").post(place, body, content_type="application/json")
    assert response.status_code == 422
    assert "Reload the page" in response.json()["detail"]
    assert client_of("alice").post(place, {**body, "scale": [1, 10]}, content_type="application/json").json()["created"]


@pytest.mark.django_db(transaction=True)
def test_a_change_of_the_scale_waits_for_an_answer_that_is_being_recorded(
    campaign: Campaign, people: Any, make_image: Any
) -> None:
    image = make_image(1)
    outcome: list[str] = []

    def change() -> None:
        try:
            campaign_update(campaign=campaign, **SMALLER)
            outcome.append("changed")
        except ValidationError:
            outcome.append("refused")
        finally:
            connection.close()

    thread = threading.Thread(target=change)
    with transaction.atomic():
        answer(campaign, people["alice"], image, 8)
        thread.start()
        while not waits_for_a_lock() and thread.is_alive():
            pass
    thread.join()
    assert outcome == ["refused"]
    assert Campaign.objects.get().scale_max == 10


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def shown(client: Any) -> dict[str, Any]:
    """Return what the settings page sends when nobody changes a field."""
    form = client.get(reverse("campaign-edit", args=["watches"])).context["form"]
    data: dict[str, Any] = {}
    for name in form.fields:
        value = form[name].value()
        if isinstance(value, bool):
            data |= {f"initial-{name}": str(value), **({name: "on"} if value else {})}
        else:
            data |= {name: value, f"initial-{name}": value}
    return data


def test_an_old_settings_page_does_not_undo_the_change_of_another_admin(client_of: Any, campaign: Campaign) -> None:
    client = client_of("ada")
    first, second = shown(client), shown(client)
    place = reverse("campaign-edit", args=["watches"])
    changed = {"watch_threshold": "0.2", "synsets": "409, 892", "promote_automatically": "on", "repeat_share": "10"}
    lanes = dict.fromkeys(("lane_watch_margin", "lane_holdout", "lane_anchors"), "0")
    lanes |= {"lane_random": "50", "lane_fewest_votes": "50"}
    assert client.post(place, {**first, **changed, **lanes}).status_code == 302
    assert client.post(place, {**second, "name": "Better"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.watch_threshold, campaign.synsets) == ("Better", 0.2, [409, 892])
    assert (campaign.promote_automatically, campaign.repeat_share) == (True, 0.1)
    assert campaign.lane_shares == {"random": 0.5, "fewest_votes": 0.5}


def test_a_field_can_be_set_back_and_a_box_can_be_cleared(client_of: Any, campaign: Campaign) -> None:
    campaign_update(campaign=campaign, promote_automatically=True, description="Old")
    data = shown(client_of("ada")) | {"description": ""}
    del data["promote_automatically"]
    assert client_of("ada").post(reverse("campaign-edit", args=["watches"]), data).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.promote_automatically, campaign.description) == (False, "")


@pytest.fixture
def superuser_client(client: Any, make_user: Callable[..., Any]) -> Any:
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    return client


def test_the_admin_site_changes_only_texts_of_a_campaign(
    superuser_client: Any, campaign: Campaign, people: Any
) -> None:
    place = reverse("admin:annotation_campaign_change", args=[campaign.pk])
    page = superuser_client.get(place)
    assert page.context["adminform"].form.fields.keys() == {"name", "description", "instructions"}
    data = {"name": "Renamed", "synsets": "1", "slug": "other", "memberships-TOTAL_FORMS": 0}
    data |= {"memberships-INITIAL_FORMS": 0}
    assert superuser_client.post(place, data).status_code == 302
    stored = Campaign.objects.get()
    assert (stored.name, stored.slug, stored.synsets) == ("Renamed", "watches", campaign.synsets)
    assert superuser_client.get(reverse("admin:annotation_campaign_add")).status_code == 403
    assert Membership.objects.filter(campaign=campaign).count() == 4
    assert all(not inline.has_change_permission and not inline.has_add_permission for inline in formsets(page))


def formsets(page: Any) -> list[Any]:
    return list(page.context["inline_admin_formsets"])


def test_claims_and_renewals_tell_the_present_lease_time(client_of: Any, campaign: Campaign, make_image: Any) -> None:
    make_image(1)
    alice, base = client_of("alice"), "/api/campaigns/watches/leases"
    claimed = alice.post(base, {"count": 1}, content_type="application/json").json()
    assert claimed["lease_seconds"] == 300
    campaign_update(campaign=campaign, lease_seconds=30)
    ids = [lease["image_id"] for lease in claimed["leases"]]
    renewed = alice.post(f"{base}/renew", {"image_ids": ids}, content_type="application/json").json()
    assert (renewed["renewed"], renewed["lease_seconds"]) == (1, 30)
