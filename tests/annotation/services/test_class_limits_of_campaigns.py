"""Class limits follow the scale: in services, in the settings form, and in `score`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation.models import Campaign
from annotation.services.campaigns import campaign_create, campaign_update
from inference.scoring.rows import Rules
from tests.annotation.services.test_campaigns import form_of

Client = Callable[[str], Any]


def limits(campaign: Campaign) -> tuple[float, float]:
    campaign.refresh_from_db()
    return campaign.reject_at, campaign.pending_at


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (5, 6)),
        ({"scale_min": 0, "scale_max": 100}, (44.95, 55.05)),
        ({"scale_min": 0, "scale_max": 100, "reject_at": None, "pending_at": None}, (44.95, 55.05)),
        ({"scale_min": 0, "scale_max": 100, "reject_at": 5, "pending_at": 6}, (5, 6)),
        ({"scale_max": 5, "reject_at": 2}, (2, 3.25)),
    ],
)
def test_a_new_campaign_has_the_limits_of_its_scale(
    people: dict[str, Any], fields: dict[str, Any], expected: tuple[float, float]
) -> None:
    made = campaign_create(by=people["ada"], name="New", slug="new", **fields)
    assert limits(made) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"scale_max": 5, "reject_at": 5, "pending_at": 6},
        {"scale_min": 20, "scale_max": 100, "reject_at": 5},
        {"reject_at": float("nan")},
        {"pending_at": float("inf")},
        {"reject_at": -1},
    ],
)
def test_limits_outside_of_the_scale_are_refused(people: dict[str, Any], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"must be on the scale|must not be below"):
        campaign_create(by=people["ada"], name="New", slug="new", **fields)


def test_limits_move_with_the_scale_unless_they_are_given(campaign: Campaign) -> None:
    campaign_update(campaign=campaign, scale_min=0, scale_max=100)
    assert limits(campaign) == (44.95, 55.05)
    campaign_update(campaign=campaign, reject_at=70, pending_at=80)
    campaign_update(campaign=campaign, name="Renamed")
    assert limits(campaign) == (70, 80)
    campaign_update(campaign=campaign, scale_min=1, scale_max=10)
    assert limits(campaign) == pytest.approx((7.480198, 8.470297))
    campaign_update(campaign=campaign, scale_max=5, reject_at=2, pending_at=3)
    assert limits(campaign) == (2, 3)
    campaign_update(campaign=campaign, reject_at=None, pending_at=None)
    assert limits(campaign) == (2.75, 3.25)


def test_limits_that_exist_stay_as_they_are(campaign: Campaign) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)  # as campaigns of earlier versions are
    campaign.refresh_from_db()
    campaign_update(campaign=campaign, name="Renamed")
    assert limits(campaign) == (5, 6)


@pytest.fixture
def staff_client(client_of: Client, people: dict[str, Any], make_user: Callable[..., Any]) -> Any:
    people["staff"] = make_user("staff", is_staff=True)
    return client_of("staff")


def test_the_page_of_a_new_campaign_leaves_the_limits_to_the_scale(staff_client: Any, campaign: Campaign) -> None:
    page = staff_client.get(reverse("campaign-new")).content.decode()
    assert 'placeholder="5"' in page
    assert 'data-scale="10"' in page
    data = form_of(campaign, name="New", slug="new", scale_min="0", scale_max="100", reject_at="", pending_at="")
    assert staff_client.post(reverse("campaign-new"), data).status_code == 302
    assert limits(Campaign.objects.get(slug="new")) == (44.95, 55.05)
    typed = data | {"name": "Typed", "slug": "typed", "reject_at": "5", "pending_at": "6"}
    assert staff_client.post(reverse("campaign-new"), typed).status_code == 302
    assert limits(Campaign.objects.get(slug="typed")) == (5, 6)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scale_min": "0", "scale_max": "100"}, (44.95, 55.05)),
        ({"scale_min": "0", "scale_max": "100", "reject_at": "60", "pending_at": "70"}, (60, 70)),
        ({"scale_max": "5", "reject_at": "", "pending_at": ""}, (2.75, 3.25)),
        ({"reject_at": "4"}, (4, 6)),
        ({"name": "Renamed"}, (5, 6)),
    ],
)
def test_the_settings_page_moves_limits_that_nobody_typed(
    client_of: Client, campaign: Campaign, changes: dict[str, str], expected: tuple[float, float]
) -> None:
    shown = {f"initial-{name}": value for name, value in form_of(campaign).items()}  # the page sends them too
    response = client_of("ada").post(reverse("campaign-edit", args=["watches"]), shown | form_of(campaign, **changes))
    assert response.status_code == 302
    assert limits(campaign) == expected


def test_the_settings_page_refuses_limits_outside_of_the_scale(client_of: Client, campaign: Campaign) -> None:
    data = form_of(campaign, scale_max="100", reject_at="101", pending_at="102")
    response = client_of("ada").post(reverse("campaign-edit", args=["watches"]), data)
    assert response.status_code == 422
    assert "must be on the scale" in response.content.decode()


def test_djangos_admin_makes_no_campaign_past_these_rules(client: Any, make_user: Callable[..., Any]) -> None:
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    assert client.get(reverse("admin:annotation_campaign_add")).status_code == 403


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(()), (5, 6)),
        (Rules((), lowest=0, bins=101), (44.95, 55.05)),
        (Rules((), lowest=0, bins=101, reject_at=10), (10, 55.05)),
    ],
)
def test_rules_of_scoring_have_the_limits_of_their_scale(rules: Rules, expected: tuple[float, float]) -> None:
    assert (rules.reject_at, rules.pending_at) == expected


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--scale=0-100", "--reject-at=101", "--pending-at=102"], r"--reject-at \(101\) must be on the scale 0-100"),
        (["--scale=1-5", "--pending-at=6"], r"--pending-at \(6\) must be on the scale 1-5"),
        (["--reject-at=0"], r"--reject-at \(0\) must be on the scale 1-10"),
        (["--reject-at=nan"], "'nan' is not a number"),
        (["--pending-at=inf"], "'inf' is not a number"),
    ],
)
def test_score_refuses_limits_outside_of_the_scale(options: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("score", ".", *options)
