"""The login page, and the other pages on which somebody could guess."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from annotation.access.attempts import LIMITS, Kind
from annotation.access.hashers import HashingBusy
from annotation.models import ApiToken, AttemptCount, AuditKind, AuditRecord, Campaign, Role, User
from annotation.services.invitations import invitation_create
from annotation.services.passwords import password_link_create
from annotation.services.tokens import token_create

PAGE = "/accounts/login/"
WRONG = {"username": "alice", "password": "wrong"}
RIGHT = {"username": "alice", "password": "pass-word-1"}
MOST = LIMITS[Kind.LOGIN].most


@pytest.fixture
def refused_alice(people: dict[str, User], client: Client) -> Client:
    for _ in range(MOST):
        assert client.post(PAGE, WRONG).status_code == 200
    return client


def test_after_too_many_wrong_passwords_the_right_one_is_refused_and_the_page_says_for_how_long(
    refused_alice: Client,
) -> None:
    response = refused_alice.post(PAGE, RIGHT)
    assert response.status_code == 429
    assert 14 * 60 < int(response.headers["Retry-After"]) <= 15 * 60
    assert "Too many attempts. Try again in 15 minutes, or ask an admin to lift the limit." in response.text
    assert settings.SESSION_COOKIE_NAME not in refused_alice.cookies


def test_others_and_the_same_person_elsewhere_can_still_log_in(refused_alice: Client) -> None:
    assert refused_alice.post(PAGE, RIGHT | {"username": "bob"}).status_code == 302
    assert Client(REMOTE_ADDR="9.9.9.9").post(PAGE, RIGHT).status_code == 302


def test_a_right_password_in_time_forgets_the_wrong_ones(people: dict[str, User], client: Client) -> None:
    for _ in range(3):
        for _ in range(MOST - 1):
            client.post(PAGE, WRONG)
        assert client.post(PAGE, RIGHT).status_code == 302
        client.logout()


def test_unknown_names_are_refused_like_known_ones(client: Client, db: None) -> None:
    statuses = [client.post(PAGE, WRONG | {"username": "nobody"}).status_code for _ in range(MOST + 1)]
    assert statuses == [200] * MOST + [429]


def test_the_administration_has_no_login_of_its_own(people: dict[str, User], client: Client) -> None:
    response = client.post("/admin/login/", RIGHT)
    assert response.headers["Location"] == f"{PAGE}?next=/admin/"
    assert settings.SESSION_COOKIE_NAME not in client.cookies


def test_a_busy_server_says_so_and_counts_no_attempt(
    people: dict[str, User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: User, password: str) -> bool:
        raise HashingBusy

    # Real hashes that fill all places would make the test depend on the speed of the machine.
    monkeypatch.setattr(User, "check_password", busy)
    response = client.post(PAGE, RIGHT)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Many people are logging in at the moment" in response.text
    assert not AttemptCount.objects.filter(count__gt=0).exists()


def test_guessing_the_current_password_is_limited(client_of: Callable[[str], Client]) -> None:
    client = client_of("ada")
    new = {"password": "a-new-pass-word", "again": "a-new-pass-word"}
    for _ in range(LIMITS[Kind.PASSWORD].most):
        assert client.post("/account/password", new | {"current": "wrong"}).status_code == 422
    refused = client.post("/account/password", new | {"current": "pass-word-1"})
    assert refused.status_code == 429
    assert "Too many attempts" in refused.text
    AttemptCount.objects.all().delete()
    assert client.post("/account/password", new | {"current": "pass-word-1"}).status_code == 302


def test_guessing_api_tokens_is_limited_and_right_tokens_still_work(people: dict[str, User], client: Client) -> None:
    def progress(secret: str) -> Any:
        return client.get("/api/campaigns/watches/progress", headers={"authorization": f"Bearer {secret}"})

    _, secret = token_create(user=people["alice"], name="script", scope=ApiToken.Scope.READ, days=1)
    most = LIMITS[Kind.TOKEN].most
    statuses = [progress(f"iqs_guess-{number}").status_code for number in range(most + 1)]
    assert statuses == [401] * most + [429]
    refused = progress("iqs_guess")
    assert "Too many attempts" in refused.json()["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    assert progress(secret).status_code == 200


def test_guessing_invitation_links_is_limited(campaign: Campaign, people: dict[str, User], client: Client) -> None:
    _, secret = invitation_create(campaign=campaign, by=people["ada"], role=Role.ANNOTATOR, places=1, days=1)
    most = LIMITS[Kind.INVITATION].most
    for _ in range(2 * most):  # opening a valid link is no guess
        assert client.get(f"/join/{secret}/").status_code == 200
    statuses = [client.get(f"/join/guess-{number}/").status_code for number in range(most + 1)]
    assert statuses == [404] * most + [429]
    assert client.get(f"/join/{secret}/").status_code == 429
    assert Client(REMOTE_ADDR="9.9.9.9").get(f"/join/{secret}/").status_code == 200


def test_guessing_password_links_is_limited(people: dict[str, User], client: Client) -> None:
    _, secret = password_link_create(user=people["alice"], by=people["ada"])
    most = LIMITS[Kind.INVITATION].most
    for _ in range(2 * most):
        assert client.get(f"/password/{secret}/").status_code == 200
    statuses = [client.get(f"/password/guess-{number}/").status_code for number in range(most + 1)]
    assert statuses == [404] * most + [429]


def test_creating_accounts_is_limited(campaign: Campaign, people: dict[str, User], client: Client) -> None:
    _, secret = invitation_create(campaign=campaign, by=people["ada"], role=Role.ANNOTATOR, places=9, days=1)
    client.post(f"/join/{secret}/", {"username": "", "password": ""})
    AttemptCount.objects.filter(kind=Kind.ACCOUNT).update(count=LIMITS[Kind.ACCOUNT].most)
    response = client.post(f"/join/{secret}/", {"username": "new", "password": "long-pass-word"})
    assert (response.status_code, User.objects.filter(username="new").exists()) == (429, False)


REFUSED = "/users/refused/"


def lift_address() -> str:
    return f"/users/refused/{AttemptCount.objects.get(kind=Kind.LOGIN).pk}/lift"


@pytest.mark.parametrize(("name", "status"), [("alice", 403), ("ada", 403), ("anonymous", 302)])
def test_only_superusers_see_and_lift_the_limits(
    client_of: Callable[[str], Client], refused_alice: Client, name: str, status: int
) -> None:
    client = client_of(name)
    assert client.get(REFUSED).status_code == status
    assert client.post(lift_address()).status_code == status
    assert refused_alice.post(PAGE, RIGHT).status_code == 429


def test_a_superuser_lifts_a_limit(
    make_user: Callable[..., User], refused_alice: Client, django_assert_num_queries: Any
) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    assert refused_alice.post(PAGE, RIGHT).status_code == 429
    with django_assert_num_queries(3):  # session, user, refusals
        page = client.get(REFUSED)
    assert "alice" in page.text
    assert "127.0.0.1" in page.text
    assert 'href="/users/refused/"' in client.get("/users/").text
    after = client.post(lift_address(), follow=True)
    assert "The limit was lifted" in after.text
    assert {record.kind for record in AuditRecord.objects.filter(user__username="alice")} >= {
        AuditKind.LOGIN_LOCKED,
        AuditKind.LOGIN_UNLOCKED,
    }
    assert "Nobody is refused" in after.text
    assert refused_alice.post(PAGE, RIGHT).status_code == 302
    assert client.post("/users/refused/0/lift").status_code == 302  # somebody else was faster


def test_behind_a_proxy_people_have_their_own_addresses(people: dict[str, User], settings: Any) -> None:
    settings.IQS_PROXIES = 1
    guesser, alice = (Client(headers={"x-forwarded-for": address}) for address in ("6.6.6.6", "1.2.3.4"))
    statuses = [guesser.post(PAGE, WRONG).status_code for _ in range(MOST + 1)]
    assert statuses[-1] == 429
    assert alice.post(PAGE, RIGHT).status_code == 302
    forged = Client(headers={"x-forwarded-for": "1.1.1.1, 6.6.6.6"})  # only the last one is the proxy's
    assert forged.post(PAGE, RIGHT).status_code == 429
