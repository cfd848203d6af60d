from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from annotation.models import Annotation, Campaign, Image, Membership, Role
from annotation.services.campaigns import campaign_create, campaign_state_set, campaign_update, fields_fixed

State = Campaign.State


def form_of(campaign: Campaign, **changes: Any) -> dict[str, Any]:
    """Return the data that the settings form of a campaign sends."""
    from annotation.campaign_forms import CampaignForm

    form = CampaignForm(instance=campaign)
    data = {name: form[name].value() for name in form.fields if not form.fields[name].disabled}
    data["synsets"] = ", ".join(map(str, campaign.synsets))
    return {name: value for name, value in (data | changes).items() if value not in (False, None)}


@pytest.fixture
def answered(make_image: Callable[..., Image], people: dict[str, Any]) -> Image:
    """Return a photo with one answer, which takes one slot."""
    image = make_image(1, vote_count=1, open_slots=2)
    Annotation.objects.create(
        client_id=uuid4(), campaign=image.campaign, image=image, annotator=people["alice"], watch="yes", score=7
    )
    return image


def test_creator_of_a_campaign_is_its_admin(people: dict[str, Any]) -> None:
    campaign = campaign_create(by=people["mallory"], name="New", slug="new", votes_per_image=2)
    assert Membership.objects.get(campaign=campaign).role == Role.ADMIN
    assert (campaign.created_by, campaign.votes_per_image) == (people["mallory"], 2)


@pytest.mark.parametrize(
    ("fields", "invalid_field"),
    [
        ({"slug": "watches"}, "slug"),
        ({"slug": "no spaces"}, "slug"),
        ({"name": ""}, "name"),
        ({"scale_min": 5, "scale_max": 5}, "scale_max"),
        ({"scale_max": 101}, "scale_max"),
        ({"reject_at": 0.5}, "reject_at"),
        ({"pending_at": 11}, "reject_at"),
        ({"reject_at": 7, "pending_at": 6}, "pending_at"),
        ({"synsets": []}, "synsets"),
        ({"synsets": [409, 409]}, "synsets"),
        ({"synsets": [1000]}, "synsets"),
        ({"watch_threshold": 1.5}, "watch_threshold"),
        ({"holdout_fraction": 0.95}, "holdout_fraction"),
        ({"votes_per_image": 0}, "votes_per_image"),
        ({"lease_seconds": 1}, "lease_seconds"),
    ],
)
def test_invalid_values_are_refused_with_an_error_at_the_field(
    people: dict[str, Any], fields: dict[str, Any], invalid_field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        campaign_create(by=people["ada"], **{"name": "New", "slug": "new", **fields})
    assert list(refused.value.message_dict) == [invalid_field]
    assert not Campaign.objects.filter(slug="new").exists()


def test_open_slots_follow_the_number_of_votes_needed(campaign: Campaign, make_image: Callable[..., Image]) -> None:
    train = make_image(1, votes_needed=3, open_slots=1)
    holdout = make_image(2, split="holdout", votes_needed=5, open_slots=5)
    campaign_update(campaign=campaign, votes_per_image=4)
    assert list(Image.objects.order_by("pk").values_list("votes_needed", "open_slots")) == [(4, 2), (5, 5)]
    campaign_update(campaign=campaign, votes_per_image=1, holdout_votes=2)
    train.refresh_from_db()
    holdout.refresh_from_db()
    assert (train.votes_needed, train.open_slots) == (1, -1)
    assert (holdout.votes_needed, holdout.open_slots) == (2, 2)


def test_votes_needed_of_all_photos_change_in_one_statement(
    campaign: Campaign, make_image: Callable[..., Image], django_assert_max_num_queries: Any
) -> None:
    for seed in range(5):
        make_image(seed)
    with django_assert_max_num_queries(20) as queries:
        campaign_update(campaign=campaign, votes_per_image=9)
    assert sum('UPDATE "annotation_image"' in query["sql"] for query in queries.captured_queries) == 1


def test_holdout_is_fixed_after_the_first_photo_and_scale_after_the_first_answer(
    campaign: Campaign, answered: Image
) -> None:
    assert fields_fixed(campaign).keys() == {"holdout_fraction", "seed", "scale_min", "scale_max"}
    for change in ({"holdout_fraction": 0.5}, {"seed": 1}, {"scale_max": 5}):
        with pytest.raises(ValidationError, match="Cannot change after"):
            campaign_update(campaign=campaign, **change)
    campaign_update(campaign=campaign, holdout_fraction=0.2, scale_max=10, name="Renamed")
    assert Campaign.objects.get().name == "Renamed"


def test_every_setting_can_change_before_the_first_photo(campaign: Campaign) -> None:
    assert fields_fixed(campaign) == {}
    campaign_update(campaign=campaign, holdout_fraction=0.5, scale_min=0, scale_max=5, reject_at=2, pending_at=3)
    campaign.refresh_from_db()
    assert (campaign.holdout_fraction, campaign.bins) == (0.5, 6)


def test_allowed_changes_of_the_state(campaign: Campaign) -> None:
    assert campaign_state_set(campaign=campaign, state=State.PAUSED)
    assert not campaign_state_set(campaign=campaign, state=State.PAUSED)
    assert campaign_state_set(campaign=campaign, state=State.CLOSED)
    assert not campaign_state_set(campaign=campaign, state=State.PAUSED)
    assert campaign_state_set(campaign=campaign, state=State.ACTIVE)


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]
)
def test_only_admins_of_the_campaign_can_change_settings(client_of: Any, name: str, status: int) -> None:
    assert client_of(name).get(reverse("campaign-edit", args=["watches"])).status_code == status
    posted = client_of(name).post(reverse("campaign-state", args=["watches"]), {"state": "paused"})
    assert posted.status_code == (302 if name == "ada" else status)
    assert Campaign.objects.get().state == ("paused" if name == "ada" else "active")


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada", "staff", "superuser"])
def test_only_staff_and_superusers_can_create_campaigns(
    client_of: Any, people: dict[str, Any], make_user: Any, name: str
) -> None:
    people["staff"] = make_user("staff", is_staff=True)
    people["superuser"] = make_user("root", is_superuser=True)
    expected = 302 if name == "anonymous" else 200 if name in {"staff", "superuser"} else 403
    assert client_of(name).get(reverse("campaign-new")).status_code == expected


