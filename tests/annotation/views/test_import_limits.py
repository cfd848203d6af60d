"""How many imports one user may start in an hour."""

from typing import Any

import pytest

from annotation.models import Campaign, ImportBatch

pytestmark = pytest.mark.django_db


def test_a_user_starts_so_many_imports_an_hour(campaign: Campaign, client_of: Any, settings: Any) -> None:
    settings.IQS_IMPORTS_PER_HOUR = 2
    client, address = client_of("ada"), "/campaigns/watches/imports/start"
    assert [client.post(address).status_code for _ in range(2)] == [200, 200]
    refused = client.post(address)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert refused.json()["detail"].startswith("You have started 2 imports in this hour, as many as are allowed.")
    assert ImportBatch.objects.count() == 2


def test_people_who_may_not_import_use_nothing_up(campaign: Campaign, client_of: Any, settings: Any) -> None:
    from annotation.models import HourlyUse

    for name in ("anonymous", "mallory", "alice", "rita"):
        client_of(name).post("/campaigns/watches/imports/start")
    assert not HourlyUse.objects.exists()
