"""The API refuses values of other types with 422 and a sentence, and every error is JSON."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.models import Annotation, Image

BASE = "/api/campaigns/watches"
INTEGER = "Input should be a valid integer"


@pytest.fixture
def image(make_image: Callable[..., Any]) -> Image:
    made: Image = make_image(1)
    return made


def answer_to(image: Image, **fields: Any) -> dict[str, Any]:
    return {"client_id": str(uuid4()), "image_id": image.pk, "watch": "yes", "score": 7, **fields}


def post(client: Client, path: str, body: Any, content_type: str = "application/json") -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"{BASE}/{path}", data, content_type=content_type)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("score", True, INTEGER),
        ("score", "5", INTEGER),
        ("score", 5.5, INTEGER),
        ("score", [5], INTEGER),
        ("score", 10**30, "The score must be"),
        ("score", float("nan"), "NaN is not a number"),
        ("score", float("inf"), "Infinity is not a number"),
        ("image_id", "1", INTEGER),
        ("image_id", True, INTEGER),
        ("image_id", 0, "greater than or equal to 1"),
        ("image_id", 2**63, "less than"),
        ("lease_id", "1", INTEGER),
        ("annotator_id", "1", INTEGER),
        ("milliseconds", "1", INTEGER),
        ("milliseconds", True, INTEGER),
        ("watch", 1, "Input should be a valid string"),
        ("watch", None, "Input should be a valid string"),
        ("skip_reason", "a\0b", "cannot be stored"),
        ("skip_reason", "\ud800", "cannot be stored"),
        ("viewing", {"a": {"b": ["\0"]}}, "cannot be stored"),
        ("viewing", {"\ud800": 1}, "cannot be stored"),
        ("viewing", {"zoom": float("nan")}, "NaN is not a number"),
        ("viewing", [], "valid dictionary"),
        ("scale", ["1", "10"], INTEGER),
        ("scale", [True, 10], INTEGER),
        ("scale", [1, 10, 100], "at most 2 items"),
        ("scale", "ab", "valid tuple"),
        ("client_id", 5, "UUID input should be a string"),
        ("client_id", "nonsense", "valid UUID"),
    ],
)
def test_an_answer_with_a_wrong_type_is_refused_with_a_reason(
    client_of: Callable[[str], Client], image: Image, field: str, value: Any, reason: str
) -> None:
    response = post(client_of("alice"), "annotations", answer_to(image, **{field: value}))
    assert response.status_code == 422
    assert reason in response.json()["detail"]
    assert not Annotation.objects.exists()


def test_an_answer_as_the_page_sends_it_is_accepted(client_of: Callable[[str], Client], image: Image) -> None:
    viewing = {"viewport": [1280, 900], "pixel_ratio": 1.5, "shown": [96.5, 64], "scheme": "dark", "was_away": False}
    fields = {"lease_id": None, "skip_reason": "", "scale": [1, 10], "milliseconds": 1200, "viewing": viewing}
    assert post(client_of("alice"), "annotations", answer_to(image, **fields)).status_code == 200


def test_the_sentence_names_the_field(client_of: Callable[[str], Client], image: Image) -> None:
    response = post(client_of("alice"), "annotations", answer_to(image, score=True, lease_id=0))
    assert response.json() == {
        "detail": "lease_id: Input should be greater than or equal to 1. score: Input should be a valid integer."
    }
    assert "image_ids.1: " in post(client_of("alice"), "leases/renew", {"image_ids": [1, "2"]}).json()["detail"]
    many = post(client_of("alice"), "leases/return", {"image_ids": ["a"] * 100}).json()["detail"]
    assert many.endswith("And 95 more.")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("leases", {"count": "5"}),
        ("leases", {"count": True}),
        ("leases", {"known": [1.0]}),
        ("leases", {"known": {"0": 1}}),
        ("leases/renew", {"image_ids": [True]}),
        ("leases/return", {"image_ids": "12"}),
        ("receipts", {"client_ids": [1]}),
        ("receipts", {"client_ids": "nonsense"}),
        ("annotations", None),
        ("annotations", []),
        ("annotations", 5),
        ("annotations", "text"),
        ("annotations", b""),
        ("annotations", b"{"),
        ("annotations", b"\xff"),
    ],
)
def test_every_operation_is_strict(client_of: Callable[[str], Client], path: str, body: Any) -> None:
    response = post(client_of("alice"), path, body)
    assert response.status_code == 422
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize("bindings", [{"zoom": 1}, {"zoom": None}, {"zoom": "\0"}, {"zoom": "\ud800"}, "z", None])
def test_keys_are_strict(client_of: Callable[[str], Client], bindings: Any) -> None:
    body = json.dumps({"bindings": bindings})
    response = client_of("alice").put("/api/me/keys", body, content_type="application/json")
    assert response.status_code == 422
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""]
)
def test_a_body_of_another_kind_gets_415(client_of: Callable[[str], Client], image: Image, content_type: str) -> None:
    response = post(client_of("alice"), "annotations", answer_to(image), content_type)
    assert (response.status_code, response.json()) == (415, {"detail": "Send the body as application/json."})


def test_json_with_a_charset_is_accepted(client_of: Callable[[str], Client], image: Image) -> None:
    response = post(client_of("alice"), "annotations", answer_to(image), "application/json; charset=utf-8")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/campaigns/a%00b/progress", 422),
        ("/api/campaigns/no%20such/progress", 422),
        ("/api/campaigns/%ed%a0%80/progress", 422),
        (f"/api/campaigns/{'a' * 101}/progress", 422),
        (f"/api/campaigns/watches/runs/{2**63}", 422),
        ("/api/campaigns/watches/runs/x", 422),
        ("/api/campaigns/watches/runs/0", 422),
        (f"/api/campaigns/watches/photos/{10**30}/reveal", 422),
        (f"/api/score/{'a' * 300}", 422),
        ("/api/score/a%00b", 404),
        ("/api/score/%F0%9F%98%80", 404),
        ("/api/no-such-address", 404),
        ("/api/campaigns/watches", 404),
    ],
)
def test_any_address_gets_an_error_in_json(client_of: Callable[[str], Client], path: str, status: int) -> None:
    response = client_of("rita").get(path)
    assert response.status_code == status
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/users/?q=a%00b", 400),
        ("/score/a%00b/", 404),
        ("/campaigns/watches/photos/?search=%00", 200),
        ("/join/a%00b/", 404),
        ("/password/a%00b/", 404),
    ],
)
def test_pages_refuse_characters_that_the_database_cannot_store(
    make_user: Callable[..., Any], campaign: Any, path: str, status: int
) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    assert client.get(path).status_code == status


def test_a_key_of_any_length_is_no_scoring_job(client_of: Callable[[str], Client]) -> None:
    assert client_of("alice").get(f"/score/{'a' * 300}/").status_code == 302


def test_a_wrong_method_gets_405_in_json(client_of: Callable[[str], Client]) -> None:
    response = client_of("alice").delete(f"{BASE}/leases")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.json() == {"detail": "This address accepts POST only."}


def test_who_is_not_logged_in_and_who_has_no_token_gets_a_sentence(people: Any, image: Image) -> None:
    client = Client(enforce_csrf_checks=True)
    refused = post(client, "annotations", answer_to(image))
    assert (refused.status_code, "x-csrftoken" in refused.json()["detail"]) == (403, True)
    assert Client().get(f"{BASE}/progress").json() == {"detail": "Log in first."}
