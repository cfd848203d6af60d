"""Bodies that are too long are refused before anything reads them, whatever the web server."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.models import ApiToken
from annotation.services.tokens import token_create
from annotation.services.uploads import PIECE_BYTES
from iqs_site.request_limits import FREE_BYTES, REFUSAL, body_limit

MEGABYTE = 1024**2


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("The body was read.")


def send(client: Client, path: str, length: int | str, method: str = "POST", **extra: Any) -> Any:
    environment = {"wsgi.input": Unread(), "CONTENT_LENGTH": length, "CONTENT_TYPE": "application/octet-stream"}
    return client.generic(method, path, **environment, **extra)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/accounts/login/", MEGABYTE),
        ("/", MEGABYTE),
        ("/join/secret/", MEGABYTE),
        ("/admin/login/", MEGABYTE),
        ("/api/campaigns/watches/annotations", MEGABYTE),
        ("/campaigns/watches/settings/", MEGABYTE),
        ("/campaigns/watches/imports/1/file", PIECE_BYTES),
        ("/campaigns/watches/imports/1/file/../../../login", MEGABYTE),
        ("/campaigns/watches/imports/1/finish", MEGABYTE),
        ("/score/", 256 * MEGABYTE + 65536),
        ("/api/score", 256 * MEGABYTE + 65536),
        ("/api/score/ticket", MEGABYTE),
        ("/campaigns/watches/gate/", 256 * MEGABYTE + 65536),
        ("/campaigns/watches/gate/ticket/", MEGABYTE),
        ("/api/campaigns/watches/gate", 64 * MEGABYTE + 65536),
        ("/api/campaigns/watches/gate/ticket", MEGABYTE),
    ],
)
def test_every_address_has_a_limit(path: str, most: int) -> None:
    limit = body_limit(path)
    assert (limit.most, limit.free) == (most, FREE_BYTES)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("name", ["anonymous", "ada"])
def test_a_longer_body_gets_413_as_a_page_or_as_json(
    client_of: Callable[[str], Client], method: str, name: str
) -> None:
    client = client_of(name)
    page = send(client, "/accounts/login/", MEGABYTE + 1, method)
    assert page.status_code == 413
    assert "The request is too long. At most 1 MB are allowed here." in page.text
    answer = send(client, "/api/campaigns/watches/leases", MEGABYTE + 1, method)
    assert (answer.status_code, answer.json()) == (
        413,
        {"detail": "The request is too long. At most 1 MB are allowed here."},
    )


def test_a_piece_of_an_import_may_be_longer(client_of: Callable[[str], Client]) -> None:
    address = "/campaigns/watches/imports/1/file?number=0&name=a.jpg&size=1&offset=0"
    client = client_of("ada")
    assert client.put(address, b"a" * PIECE_BYTES).status_code == 410  # there is no such import
    refused = send(client, address, PIECE_BYTES + 1, "PUT")
    assert (refused.status_code, refused.json()["detail"]) == (
        413,
        "The request is too long. At most 4 MB are allowed here.",
    )


@pytest.mark.parametrize("path", ["/score/", "/api/score", "/campaigns/watches/imports/1/file"])
@pytest.mark.parametrize("csrf_checks", [True, False])
def test_nobody_sends_a_long_body_without_logging_in(
    client_of: Callable[[str], Client], path: str, csrf_checks: bool
) -> None:
    client = Client(enforce_csrf_checks=csrf_checks)
    refused = send(client, path, FREE_BYTES + 1)
    assert refused.status_code == 401
    assert "Log in first" in refused.text


def test_programs_send_long_bodies_with_a_token(
    people: dict[str, Any], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.api.WAIT_SECONDS", 0.0)  # there is no worker
    _, secret = token_create(user=people["alice"], name="script", scope=ApiToken.Scope.ANNOTATE, days=1)
    photos = {"files": SimpleUploadedFile("a.jpg", b"a" * (FREE_BYTES + 1))}
    known, unknown = ({"authorization": f"Bearer {value}"} for value in (secret, f"{secret}-wrong"))
    assert client.post("/api/score", photos, headers=known).status_code == 202  # there is no worker to score it
    refused = send(client, "/api/score", FREE_BYTES + 1, HTTP_AUTHORIZATION=unknown["authorization"])
    assert (refused.status_code, "Log in first" in refused.text) == (401, True)


@pytest.mark.parametrize("length", ["", "nonsense", "-5"])
def test_a_length_that_is_no_number_is_no_long_body(client: Client, db: None, length: str) -> None:
    assert client.get("/accounts/login/", CONTENT_LENGTH=length).status_code == 200


@pytest.mark.parametrize(("status", "word"), [(408, "in time"), (413, "too long"), (507, "full"), (400, "damaged")])
def test_what_the_worker_has_refused_gets_its_page(client: Client, status: int, word: str) -> None:
    for path, kind in (("/accounts/login/", "text/html"), ("/api/score", "application/json")):
        refused = client.get(path, **{REFUSAL: status})
        assert refused.status_code == status
        assert word in refused.text
        assert refused.headers["Content-Type"].startswith(kind)
        assert "script-src 'self'" in refused.headers["Content-Security-Policy"]


def test_a_header_cannot_pretend_to_be_a_refusal(client: Client, db: None) -> None:
    assert client.get("/accounts/login/", headers={"iqs.refusal": "507", "iqs-refusal": "507"}).status_code == 200
