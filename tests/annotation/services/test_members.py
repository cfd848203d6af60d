from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image, Membership, Role, User
from annotation.services.members import (
    MemberError,
    member_remove,
    member_set,
    user_active_set,
    user_create,
)
from annotation.services.passwords import user_password_set

NAMES_AND_STATUSES = [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]


def membership(name: str) -> Membership:
    return Membership.objects.get(user__username=name)


@pytest.fixture
def root(people: dict[str, Any], make_user: Any) -> User:
    people["root"] = make_user("root", is_superuser=True)
    return people["root"]


def test_member_joins_and_changes_role(campaign: Campaign, people: dict[str, Any]) -> None:
    member_set(campaign=campaign, user=people["mallory"], role=Role.ANNOTATOR, by=people["ada"])
    member_set(campaign=campaign, user=people["mallory"], role=Role.REVIEWER, by=people["ada"])
    assert membership("mallory").role == Role.REVIEWER


def test_the_last_admin_cannot_be_removed_or_lose_the_role(campaign: Campaign, people: dict[str, Any]) -> None:
    with pytest.raises(MemberError, match="You are the campaign's last admin"):
        member_set(campaign=campaign, user=people["ada"], role=Role.ANNOTATOR, by=people["ada"])
    with pytest.raises(MemberError, match="ada is the campaign's last admin"):
        member_remove(membership=membership("ada"))
    member_set(campaign=campaign, user=people["rita"], role=Role.ADMIN)
    member_remove(membership=membership("ada"), by=people["ada"])
    assert not Membership.objects.filter(user=people["ada"]).exists()


def test_deactivated_admin_does_not_count_and_cannot_join(campaign: Campaign, people: dict[str, Any]) -> None:
    people["mallory"].is_active = False
    people["mallory"].save()
    Membership.objects.create(campaign=campaign, user=people["mallory"], role=Role.ADMIN)
    with pytest.raises(MemberError, match="last admin"):
        member_remove(membership=membership("ada"))
    membership("mallory").delete()
    with pytest.raises(MemberError, match="deactivated"):
        member_set(campaign=campaign, user=people["mallory"], role=Role.ANNOTATOR)


