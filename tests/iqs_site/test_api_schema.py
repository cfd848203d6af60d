"""Schemathesis sends values that fit the OpenAPI schema, and values that do not, to every operation.

`make api-check` sends many more of them than the test suite.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from annotation.models import Campaign, Image, User
from annotation.services.batches import upload_begin
from iqs_site.api import api

# Without the login, because the tests send their own cookies.
DESCRIPTION = api.get_openapi_schema()
del DESCRIPTION["components"]["securitySchemes"]
OPERATIONS = [(method, path) for path, methods in DESCRIPTION["paths"].items() for method in methods]
for _method, _path in OPERATIONS:
    DESCRIPTION["paths"][_path][_method].pop("security", None)
SCHEMA: Any = schemathesis.openapi.from_dict(DESCRIPTION)
SCHEMA.app = get_wsgi_application()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
]
EXAMPLES = settings.get_profile("api-check").max_examples if settings.get_current_profile_name() == "api-check" else 12
CSRF = "a" * 32


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the connection of the test, which rolls back at the end. Django's own test client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


NAMES = {GenerationMode.POSITIVE: "fits", GenerationMode.NEGATIVE: "does-not-fit"}


def takes_input(method: str, path: str) -> bool:
    """Return whether an operation has parameters or a body. Without them, no request can be wrong."""
    operation = DESCRIPTION["paths"][path][method]
    return bool(operation.get("parameters") or operation.get("requestBody"))


REQUESTS = [
    pytest.param(method, path, mode, id=f"{method}-{path}-{name}")
    for method, path in OPERATIONS
    for mode, name in NAMES.items()
    if mode is GenerationMode.POSITIVE or takes_input(method, path)
]


@pytest.fixture
def cookies(client_of: Callable[[str], Any], make_image: Callable[..., Any], people: dict[str, User]) -> dict[str, str]:
    """Return the cookies of an admin, with the CSRF token that the tests send."""
    for seed in range(4):
        make_image(seed)
    return {
        django_settings.SESSION_COOKIE_NAME: client_of("ada").cookies[django_settings.SESSION_COOKIE_NAME].value,
        django_settings.CSRF_COOKIE_NAME: CSRF,
    }


@pytest.mark.parametrize(("method", "path", "mode"), REQUESTS)
def test_every_answer_is_as_the_schema_says(
    cookies: dict[str, str], campaign: Campaign, method: str, path: str, mode: GenerationMode, monkeypatch: Any
) -> None:
    # No broker and no worker here: the API would wait five seconds for each request.
    monkeypatch.setattr("inference.api.WAIT_SECONDS", 0.0)
    for module in ("inference.api", "training.api", "annotation.api_imports"):
        monkeypatch.setattr(f"{module}.announce", lambda *args, **options: None)
    image = Image.objects.earliest("pk")
    batch = upload_begin(campaign=campaign, by=None)

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode), is_known=...)
    def run(case: Any, is_known: bool) -> None:
        if is_known and mode is GenerationMode.POSITIVE:  # rows that exist, so that more than 404 is seen
            known = {"slug": campaign.slug, "image_id": image.pk, "import_id": batch.pk}
            case.path_parameters |= {name: known[name] for name in case.path_parameters if name in known}
        response = case.call(cookies=cookies, headers={"x-csrftoken": CSRF})
        case.validate_response(response, checks=CHECKS)

    run()


def test_everybody_gets_answers_that_the_schema_names(cookies: dict[str, str], campaign: Campaign) -> None:
    """Nobody is logged in, or the token is missing."""
    for method, path in OPERATIONS:
        case = SCHEMA[path][method].Case(
            path_parameters={"slug": campaign.slug, "ticket": "a"}
            | dict.fromkeys(("image_id", "run_id", "import_id", "number"), 1)
        )
        for sent in ({}, cookies):
            response = case.call(cookies=sent)
            assert 400 <= response.status_code < 500 or (sent and method == "get")
            case.validate_response(response, checks=CHECKS[:5])
