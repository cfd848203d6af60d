"""Which changes write an audit record, and what it says."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.urls import reverse

from annotation.models import ApiToken, AuditKind, AuditRecord, Campaign, Membership, Role, User
from annotation.services.campaigns import campaign_create, campaign_state_set, campaign_update
from annotation.services.invitations import invitation_create, invitation_revoke
from annotation.services.members import (
    MemberError,
    member_remove,
    member_set,
    user_active_set,
    user_create,
    user_simulated_set,
)
from annotation.services.tokens import token_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def last(people: dict[str, Any]) -> Callable[..., list[AuditRecord]]:
    """Return a function that runs a change and returns the records that it wrote, the oldest first."""

    def run(change: Callable[[], object]) -> list[AuditRecord]:
        newest = AuditRecord.objects.order_by("pk").last()
        change()
        return list(AuditRecord.objects.filter(pk__gt=newest.pk if newest else 0).order_by("pk"))

    return run


def test_roles_and_members(campaign: Campaign, people: dict[str, Any], last: Any) -> None:
    ada, mallory = people["ada"], people["mallory"]
    (added,) = last(lambda: member_set(campaign=campaign, user=mallory, role=Role.ANNOTATOR, by=ada))
    (changed,) = last(lambda: member_set(campaign=campaign, user=mallory, role=Role.REVIEWER, by=ada))
    assert last(lambda: member_set(campaign=campaign, user=mallory, role=Role.REVIEWER, by=ada)) == []
    (removed,) = last(lambda: member_remove(membership=Membership.objects.get(user=mallory), by=ada))
    assert [(one.kind, one.before, one.after) for one in (added, changed, removed)] == [
        ("member_added", None, {"role": "annotator"}),
        ("role_changed", {"role": "annotator"}, {"role": "reviewer"}),
        ("member_removed", {"role": "reviewer"}, None),
    ]
    assert {(one.by, one.user, one.campaign) for one in (added, changed, removed)} == {(ada, mallory, campaign)}


def test_a_refused_change_leaves_no_record(campaign: Campaign, people: dict[str, Any], last: Any) -> None:
    def refused() -> None:
        with pytest.raises(MemberError):
            member_set(campaign=campaign, user=people["ada"], role=Role.ANNOTATOR)
        with pytest.raises(ValidationError):
            campaign_update(campaign=campaign, votes_per_image=0)
        with pytest.raises(ValidationError):
            user_create(username="alice", password="long-enough-1")

    assert last(refused) == []


def test_settings_of_a_campaign(campaign: Campaign, people: dict[str, Any], last: Any) -> None:
    (settings,) = last(lambda: campaign_update(campaign=campaign, votes_per_image=4, name=campaign.name))
    assert (settings.before, settings.after) == ({"votes_per_image": 3}, {"votes_per_image": 4})
    (state,) = last(lambda: campaign_state_set(campaign=campaign, state=Campaign.State.PAUSED))
    assert (state.kind, state.before, state.after) == ("settings_changed", {"state": "active"}, {"state": "paused"})
    assert last(lambda: campaign_state_set(campaign=campaign, state=Campaign.State.PAUSED)) == []
    (created,) = last(lambda: campaign_create(by=people["ada"], slug="new", name="New"))
    assert (created.kind, created.by, created.after["slug"]) == ("campaign_created", people["ada"], "new")


def test_accounts_passwords_and_tokens(people: dict[str, Any], last: Any) -> None:
    alice, ada = people["alice"], people["ada"]
    (created,) = last(lambda: user_create(username="new", password="long-enough-1"))
    assert (created.kind, created.user) == ("account_created", User.objects.get(username="new"))
    (marked,) = last(lambda: user_simulated_set(user=alice, simulated=True))
    assert (marked.before, marked.after) == ({"simulated": False}, {"simulated": True})
    (token,) = last(lambda: token_create(user=alice, name="script", scope=ApiToken.Scope.READ, days=1))
    assert (token.kind, token.what.split()[:2], token.after["scope"]) == ("token_created", ["API", "token"], "read")
    stopped = last(lambda: user_active_set(user=alice, active=False, by=ada))
    assert [one.kind for one in stopped] == ["account_deactivated", "token_revoked"]
    assert last(lambda: user_active_set(user=alice, active=False, by=ada)) == []


def test_commands_of_django(last: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "long-enough-1")
    (created,) = last(lambda: call_command("createsuperuser", username="boss", email="", interactive=False))
    assert (created.kind, created.by, created.after["superuser"]) == ("account_created", None, True)
    boss = User.objects.get(username="boss")
    boss.set_password("another-one-2")
    (changed,) = last(boss.save)
    assert (changed.kind, changed.user) == ("password_changed", boss)
    assert last(boss.save) == []


def test_invitations(campaign: Campaign, people: dict[str, Any], last: Any) -> None:
    made: list[Any] = []
    create = lambda: made.append(  # noqa: E731  # `last` wants a function without arguments
        invitation_create(campaign=campaign, by=people["ada"], role=Role.ANNOTATOR, places=2, days=1, note="for Eve")[0]
    )
    (created,) = last(create)
    (revoked,) = last(lambda: invitation_revoke(invitation=made[0]))
    assert [created.kind, revoked.kind] == ["invitation_created", "invitation_revoked"]
    assert "Eve" not in f"{created.what} {created.after}"  # names of people stay out of the audit


def test_failed_logins_are_recorded_once_a_minute_and_never_with_an_unknown_name(
    people: dict[str, Any], client: Any, last: Any
) -> None:
    def attempts() -> None:
        for name in ("ALICE", "alice", "my-secret-password", "another-secret"):
            client.post(reverse("login"), {"username": name, "password": "wrong"}, REMOTE_ADDR="192.0.2.7")

    known, unknown = last(attempts)
    assert (known.kind, known.user, known.by, known.address) == ("login_failed", people["alice"], None, "192.0.2.7")
    assert (unknown.user, unknown.what) == (None, "a name without an account")


def test_exports(campaign: Campaign, client_of: Any, people: dict[str, Any], last: Any) -> None:
    client = client_of("rita")
    (page,) = last(lambda: client.get(reverse("annotations-csv", args=["watches"])))
    (photos,) = last(lambda: client.get(reverse("photos-table", args=["watches"])))
    assert [page.what, photos.what] == ["watches-annotations.csv", "watches-photos.csv"]
    assert {(one.kind, one.by, one.campaign, one.address) for one in (page, photos)} == {
        ("export", people["rita"], campaign, "127.0.0.1")
    }
    (command,) = last(lambda: call_command("export_annotations", "watches", stdout=open("/dev/null", "w")))  # noqa: PTH123, SIM115
    assert (command.kind, command.by, command.campaign) == ("export", None, campaign)


def test_changes_in_djangos_admin(
    campaign: Campaign, people: dict[str, Any], client: Any, make_user: Any, last: Any
) -> None:
    root = make_user("root", is_superuser=True, is_staff=True)
    client.force_login(root)
    url = reverse("admin:annotation_user_change", args=[people["rita"].pk])
    form = {"username": "rita", "date_joined_0": "2026-01-01", "date_joined_1": "00:00", "is_staff": "on"}
    records = last(lambda: client.post(url, form))
    assert [one.kind for one in records] == ["account_changed", "admin_site"]
    assert (records[0].before, records[0].after) == ({"is_staff": False}, {"is_staff": True})
    assert {one.by for one in records} == {root}
    assert set(records[-1].after["fields"]) == {"Staff status"}
    assert "rita" not in f"{records[-1].what} {records[-1].after}"
    url = reverse("admin:annotation_campaign_change", args=[campaign.pk])
    rows = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}  # members are read-only there
    values = {"name": campaign.name, "description": "Only watches", "instructions": "", **rows}
    records = last(lambda: client.post(url, values))
    settings, log = records
    assert (settings.kind, settings.before, settings.after) == (
        "settings_changed",
        {"description": ""},
        {"description": "Only watches"},
    )
    assert (log.kind, log.after) == ("admin_site", {"action": "Change", "fields": ["Description"]})


def test_every_kind_has_a_label_that_the_filter_offers() -> None:
    assert all(AuditRecord(kind=kind).label == kind.label for kind in AuditKind)
    assert AuditRecord(kind="from a newer version").label == "from a newer version"