def test_removing_a_member_returns_leased_photos_and_keeps_answers(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    leased, answered = make_image(1, open_slots=2), make_image(2)
    Assignment.objects.create(
        campaign=campaign, image=leased, annotator=people["alice"], expires_at=timezone.now() + timedelta(minutes=5)
    )
    Annotation.objects.create(
        client_id=uuid4(), campaign=campaign, image=answered, annotator=people["alice"], watch="no", score=3
    )
    member_remove(membership=membership("alice"), by=people["ada"])
    leased.refresh_from_db()
    assert leased.open_slots == 3
    assert Annotation.objects.count() == 1


@pytest.mark.parametrize(
    ("username", "password", "invalid_field"),
    [
        ("alice", "long-enough-1", "username"),
        ("new", "short", "password"),
        ("new", "password", "password"),
        ("a b", "long-enough-1", "username"),
    ],
)
def test_accounts_need_an_unused_name_and_a_strong_password(
    people: dict[str, Any], username: str, password: str, invalid_field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        user_create(username=username, password=password)
    assert list(refused.value.message_dict) == [invalid_field]


def test_account_can_log_in(db: None, client: Any) -> None:
    user_create(username="sim-1", password="long-enough-1", is_simulated=True)
    assert client.login(username="sim-1", password="long-enough-1")
    assert User.objects.get().is_simulated


def test_users_cannot_deactivate_themselves_or_the_last_superuser(root: User, people: dict[str, Any]) -> None:
    with pytest.raises(MemberError, match="your own"):
        user_active_set(user=root, active=False, by=root)
    with pytest.raises(MemberError, match="last superuser"):
        user_active_set(user=root, active=False, by=people["ada"])


def test_new_password_ends_sessions(people: dict[str, Any], client_of: Any) -> None:
    client = client_of("alice")
    assert client.get(reverse("home")).status_code == 200
    user_password_set(user=people["alice"], password="another-one-2")
    assert client.get(reverse("home")).status_code == 302


@pytest.mark.parametrize(("name", "status"), NAMES_AND_STATUSES)
def test_only_admins_of_the_campaign_can_manage_members(
    client_of: Any, people: dict[str, Any], name: str, status: int
) -> None:
    client = client_of(name)
    assert client.get(reverse("members", args=["watches"])).status_code == status
    post_status = status if status != 200 else 302
    added = client.post(reverse("members", args=["watches"]), {"username": "mallory", "role": "annotator"})
    changed = client.post(reverse("member-change", args=["watches", membership("bob").pk]), {"role": "reviewer"})
    assert (added.status_code, changed.status_code) == (post_status, post_status)
    assert membership("bob").role == ("reviewer" if name == "ada" else "annotator")


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada", "root"])
def test_only_superusers_can_manage_users(client_of: Any, root: User, people: dict[str, Any], name: str) -> None:
    client = client_of(name)
    denied = 302 if name == "anonymous" else 403
    assert client.get(reverse("users")).status_code == (200 if name == "root" else denied)
    created = client.post(reverse("users"), {"username": "new"})
    changed = client.post(reverse("user-change", args=[people["bob"].pk]), {"active": "no"})
    assert (created.status_code, changed.status_code) == ((200, 302) if name == "root" else (denied, denied))
    assert User.objects.filter(username="new").exists() == (name == "root")
    assert User.objects.get(username="bob").is_active == (name != "root")


def test_members_page_counts_standing_answers(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image], client_of: Any
) -> None:
    first = Annotation.objects.create(
        client_id=uuid4(), campaign=campaign, image=make_image(1), annotator=people["alice"], watch="no", score=3
    )
    Annotation.objects.create(
        client_id=uuid4(),
        campaign=campaign,
        image=first.image,
        annotator=people["alice"],
        watch="yes",
        score=4,
        supersedes=first,
    )
    Annotation.objects.create(
        client_id=uuid4(), campaign=campaign, image=make_image(2), annotator=people["alice"], skip_reason="broken"
    )
    rows = client_of("ada").get(reverse("members", args=["watches"])).context["memberships"]
    assert {row.user.username: row.answers for row in rows} == {"ada": 0, "alice": 1, "bob": 0, "rita": 0}


def test_queries_of_the_members_page_do_not_depend_on_the_number_of_members(
    campaign: Campaign, make_user: Any, client_of: Any
) -> None:
    def queries_of(client: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("members", args=["watches"]))
        return len(captured)

    client = client_of("ada")
    for number in range(10):
        Membership.objects.create(campaign=campaign, user=make_user(f"user-{number}"))
    few = queries_of(client)
    for number in range(10):
        Membership.objects.create(campaign=campaign, user=make_user(f"another-{number}"))
    # Session, user, campaign, simulated?, 3 for active members, members, fit, answers after the fit, links.
    assert queries_of(client) == few <= 11


def test_queries_of_the_users_page_do_not_depend_on_the_number_of_users(
    root: User, make_user: Any, client_of: Any, django_assert_num_queries: Any
) -> None:
    client = client_of("root")
    for number in range(10):
        make_user(f"user-{number}")
    with django_assert_num_queries(4):  # session, user, count, users
        response = client.get(reverse("users"))
    assert len(response.context["page"]) == 16


def test_refused_changes_have_a_message_on_the_page(client_of: Any, campaign: Campaign) -> None:
    client, page = client_of("ada"), reverse("members", args=["watches"])
    assert "There is no user" in client.post(page, {"username": "nobody", "role": "annotator"}).content.decode()
    removed = client.post(
        reverse("member-change", args=["watches", membership("ada").pk]), {"remove": "yes"}, follow=True
    )
    assert "last admin" in removed.content.decode()
    response = client.post(
        reverse("member-change", args=["watches", membership("bob").pk]), {"role": "unknown"}, follow=True
    )
    assert "Choose annotator, reviewer or admin." in response.content.decode()


def test_admins_cannot_change_members_of_another_campaign(client_of: Any, people: dict[str, Any]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    other_membership = Membership.objects.create(campaign=other, user=people["mallory"])
    response = client_of("ada").post(reverse("member-change", args=["watches", other_membership.pk]), {"remove": "yes"})
    assert response.status_code == 404
    assert Membership.objects.filter(pk=other_membership.pk).exists()


def test_superusers_change_users_on_the_page(client_of: Any, root: User, people: dict[str, Any], client: Any) -> None:
    page, bob = reverse("user-change", args=[people["bob"].pk]), people["bob"]
    for data in ({"active": "no"}, {"simulated": "yes"}):
        assert client_of("root").post(page, data).status_code == 302
    bob.refresh_from_db()
    assert (bob.is_active, bob.is_simulated) == (False, True)
    assert "Nothing was changed" in client_of("root").post(page, {"x": "y"}, follow=True).content.decode()
    own = reverse("user-change", args=[root.pk])
    assert "your own account" in client_of("root").post(own, {"active": "no"}, follow=True).content.decode()


def test_users_are_found_by_part_of_the_name(client_of: Any, root: User) -> None:
    found = client_of("root").get(reverse("users"), {"q": "ALI"}).context["page"]
    assert [user.username for user in found] == ["alice"]
