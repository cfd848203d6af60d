"""The audit pages: who may see them, filters, paging and export."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import AuditKind, AuditRecord, Campaign, User
from annotation.services.audit import audit_record


@pytest.fixture
def records(campaign: Campaign, people: dict[str, Any], make_user: Any) -> list[AuditRecord]:
    """Four records of fixed times. Those of the fixtures are older."""
    people["root"] = make_user("root", is_superuser=True, is_staff=True)
    other = Campaign.objects.create(slug="other", name="Other")
    start = timezone.now() + timedelta(days=10)
    made = [
        ("role_changed", "ada", "alice", campaign, "", {"role": "annotator"}, {"role": "reviewer"}),
        ("export", "rita", None, campaign, "watches-photos.csv", None, None),
        ("settings_changed", "root", None, other, "", {"name": "Old"}, {"name": "=1+1"}),
        ("login_failed", None, "bob", None, "", None, None),
    ]
    return [
        AuditRecord.objects.create(
            kind=kind,
            by=people[by] if by else None,
            user=people[user] if user else None,
            campaign=where,
            what=what,
            before=before,
            after=after,
            address="192.0.2.7",
            at=start + timedelta(days=number),
        )
        for number, (kind, by, user, where, what, before, after) in enumerate(made)
    ]


def shown(response: Any) -> list[str]:
    return [record.kind for record in response.context["page"] if record.address == "192.0.2.7"]


def rows(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


@pytest.mark.parametrize("page", ["audit", "audit-csv"])
@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 403), ("alice", 403), ("ada", 403), ("root", 200)]
)
def test_only_superusers_see_the_audit_of_the_site(
    client_of: Any, records: Any, page: str, name: str, status: int
) -> None:
    assert client_of(name).get(reverse(page)).status_code == status


@pytest.mark.parametrize("page", ["campaign-audit", "campaign-audit-csv"])
@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200), ("root", 200)],
)
def test_only_admins_see_the_audit_of_a_campaign(
    client_of: Any, records: Any, page: str, name: str, status: int
) -> None:
    assert client_of(name).get(reverse(page, args=["watches"])).status_code == status


def test_admins_see_their_campaign_only_and_no_addresses(client_of: Any, records: Any) -> None:
    client = client_of("ada")
    page = client.get(reverse("campaign-audit", args=["watches"]), {"campaign": "other"})
    assert shown(page) == ["export", "role_changed"]
    text = page.content.decode()
    assert "role: annotator → reviewer" in text
    assert "192.0.2.7" not in text
    table = rows(client.get(reverse("campaign-audit-csv", args=["watches"])))
    assert {(row["campaign"], row["address"]) for row in table} == {("watches", "")}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({}, ["login_failed", "settings_changed", "export", "role_changed"]),
        ({"person": "ALI"}, ["role_changed"]),
        ({"person": "rita"}, ["export"]),
        ({"kind": "login_failed"}, ["login_failed"]),
        ({"campaign": "other"}, ["settings_changed"]),
        ({"person": "ro", "kind": "settings_changed", "campaign": "watches"}, []),
    ],
)
def test_filters_by_person_kind_and_campaign(
    client_of: Any, records: Any, query: dict[str, str], kinds: list[str]
) -> None:
    client = client_of("root")
    assert shown(client.get(reverse("audit"), query)) == kinds
    table = rows(client.get(reverse("audit-csv"), query))
    assert [row["kind"] for row in table if row["address"] == "192.0.2.7"] == kinds


def test_days_are_those_of_the_users_time_zone(client_of: Any, records: Any) -> None:
    User.objects.filter(username="root").update(time_zone="Asia/Tokyo")
    late = datetime(2030, 5, 1, 20, tzinfo=UTC)  # in Tokyo, this is the second of May
    AuditRecord.objects.create(kind=AuditKind.EXPORT, at=late, address="192.0.2.7")
    page = client_of("root").get(reverse("audit"), {"since": "2030-05-02", "until": "2030-05-02"})
    assert shown(page) == ["export"]
    assert shown(client_of("root").get(reverse("audit"), {"since": "2030-05-01", "until": "2030-05-01"})) == []


@pytest.mark.parametrize(
    "query", [{"since": "tomorrow"}, {"kind": "unknown"}, {"campaign": "unknown"}, {"person": "\0"}]
)
def test_a_wrong_filter_shows_why_and_no_records(client_of: Any, records: Any, query: dict[str, str]) -> None:
    page = client_of("root").get(reverse("audit"), query)
    assert (page.status_code, len(page.context["page"])) == (422, 0)
    assert client_of("root").get(reverse("audit-csv"), query).status_code == 422


def test_the_export_has_every_value_and_no_formula(client_of: Any, records: Any) -> None:
    changed = next(
        row for row in rows(client_of("root").get(reverse("audit-csv"), {"campaign": "other"})) if row["after"]
    )
    assert (changed["by"], changed["before"], changed["after"]) == ("root", '{"name": "Old"}', '{"name": "=1+1"}')
    formula = AuditRecord.objects.create(kind="export", what="=cmd()")
    table = rows(client_of("root").get(reverse("audit-csv")))
    assert next(row["what"] for row in table if row["record"] == str(formula.pk)) == "'=cmd()"


def test_an_export_of_the_audit_is_in_the_audit(client_of: Any, records: Any, people: dict[str, Any]) -> None:
    client_of("root").get(reverse("audit-csv"))
    newest = AuditRecord.objects.order_by("pk").last()
    assert newest is not None
    assert (newest.kind, newest.by, newest.what) == ("export", people["root"], "audit.csv")


def test_pages_keep_the_filter(client_of: Any, records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.views.audit._RECORDS", 1)  # fewer, for speed
    page = client_of("ada").get(reverse("campaign-audit", args=["watches"]), {"person": "a"})
    assert 'href="?person=a&amp;page=2"' in page.content.decode()
    assert shown(client_of("ada").get(reverse("campaign-audit", args=["watches"]), {"page": "2"})) == ["role_changed"]


def test_the_number_of_queries_does_not_depend_on_the_number_of_records(
    client_of: Any, records: Any, people: dict[str, Any], django_assert_num_queries: Any
) -> None:
    client = client_of("root")
    for number in range(10):
        AuditRecord.objects.create(kind="export", by=people["ada"], what=str(number))
    with django_assert_num_queries(5):  # session, user, campaigns of the filter, count, records
        client.get(reverse("audit"))


def test_yes_and_no_are_words(client_of: Any, campaign: Campaign) -> None:
    audit_record(kind=AuditKind.MEMBER_ADDED, campaign=campaign, after={"simulated": True, "votes": 1, "paused": False})
    page = client_of("ada").get("/campaigns/watches/audit/").content.decode()
    assert "simulated: yes" in page
    assert "paused: no" in page
    assert "votes: 1" in page


def test_many_values_are_folded(client_of: Any, campaign: Campaign) -> None:
    few, many = {f"value {i}": i for i in range(6)}, {f"setting {i}": i for i in range(7)}
    audit_record(kind=AuditKind.MEMBER_ADDED, campaign=campaign, after=few)
    assert "<details>" not in client_of("ada").get("/campaigns/watches/audit/").content.decode().split("<tbody>")[1]
    audit_record(kind=AuditKind.MEMBER_ADDED, campaign=campaign, after=many)
    page = client_of("ada").get("/campaigns/watches/audit/").content.decode().split("<tbody>")[1]
    assert page.count("<summary>7 values</summary>") == 1
