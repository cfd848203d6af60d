"""The API of training: who may start runs and change the champion, and what it answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotation.models import ApiToken, AuditRecord, Campaign
from annotation.services.tokens import token_create
from inference.models import ModelVersion
from training.models import Promotion, TrainingRun

BASE = "/api/campaigns/watches"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.api.announce", lambda *args, **options: None)  # unit tests have no broker


@pytest.fixture
def headers(people: dict[str, Any]) -> Callable[..., dict[str, str]]:
    """Return a function from a name and a scope to the headers of a program."""

    def make(name: str = "ada", scope: str = "admin") -> dict[str, str]:
        _, secret = token_create(user=people[name], name="script", scope=ApiToken.Scope(scope), days=1)
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def versions(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> list[ModelVersion]:
    """Return two versions without files; the first is the champion."""

    def champion_set(*, version: ModelVersion) -> ModelVersion | None:
        """Do what the service does, without reading the files of the version."""
        replaced = ModelVersion.objects.filter(campaign=version.campaign, is_champion=True).first()
        ModelVersion.objects.filter(campaign=version.campaign).update(is_champion=False)
        ModelVersion.objects.filter(pk=version.pk).update(is_champion=True)
        return replaced

    monkeypatch.setattr("training.services.promotions.champion_set", champion_set)
    made = [
        ModelVersion.objects.create(
            campaign=campaign,
            number=number,
            backbone="tiny@0",
            folder=f"v{number}",
            checksum="",
            is_champion=number == 1,
        )
        for number in (1, 2)
    ]
    Promotion.objects.create(campaign=campaign, kind=Promotion.Kind.AUTOMATIC, version=made[0])
    return made


def post(path: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> Any:
    return Client().post(f"{BASE}/{path}", body, content_type="application/json", headers=headers)


ROLES = [
    ("ada", "admin", 200),
    ("ada", "annotate", 403),
    ("ada", "read", 403),
    ("rita", "admin", 403),
    ("alice", "admin", 403),
    ("mallory", "admin", 404),
]


@pytest.mark.parametrize(("name", "scope", "status"), ROLES)
def test_changes_need_role_and_scope_of_an_admin(
    headers: Any, versions: list[ModelVersion], name: str, scope: str, status: int
) -> None:
    sent = headers(name, scope)
    assert post("runs", sent, {}).status_code == status
    assert post("versions/2/promote", sent).status_code == status
    assert post("versions/1/rollback", sent).status_code == status
    assert TrainingRun.objects.count() == (status == 200)
    assert ModelVersion.objects.get(is_champion=True).number == 1


@pytest.mark.parametrize(
    ("name", "scope", "status"),
    [("rita", "read", 200), ("ada", "read", 200), ("alice", "admin", 403), ("mallory", "read", 404)],
)
def test_reviewers_list_the_versions(
    headers: Any, versions: list[ModelVersion], name: str, scope: str, status: int
) -> None:
    answer = Client().get(f"{BASE}/versions", headers=headers(name, scope))
    assert answer.status_code == status
    if status == 200:
        assert [(one["number"], one["is_champion"]) for one in answer.json()["versions"]] == [(2, False), (1, True)]


def test_nobody_changes_anything_without_logging_in_or_without_the_csrf_token(people: dict[str, Any]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["ada"])
    for path in ("runs", "versions/1/promote", "versions/1/rollback"):
        assert post(path, {}, {}).status_code == 401
        assert client.post(f"{BASE}/{path}", {}, content_type="application/json").status_code == 403


def test_a_run_is_started_once(headers: Any, campaign: Campaign, people: dict[str, Any]) -> None:
    sent = headers()
    first, second = post("runs", sent, {"exposed_answers": True}).json(), post("runs", sent, {}).json()
    run = TrainingRun.objects.get()
    assert first["id"] == second["id"] == run.pk
    assert (first["state"], run.trigger, run.requested_by) == ("queued", "api", people["ada"])
    assert run.recipe["exposed_answers"] is True
    assert Client().get(f"{BASE}/runs/{run.pk}", headers=sent).json() == first


def test_the_limit_of_an_hour_is_told(headers: Any, campaign: Campaign, settings: Any) -> None:
    settings.IQS_TRAINING_RUNS_PER_HOUR = 1
    sent = headers()
    assert post("runs", sent, {}).status_code == 200
    TrainingRun.objects.update(state="done")
    refused = post("runs", sent, {})
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600


def test_a_version_is_promoted_and_rolled_back_with_an_audit_record(
    headers: Any, versions: list[ModelVersion], people: dict[str, Any]
) -> None:
    sent = headers()
    assert post("versions/2/promote", sent).json()["is_champion"] is True
    assert ModelVersion.objects.get(is_champion=True).number == 2
    assert post("versions/1/rollback", sent).json()["number"] == 1
    kinds = list(Promotion.objects.order_by("pk").values_list("kind", "version__number", "by__username"))
    assert kinds[1:] == [("manual", 2, "ada"), ("rollback", 1, "ada")]
    assert AuditRecord.objects.filter(kind="promotion", by=people["ada"]).count() == 2


def test_a_version_that_cannot_become_champion_is_refused_with_the_reason(
    headers: Any, versions: list[ModelVersion]
) -> None:
    sent = headers()
    already = post("versions/1/promote", sent)
    assert (already.status_code, already.json()["detail"]) == (409, "Version 1 is already the champion.")
    never = post("versions/2/rollback", sent)
    assert never.status_code == 409
    assert "has never been champion" in never.json()["detail"]
    for number in (3, 2**62):
        assert post(f"versions/{number}/promote", sent).status_code == 404
