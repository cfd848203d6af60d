"""The health check, which asks for no login and answers when nothing else can."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client


@pytest.mark.django_db
def test_a_site_with_a_database_is_well(client: Client) -> None:
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"ok": True})


def test_a_site_whose_database_is_gone_says_so_and_raises_nothing(
    django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    answers = []
    with django_db_blocker.unblock():
        # A thread has a connection of its own, and this one cannot be made.
        asks = threading.Thread(target=lambda: answers.append(Client().get("/health")))
        asks.start()
        asks.join()
    assert [answer.status_code for answer in answers] == [503]
    assert answers[0].json() == {"ok": False, "detail": "The database does not answer."}
