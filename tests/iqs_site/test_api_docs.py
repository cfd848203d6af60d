"""The page at /api/ describes every operation, without scripts and without other sites."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from iqs_site.api import api
from iqs_site.api_docs import operations


@pytest.mark.parametrize(("name", "status"), [("anonymous", 302), ("mallory", 200), ("alice", 200), ("ada", 200)])
@pytest.mark.parametrize("path", ["/api/", "/api/openapi.json"])
def test_everybody_who_is_logged_in_reads_the_description(
    client_of: Callable[[str], Client], path: str, name: str, status: int
) -> None:
    response = client_of(name).get(path)
    assert response.status_code == status
    if status == 302:
        assert response.headers["Location"].startswith("/accounts/login/")


def test_the_page_shows_every_operation_with_its_answers(
    client_of: Callable[[str], Client], django_assert_num_queries: Any
) -> None:
    client = client_of("alice")
    with django_assert_num_queries(2):  # session, user
        page = client.get("/api/").text
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            assert f'<code class="method {method}">{method.upper()}</code> <code>{path}</code>' in page
            assert f'id="{operation["operationId"]}"' in page
            assert f'href="#{operation["operationId"]}"' in page
            assert f"<h2>{operation['tags'][0].capitalize()}</h2>" in page
            for status in operation["responses"]:
                assert str(status) in page
    assert "strict" in page


def test_the_page_needs_no_scripts_and_no_other_site(client_of: Callable[[str], Client]) -> None:
    response = client_of("alice").get("/api/")
    assert "default-src 'none'; script-src 'self'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", response.text)
    assert {
        source for source in re.findall(r'(?:src|href)="([^"]+)"', response.text) if not source.startswith(("/", "#"))
    } == set()


def test_an_operation_has_its_parameters_fields_and_an_example() -> None:
    found = {(one.method, one.path): one for one in operations(api.get_openapi_schema())}
    record = found["POST", "/api/campaigns/{slug}/annotations"]
    assert [(row.name, row.is_required) for row in record.parameters] == [("slug", True)]
    body = {row.name: (row.kind, row.is_required) for row in record.body}
    assert body["client_id"] == ("string (uuid)", True)
    assert body["score"] == ("integer or null", False)
    assert [answer.status for answer in record.answers] == [200]
    assert {401, 403, 404, 408, 409, 413, 415, 422, 429} <= {answer.status for answer in record.problems}
    assert record.example.startswith("curl -X POST ")
    assert '"image_id": 1' in record.example
    leases = found["POST", "/api/campaigns/{slug}/leases"]
    assert "leases[].url" in [row.name for row in leases.answers[0].fields]
    assert "at most 20" in next(row.kind for row in leases.body if row.name == "count")
    score = found["POST", "/api/score"]
    assert "-F 'files=@photo.jpg'" in score.example or "-F files=@photo.jpg" in score.example
    assert found["GET", "/api/campaigns/{slug}/progress"].example.startswith("curl ")


def test_a_site_with_tokens_shows_them_in_its_examples() -> None:
    schema = api.get_openapi_schema()
    schema["components"]["securitySchemes"]["Token"] = {"type": "http", "scheme": "bearer"}
    assert all("authorization: Bearer" in one.example for one in operations(schema))
