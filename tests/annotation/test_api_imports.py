"""The API of imports: who may use it, and what it answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotation.models import ApiToken, Image, ImportBatch
from annotation.services.batches import batch_claim, batch_run
from annotation.services.tokens import token_create
from annotation.services.uploads import PIECE_BYTES
from iqs_site.request_limits import body_limit
from tests.conftest import photo_bytes

BASE = "/api/campaigns/watches/imports"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.api_imports.announce", lambda *args, **options: None)  # unit tests have no broker


@pytest.fixture
def headers(people: dict[str, Any]) -> Callable[..., dict[str, str]]:
    """Return a function from a name and a scope to the headers of a program."""

    def make(name: str = "ada", scope: str = "admin") -> dict[str, str]:
        _, secret = token_create(user=people[name], name="script", scope=ApiToken.Scope(scope), days=1)
        return {"Authorization": f"Bearer {secret}"}

    return make


def send(client: Client, batch: int, data: bytes, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
    values = {"number": 0, "name": "a.jpg", "size": len(data), "offset": 0, **query}
    address = f"{BASE}/{batch}/file?" + "&".join(f"{name}={value}" for name, value in values.items())
    return client.put(address, data, content_type="application/octet-stream", headers=headers)


@pytest.mark.parametrize(
    ("name", "scope", "status"),
    [
        ("ada", "admin", 200),
        ("ada", "annotate", 403),
        ("ada", "read", 403),
        ("rita", "admin", 403),
        ("alice", "admin", 403),
        ("mallory", "admin", 404),
    ],
)
def test_imports_need_role_and_scope_of_an_admin(
    headers: Any, campaign: Any, name: str, scope: str, status: int
) -> None:
    batch = ImportBatch.objects.create(campaign=campaign, source="upload", state="receiving")
    client, sent = Client(), headers(name, scope)
    assert client.post(BASE, headers=sent).status_code == status
    assert send(client, batch.pk, photo_bytes(1), headers=sent).status_code == status
    assert client.post(f"{BASE}/{batch.pk}/finish", headers=sent).status_code == status
    reading = 403 if (name, scope) == ("ada", "read") else status
    assert client.get(f"{BASE}/{batch.pk}", headers=sent).status_code == reading


def test_nobody_imports_without_logging_in_or_without_the_csrf_token(people: dict[str, Any]) -> None:
    assert Client().post(BASE).status_code == 401
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["ada"])
    assert client.post(BASE).status_code == 403


def test_a_program_imports_photos(headers: Any, campaign: Any, people: dict[str, Any]) -> None:
    client, sent = Client(), headers()
    begun = client.post(BASE, headers=sent).json()
    assert (begun["state"], begun["rejections"]) == ("receiving", [])
    data = photo_bytes(1)
    assert send(client, begun["id"], data[:100], size=len(data), headers=sent).json() == {"complete": False}
    last = send(client, begun["id"], data[100:], size=len(data), offset=100, headers=sent)
    assert last.json() == {"complete": True}
    assert send(client, begun["id"], b"no photo", number=1, name="b.jpg", headers=sent).status_code == 200
    assert client.post(f"{BASE}/{begun['id']}/finish", headers=sent).json()["state"] == "queued"
    assert client.post(f"{BASE}/{begun['id']}/finish", headers=sent).json()["state"] == "queued"
    batch = batch_claim(batch_id=begun["id"])
    assert batch is not None
    batch_run(batch=batch)
    done = client.get(f"{BASE}/{begun['id']}", headers=sent).json()
    assert (done["state"], done["added"], done["rejected"]) == ("done", 1, 1)
    assert [one["name"] for one in done["rejections"]] == ["b.jpg"]
    assert (Image.objects.get().name, batch.created_by) == ("a.jpg", people["ada"])


def test_pieces_that_do_not_fit_are_refused(headers: Any, campaign: Any, settings: Any) -> None:
    client, sent = Client(), headers()
    batch = client.post(BASE, headers=sent).json()["id"]
    assert send(client, batch, b"abc", size=10, offset=5, headers=sent).status_code == 409
    assert send(client, batch, b"abc", size=-1, headers=sent).status_code == 422
    settings.IQS_MAX_FILE_BYTES = 2
    assert send(client, batch, b"abc", headers=sent).status_code == 422
    assert client.get(f"{BASE}/{batch}", headers=sent).json()["rejections"][0]["name"] == "a.jpg"
    ImportBatch.objects.update(state="done")
    assert send(client, batch, b"abc", headers=sent).status_code == 410
    assert send(client, batch + 1, b"abc", headers=sent).status_code == 404
    assert send(client, batch, b"a" * (PIECE_BYTES + 1), headers=sent).status_code == 413


def test_an_import_of_another_campaign_is_not_found(headers: Any, campaign: Any) -> None:
    from annotation.models import Campaign

    other = Campaign.objects.create(slug="other", name="Other")
    batch = ImportBatch.objects.create(campaign=other, source="upload", state="receiving")
    client, sent = Client(), headers()
    assert client.get(f"{BASE}/{batch.pk}", headers=sent).status_code == 404
    assert client.post(f"{BASE}/{batch.pk}/finish", headers=sent).status_code == 404


def test_the_limit_of_an_hour_is_told(headers: Any, campaign: Any, settings: Any) -> None:
    settings.IQS_IMPORTS_PER_HOUR = 1
    client, sent = Client(), headers()
    assert client.post(BASE, headers=sent).status_code == 200
    refused = client.post(BASE, headers=sent)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "1 imports in this hour" in refused.json()["detail"]


def test_a_piece_may_be_as_long_as_on_the_page() -> None:
    assert body_limit(f"{BASE}/1/file").most == body_limit("/campaigns/watches/imports/1/file").most == PIECE_BYTES
