"""A new campaign in four fields, like another one, and all problems of a form at once."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotation.campaign_forms import NewCampaignForm
from annotation.models import AuditRecord, Campaign, Image, Membership, Role
from annotation.services.campaign_copies import campaign_duplicate
from annotation.services.campaign_presets import INSTRUCTIONS, PURPOSES
from annotation.services.campaigns import campaign_slug

NEW = "/new-campaign/"
FOUR = {"name": "Old Clocks", "purpose": "teach", "scale": "1-10", "instructions": "Look."}


@pytest.fixture
def staff(client_of: Callable[[str], Any], people: dict[str, Any]) -> Any:
    """Return a client of ada, the admin of `campaign`, as staff."""
    people["ada"].is_staff = True
    people["ada"].save()
    return client_of("ada")


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def shown_values() -> dict[str, Any]:
    """Return what the page of a new campaign sends when nobody changes a field."""
    form = NewCampaignForm()
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


@pytest.mark.parametrize("purpose", [one.name for one in PURPOSES])
@pytest.mark.parametrize("scale", ["1-5", "0-100"])
@pytest.mark.parametrize("is_all_sent", [False, True], ids=["four fields", "all fields"])
def test_four_fields_are_enough(staff: Any, purpose: str, scale: str, is_all_sent: bool) -> None:
    data = (shown_values() if is_all_sent else {}) | FOUR | {"purpose": purpose, "scale": scale}
    assert staff.post(NEW, data).url == reverse("import", args=["old-clocks"])
    made = Campaign.objects.get(slug="old-clocks")
    low, high = map(int, scale.split("-"))
    assert (made.scale_min, made.scale_max, made.instructions) == (low, high, "Look.")
    assert low < made.reject_at < made.pending_at < high
    for name, value in next(one.settings for one in PURPOSES if one.name == purpose).items():
        assert getattr(made, name) == value, name
    assert made.remove_metadata  # a checkbox that is on in a new campaign


def test_a_value_that_was_typed_for_the_shown_purpose_stays(staff: Any) -> None:
    data = shown_values() | FOUR | {"purpose": "measure", "preset_shown": "measure", "votes_per_image": "4"}
    staff.post(NEW, data)
    assert Campaign.objects.get(slug="old-clocks").votes_per_image == 4


def test_the_page_begins_with_the_defaults_of_a_campaign() -> None:
    defaults = Campaign()
    for name, value in PURPOSES[0].settings.items():
        assert getattr(defaults, name) == value, name
    assert shown_values()["instructions"] == INSTRUCTIONS


def test_the_address_comes_from_the_name_and_is_free(staff: Any, campaign: Campaign) -> None:
    for expected in ("old-clocks", "old-clocks-2", "old-clocks-3"):
        assert staff.post(NEW, FOUR).url == reverse("import", args=[expected])
    assert campaign_slug("Uhren für Ältere!") == "uhren-fur-altere"
    assert campaign_slug("時計") == "campaign"
    assert campaign_slug("watches") == "watches-2"
    assert len(campaign_slug("long name " * 20)) <= 60


def test_all_problems_are_shown_at_once_with_links_to_their_fields(staff: Any) -> None:
    data = shown_values() | {
        "name": "",
        "scale": "other",
        "scale_min": "7",
        "scale_max": "3",
        "synsets": "",
        "holdout_fraction": "2",
        "gold_share": "90",
    }
    response = staff.post(NEW, data)
    assert response.status_code == 422
    page = response.content.decode()
    summary = page[page.index('id="errors"') : page.index("</ul></div>", page.index('id="errors"'))]
    for field in ("name", "scale_max", "synsets", "holdout_fraction", "gold_share"):
        assert f'href="#field-{field}"' in summary, field
        assert f'id="field-{field}"' in page
    assert '<details class="advanced" id="advanced" open>' in page
    assert "slug" not in summary  # it comes from the name, which is missing
    assert not Campaign.objects.filter(name="").exists()


def test_settings_show_problems_between_fields_beside_those_of_single_fields(staff: Any, campaign: Campaign) -> None:
    data = shown_values() | {"slug": "watches", "name": "Watches", "votes_per_image": "0", "reject_at": "50"}
    response = staff.post("/campaigns/watches/settings/", data)
    summary = text_of(response).split("Not saved.")[1][:500]
    assert "Votes per photo" in summary
    assert "must be on the scale" in summary


def test_a_campaign_begins_like_another_one(staff: Any, campaign: Campaign) -> None:
    Campaign.objects.update(scale_max=7, reject_at=3, pending_at=5, synsets=[409, 892], votes_per_image=9, mode="blind")
    page = staff.get(f"{NEW}?like=watches").content.decode()
    assert "The same as Watches" in page
    assert 'value="1-7" checked' in page
    data = {"name": "Second", "purpose": "like", "scale": "1-7", "instructions": ""}
    assert staff.post(f"{NEW}?like=watches", data).status_code == 302
    made = Campaign.objects.get(slug="second")
    like = (made.scale_max, made.reject_at, made.pending_at, made.synsets, made.votes_per_image, made.mode)
    assert like == (7, 3, 5, [409, 892], 9, "blind")


def test_settings_of_a_campaign_of_others_are_not_shown(staff: Any, people: dict[str, Any]) -> None:
    Campaign.objects.create(slug="other", name="Other")
    assert staff.get(f"{NEW}?like=other").status_code == 404
    assert "Other" not in staff.get(NEW).content.decode()


def test_a_duplicate_has_the_settings_and_what_was_asked_for(
    staff: Any, campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    Campaign.objects.update(instructions="Look.", votes_per_image=4)
    gold = make_image(1, role="gold", expected_watch="yes", expected_score=9, vote_count=2, split="holdout")
    make_image(2)
    make_image(3, role="practice", expected_watch="no", expected_score=2, problem="damaged")
    data = {"name": "Watches again", "with_texts": "on", "with_members": "on", "with_special_photos": "on"}
    assert staff.post("/campaigns/watches/copy", data).url == reverse("import", args=["watches-again"])
    copy = Campaign.objects.get(slug="watches-again")
    assert (copy.instructions, copy.votes_per_image, copy.state) == ("Look.", 4, "active")
    roles = dict(Membership.objects.filter(campaign=copy).values_list("user__username", "role"))
    assert roles == {"alice": "annotator", "bob": "annotator", "rita": "reviewer", "ada": "admin"}
    (photo,) = copy.images.all()
    assert (photo.sha256, photo.role, photo.expected_score, photo.vote_count) == (gold.sha256, "gold", 9, 0)
    assert (photo.split, photo.open_slots, photo.group != gold.group) == ("train", 4, True)
    assert AuditRecord.objects.get(kind="campaign_created", campaign=copy).what == "with the settings of watches"


def test_a_duplicate_leaves_behind_what_was_not_asked_for(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    make_image(1, role="gold", expected_watch="yes", expected_score=9)
    Campaign.objects.update(instructions="Look.", reject_at=0.1)  # a limit of an earlier version
    campaign.refresh_from_db()
    copy = campaign_duplicate(campaign=campaign, by=people["ada"], name="Bare", with_texts=False)
    assert (copy.instructions, copy.images.count(), copy.imports.count()) == ("", 0, 0)
    assert (copy.reject_at, copy.pending_at) == (5, 6)
    assert list(copy.memberships.values_list("user__username", flat=True)) == ["ada"]


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 403)]
)
def test_only_admins_who_are_staff_duplicate(client_of: Any, name: str, status: int) -> None:
    assert client_of(name).post("/campaigns/watches/copy", {"name": "X"}).status_code == status
    assert Campaign.objects.count() == 1


def test_a_duplicate_without_a_name_opens_the_dialog_again(staff: Any) -> None:
    response = staff.post("/campaigns/watches/copy", {"name": ""})
    assert response.status_code == 422
    assert "data-open-now" in response.content.decode()


def test_the_page_takes_few_queries(staff: Any, people: dict[str, Any], django_assert_num_queries: Any) -> None:
    for number in range(5):
        other = Campaign.objects.create(slug=f"c{number}", name=f"C{number}")
        Membership.objects.create(campaign=other, user=people["ada"], role=Role.ADMIN)
    with django_assert_num_queries(3):  # session, user, campaigns to begin with
        staff.get(NEW)
