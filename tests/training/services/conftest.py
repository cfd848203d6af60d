"""Fixtures for tests with real training processes."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection


@pytest.fixture
def shared_database(transactional_db: None, settings: Any) -> None:
    """Let other processes use the data of the test: no transaction, and DATABASE_URL names the test database."""
    server, _, query = django_settings.DATABASE_URL.partition("?")
    address = f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    settings.DATABASE_URL = f"{address}?{query}" if query else address