def test_new_campaign_page_creates_a_campaign_and_redirects_to_its_import(
    client_of: Any, people: dict[str, Any], make_user: Any, campaign: Campaign
) -> None:
    people["staff"] = make_user("staff", is_staff=True)
    data = form_of(campaign, name="Clocks", slug="clocks", synsets="409 892", promote_automatically="on")
    response = client_of("staff").post(reverse("campaign-new"), data)
    assert response.url == reverse("import", args=["clocks"])
    created = Campaign.objects.get(slug="clocks")
    assert (created.synsets, created.promote_automatically, created.created_by) == ([409, 892], True, people["staff"])


def test_settings_page_saves_changes(client_of: Any, campaign: Campaign, answered: Image) -> None:
    page = reverse("campaign-edit", args=["watches"])
    response = client_of("ada").post(page, form_of(campaign, name="Better", votes_per_image=5))
    assert response.status_code == 302
    campaign.refresh_from_db()
    answered.refresh_from_db()
    assert (campaign.name, campaign.scale_max, answered.votes_needed) == ("Better", 10, 5)


def test_fixed_fields_cannot_be_changed_and_show_the_reason(
    client_of: Any, campaign: Campaign, answered: Image
) -> None:
    page = reverse("campaign-edit", args=["watches"])
    shown = client_of("ada").get(page).content.decode()
    assert "Cannot change after the first import" in shown
    assert "Cannot change after the first answer" in shown
    client_of("ada").post(page, form_of(campaign, scale_max=5, holdout_fraction=0.9))
    campaign.refresh_from_db()
    assert (campaign.scale_max, campaign.holdout_fraction) == (10, 0.2)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("synsets", "409, watch", "&#x27;watch&#x27; is not an ImageNet class number"),
        ("synsets", "409, 409", "409 is listed twice"),
        ("synsets", "1000", "is not an ImageNet class number"),
        ("slug", "taken", "already exists"),
        ("pending_at", "3", "must not be below"),
        ("scale_max", "0", "must be above the lowest"),
        ("votes_per_image", "many", "Enter a whole number"),
    ],
)
def test_invalid_settings_are_refused_with_a_message(
    client_of: Any, campaign: Campaign, field: str, value: str, message: str
) -> None:
    Campaign.objects.create(slug="taken", name="Taken")
    page = reverse("campaign-edit", args=["watches"])
    response = client_of("ada").post(page, form_of(campaign, **{field: value}))
    assert response.status_code == 422
    assert message in response.content.decode()
    assert "Not saved" in response.content.decode()


