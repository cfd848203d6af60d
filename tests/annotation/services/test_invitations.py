"""Invitation links: a secret, a limited number of places, and no loss of an existing role."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign, Invitation, Membership, Role, User
from annotation.services.invitations import (
    NOT_VALID,
    InvitationError,
    invitation_accept,
    invitation_accept_new,
    invitation_create,
    invitation_find,
    invitation_revoke,
)

FORM_DATA = {"role": "annotator", "places": "2", "days": "7", "note": "the spring course"}


def invite(campaign: Campaign, people: dict[str, Any], **fields: Any) -> tuple[Invitation, str]:
    return invitation_create(
        campaign=campaign, by=people["ada"], **{"role": Role.ANNOTATOR, "places": 1, "days": 7, **fields}
    )


def role_of(name: str) -> str | None:
    return Membership.objects.filter(user__username=name).values_list("role", flat=True).first()


def test_only_a_hash_of_the_secret_is_stored(campaign: Campaign, people: dict[str, Any]) -> None:
    invitation, secret = invite(campaign, people)
    assert invitation.token_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(Invitation.objects.values().get())
    assert invite(campaign, people)[1] != secret


@pytest.mark.parametrize("fields", [{"role": Role.ADMIN}, {"places": 0}, {"places": 501}, {"days": 0}, {"days": 91}])
def test_invalid_invitations_are_refused(campaign: Campaign, people: dict[str, Any], fields: dict[str, Any]) -> None:
    with pytest.raises(InvitationError):
        invite(campaign, people, **fields)


def test_joining_twice_uses_one_place(campaign: Campaign, people: dict[str, Any]) -> None:
    invitation, _ = invite(campaign, people, places=2)
    for _ in range(2):
        invitation_accept(invitation=invitation, user=people["mallory"])
    invitation.refresh_from_db()
    assert (role_of("mallory"), invitation.used) == ("annotator", 1)


@pytest.mark.parametrize(
    ("name", "role", "expected_role", "used"),
    [
        ("rita", Role.ANNOTATOR, "reviewer", 0),
        ("ada", Role.REVIEWER, "admin", 0),
        ("alice", Role.ANNOTATOR, "annotator", 0),
        ("alice", Role.REVIEWER, "reviewer", 1),
    ],
)
def test_an_invitation_can_raise_a_role_but_not_lower_it(
    campaign: Campaign, people: dict[str, Any], name: str, role: Role, expected_role: str, used: int
) -> None:
    invitation, _ = invite(campaign, people, role=role)
    invitation_accept(invitation=invitation, user=people[name])
    invitation.refresh_from_db()
    assert (role_of(name), invitation.used) == (expected_role, used)


def unusable_secret(campaign: Campaign, people: dict[str, Any], why: str) -> str:
    """Return the secret of a link that cannot be used."""
    invitation, secret = invite(campaign, people)
    if why == "full":
        Invitation.objects.update(used=1)
    elif why == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif why == "revoked":
        assert invitation_revoke(invitation=invitation)
        assert not invitation_revoke(invitation=invitation)
    return "x" * 43 if why == "unknown" else secret


@pytest.mark.parametrize("who", ["anonymous", "mallory"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_all_unusable_links_get_the_same_response(
    campaign: Campaign, people: dict[str, Any], client_of: Any, who: str, method: str
) -> None:
    pages, queries = set(), set()
    for why in ("full", "expired", "revoked", "unknown"):
        secret = unusable_secret(campaign, people, why)
        client = client_of(who)
        data = {"username": "new", "password": "long-enough-1"} if method == "post" else {}
        with CaptureQueriesContext(connection) as captured:
            response = getattr(client, method)(reverse("join", args=[secret]), data)
        assert response.status_code == 404
        pages.add(re.sub(r'"x-csrftoken": "\w+"|value="\w+"', "", response.content.decode()))
        queries.add(len(captured))
    assert len(pages) == len(queries) == 1
    assert str(NOT_VALID) in pages.pop()
    assert role_of("mallory") is None
    assert not User.objects.filter(username="new").exists()


def test_a_member_can_open_a_used_link_again(campaign: Campaign, people: dict[str, Any], client_of: Any) -> None:
    invitation, secret = invite(campaign, people)
    invitation_accept(invitation=invitation, user=people["mallory"])
    response = client_of("mallory").get(reverse("join", args=[secret]))
    assert "You already have the role annotator in this campaign." in response.content.decode()
    assert invitation_find(secret=secret, user=people["bob"]) is not None
    assert invitation_find(secret=secret, user=people["anonymous"]) is None


def test_a_logged_in_user_joins_with_one_button(campaign: Campaign, people: dict[str, Any], client_of: Any) -> None:
    _, secret = invite(campaign, people, role=Role.REVIEWER)
    client, page = client_of("mallory"), reverse("join", args=[secret])
    response = client.get(page)
    assert "Invitation to Watches" in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert role_of("mallory") is None  # opening the page does not join
    assert client.post(page).headers["Location"] == reverse("campaign", args=["watches"])
    assert role_of("mallory") == "reviewer"


def test_a_new_user_creates_an_account_and_joins(campaign: Campaign, people: dict[str, Any], client: Any) -> None:
    _, secret = invite(campaign, people)
    page = reverse("join", args=[secret])
    assert f"{reverse('login')}?next={page}" in client.get(page).content.decode()
    for data, message in (
        ({"username": "new", "password": "short"}, "too short"),
        ({"username": "alice", "password": "long-enough-1"}, "already exists"),
        ({"username": "", "password": "long-enough-1"}, "required"),
    ):
        refused = client.post(page, data)
        assert (refused.status_code, message in refused.content.decode()) == (422, True)
    joined = client.post(page, {"username": "new", "password": "long-enough-1"}, follow=True)
    assert joined.redirect_chain[-1][0] == reverse("campaign", args=["watches"])
    assert (joined.context["user"].username, role_of("new")) == ("new", "annotator")
    assert not User.objects.get(username="new").is_staff


def test_no_account_is_created_when_no_place_is_left(campaign: Campaign, people: dict[str, Any]) -> None:
    invitation, _ = invite(campaign, people)
    invitation_accept(invitation=invitation, user=people["mallory"])
    with pytest.raises(InvitationError):
        invitation_accept_new(invitation=invitation, username="late", password="long-enough-1")
    assert not User.objects.filter(username="late").exists()


@pytest.mark.django_db(transaction=True)
def test_only_two_of_six_concurrent_users_get_the_last_two_places(
    campaign: Campaign, people: dict[str, Any], make_user: Any
) -> None:
    invitation, _ = invite(campaign, people, places=2)
    users = [make_user(f"user-{number}") for number in range(6)]

    def accept(user: User) -> bool:
        try:
            invitation_accept(invitation=invitation, user=user)
        except InvitationError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(accept, users)) == 2
    invitation.refresh_from_db()
    assert (invitation.used, Membership.objects.filter(user__in=users).count()) == (2, 2)


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 403), ("ada", 200)],
)
def test_only_admins_of_the_campaign_create_and_revoke_links(
    campaign: Campaign, people: dict[str, Any], client_of: Any, name: str, status: int
) -> None:
    invitation, _ = invite(campaign, people)
    client = client_of(name)
    assert client.post(reverse("invitation-new", args=["watches"]), FORM_DATA).status_code == status
    response = client.post(reverse("invitation-end", args=["watches", invitation.pk]))
    assert response.status_code == (302 if name == "ada" else status)
    invitation.refresh_from_db()
    assert (invitation.revoked_at is not None, Invitation.objects.count()) == (
        (True, 2) if name == "ada" else (False, 1)
    )


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_link_is_shown_once_and_works(
    campaign: Campaign, people: dict[str, Any], client_of: Any, headers: dict[str, str]
) -> None:
    client = client_of("ada")
    response = client.post(reverse("invitation-new", args=["watches"]), FORM_DATA, headers=headers)
    path = re.search(r'value="http://testserver(/join/[^"]+)"', response.content.decode())
    assert path is not None
    assert response.headers["Cache-Control"] == "no-store"
    assert path[1] not in client.get(reverse("members", args=["watches"])).content.decode()
    assert client_of("mallory").post(path[1]).status_code == 302
    assert "1 of 2" in client.get(reverse("members", args=["watches"])).content.decode()


def test_invalid_invitations_are_refused_on_the_page(
    campaign: Campaign, people: dict[str, Any], client_of: Any
) -> None:
    for change in ({"role": "admin"}, {"places": "0"}, {"days": "900"}):
        response = client_of("ada").post(reverse("invitation-new", args=["watches"]), FORM_DATA | change)
        assert response.status_code == 422
    assert not Invitation.objects.exists()


def test_admins_cannot_revoke_invitations_of_another_campaign(
    campaign: Campaign, people: dict[str, Any], client_of: Any
) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    invitation, _ = invite(other, people)
    assert client_of("ada").post(reverse("invitation-end", args=["watches", invitation.pk])).status_code == 404
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
