"""The health check needs no login and answers even without a database."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client


@pytest.mark.django_db
def test_with_a_database_the_health_check_succeeds(client: Client) -> None:
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"ok": True})


def test_without_a_database_the_health_check_answers_503(
    django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    answers = []
    with django_db_blocker.unblock():
        # A new thread has a new connection, which fails.
        request = threading.Thread(target=lambda: answers.append(Client().get("/health")))
        request.start()
        request.join()
    assert [answer.status_code for answer in answers] == [503]
    assert answers[0].json() == {"ok": False, "detail": "The database does not answer."}