def test_the_settings_page_takes_few_queries(
    client_of: Any, campaign: Campaign, django_assert_num_queries: Any
) -> None:
    client = client_of("ada")
    with django_assert_num_queries(6):  # session, user, campaign with role, photos, answers, simulated annotators
        client.get(reverse("campaign-edit", args=["watches"]))


@pytest.mark.parametrize(
    ("fields", "invalid_field", "message"),
    [
        ({"repeat_share": 0.31}, "repeat_share", "from 0 to 30"),
        ({"gold_share": -0.01}, "gold_share", "from 0 to 30"),
        ({"anchoring_share": 0.6}, "anchoring_share", "from 0 to 50"),
        ({"anchoring_share": 0.1, "mode": "prelabel"}, "anchoring_share", "no comparison group"),
        ({"break_minutes": -1}, "break_minutes", ""),
    ],
)
def test_errors_of_quality_check_settings_are_in_percent(
    people: dict[str, Any], fields: dict[str, Any], invalid_field: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        campaign_create(by=people["ada"], **{"name": "New", "slug": "new", **fields})
    assert list(refused.value.message_dict) == [invalid_field]
    assert message in refused.value.message_dict[invalid_field][0]


def test_shares_are_entered_and_shown_as_percentages(campaign: Campaign, client_of: Any) -> None:
    page = reverse("campaign-edit", args=["watches"])
    data = form_of(campaign, repeat_share="7.5", gold_share="10", anchoring_share="20", break_minutes="0")
    assert client_of("ada").post(page, data).status_code == 302
    campaign.refresh_from_db()
    shares = (campaign.repeat_share, campaign.gold_share, campaign.anchoring_share, campaign.break_minutes)
    assert shares == (0.075, 0.1, 0.2, 0)
    assert 'name="repeat_share" value="7.5"' in client_of("ada").get(page).content.decode()
    refused = client_of("ada").post(page, data | {"gold_share": "40"})
    assert refused.status_code == 422
    assert "Enter a percentage from 0 to 30." in refused.content.decode()
    assert 'value="40"' in refused.content.decode()


def test_shares_of_queue_lanes_are_set_on_the_settings_page(campaign: Campaign, client_of: Any) -> None:
    page = reverse("campaign-edit", args=["watches"])
    html = client_of("ada").get(page).content.decode()
    assert "Fewest votes first (%)" in html
    assert 'name="lane_random" value="100"' in html
    data = form_of(campaign, lane_random="25", lane_fewest_votes="75", lane_watch_margin="")
    assert client_of("ada").post(page, data).status_code == 302
    campaign.refresh_from_db()
    assert campaign.lane_shares == {"random": 0.25, "fewest_votes": 0.75}
    assert 'name="lane_fewest_votes" value="75"' in client_of("ada").get(page).content.decode()
    refused = client_of("ada").post(page, data | {"lane_fewest_votes": "50"})
    assert refused.status_code == 422
    assert "must add up to 100 percent, not 75." in refused.content.decode()


def test_shares_of_unknown_queue_lanes_are_refused(people: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        campaign_create(by=people["ada"], name="New", slug="new", lane_shares={"sharpest": 1.0})
    assert list(refused.value.message_dict) == ["lane_shares"]
    assert "no queue lane 'sharpest'" in refused.value.message_dict["lane_shares"][0]
