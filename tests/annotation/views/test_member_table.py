"""The table of members: search, roles that apply at once, agreement and the last visit."""

import re
from typing import Any

import pytest
from django.urls import reverse

from annotation.models import AnnotatorStatistics, Campaign, ConsensusFit, Membership
from annotation.selectors.activity import members_active
from annotation.selectors.member_list import members_listed
from tests.opinions_and_predictions import vote

PAGE = "/campaigns/watches/members/"
HTMX = {"HX-Request": "true"}


def member(name: str) -> Membership:
    return Membership.objects.get(user__username=name)


def change(client: Any, name: str, **data: str) -> Any:
    return client.post(reverse("member-change", args=["watches", member(name).pk]), data, headers=HTMX)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_members_are_found_by_part_of_their_name(client_of: Any) -> None:
    response = client_of("ada").get(PAGE, {"q": "LI"})
    assert [row.user.username for row in response.context["memberships"]] == ["alice"]
    assert response.context["member_count"] == 4
    assert "No member's name contains “zz”" in text_of(client_of("ada").get(PAGE, {"q": "zz"}))


def test_a_role_changes_at_once_and_can_be_taken_back(client_of: Any, campaign: Campaign) -> None:
    client = client_of("ada")
    part = change(client, "bob", role="reviewer")
    assert "<html" not in part.content.decode()
    assert "bob now has the role reviewer." in text_of(part)
    undo = re.search(r'name="role" value="(\w+)"', part.content.decode())
    assert undo is not None
    assert undo[1] == "annotator"
    assert member("bob").role == "reviewer"
    back = change(client, "bob", role=undo[1], is_undo="yes")
    assert member("bob").role == "annotator"
    assert "Undo" not in text_of(back)


def test_a_refused_role_is_explained_in_the_table(client_of: Any, campaign: Campaign) -> None:
    client = client_of("ada")
    response = change(client, "ada", role="annotator")
    assert response.status_code == 200  # htmx shows nothing else
    assert "last admin" in text_of(response)
    assert "Choose annotator, reviewer or admin." in text_of(change(client, "bob", role="king"))
    assert member("ada").role == "admin"


def test_own_role_is_changed_by_another_admin(client_of: Any, campaign: Campaign) -> None:
    page = client_of("ada").get(PAGE).content.decode()
    assert f'id="role-{member("ada").pk}" aria-label="Role of ada" disabled' in page
    assert page.count("Another admin can change your role") == 1


@pytest.mark.parametrize(("votes", "is_known"), [(9, False), (10, True)])
def test_agreement_needs_ten_votes(campaign: Campaign, people: dict[str, Any], votes: int, is_known: bool) -> None:
    ConsensusFit.objects.create(
        campaign=campaign,
        is_full=True,
        newest_annotation=1,
        votes=20,
        photos=10,
        annotators=2,
        mean=5.0,
        quality_spread=1.5,
        bias_spread=0.3,
    )
    AnnotatorStatistics.objects.create(
        campaign=campaign,
        annotator=people["alice"],
        votes=votes,
        bias=0.0,
        bias_deviation=0.1,
        gain=1.0,
        gain_deviation=0.1,
        noise=1.5,
        information=1.0,
        updated_at="2026-01-01T00:00Z",
    )
    rows = {row.user.username: row for row in members_listed(campaign, members_active(campaign))}
    assert rows["bob"].agreement is None
    found = rows["alice"].agreement
    assert (found is not None) == is_known
    if found is not None:
        # The votes have as much noise as signal, so r² is one half. Fisher: atanh r ± 1.96/√7.
        assert found.value == pytest.approx(0.5**0.5)
        assert (found.low, found.high) == pytest.approx((0.1400, 0.9248), abs=1e-3)


def test_the_last_visit_and_the_answers_are_shown(
    client_of: Any, campaign: Campaign, people: dict[str, Any], make_image: Any
) -> None:
    vote(make_image(1), people["alice"], 5)
    rows = {row.user.username: row for row in client_of("ada").get(PAGE).context["memberships"]}
    assert rows["alice"].answers == 1
    assert rows["alice"].seen_at is not None
    assert rows["bob"].seen_at is None


def test_only_superusers_see_the_button_for_a_password_link(client_of: Any, people: dict[str, Any]) -> None:
    assert "Create password link" not in client_of("ada").get(PAGE).content.decode()
    people["ada"].is_superuser = True
    people["ada"].save()
    assert "Create password link" in client_of("ada").get(PAGE).content.decode()


def test_users_are_listed_by_state(client_of: Any, people: dict[str, Any], make_user: Any) -> None:
    people["root"] = make_user("root", is_superuser=True)
    people["bob"].is_active = False
    people["bob"].save()
    found = client_of("root").get(reverse("users"), {"state": "deactivated"}).context["page"]
    assert [user.username for user in found] == ["bob"]
    everybody = client_of("root").get(reverse("users"), {"state": "unknown"}).context["page"]
    assert len(everybody) == 6
    assert next(user for user in everybody if user.username == "root").seen_at is not None
