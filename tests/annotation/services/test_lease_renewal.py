"""A lease that is renewed while the sweep is at work."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import Assignment, Campaign, Image
from annotation.services import queue
from annotation.services.queue import counters_rebuild, leases_claim, leases_expire, leases_renew


@pytest.mark.django_db(transaction=True)
def test_a_lease_renewed_between_the_sweeps_select_and_its_update_stays(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    renewed, overdue = (make_image(seed) for seed in (1, 2))
    leases_claim(campaign=campaign, annotator=people["alice"], count=2)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    counts: list[int] = []

    def renew() -> None:
        counts.append(leases_renew(campaign=campaign, annotator=people["alice"], image_ids=[renewed.pk]))
        connection.close()

    def renew_before_the_update(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        # Only here is it certain that the sweep has selected both leases.
        if sql == queue._END and not counts:
            thread = threading.Thread(target=renew)  # another connection, as in a request
            thread.start()
            thread.join()
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(renew_before_the_update):
        assert leases_expire() == 1
    assert counts == [1]
    states = dict(Assignment.objects.values_list("image", "state"))
    assert states == {renewed.pk: "leased", overdue.pk: "expired"}
    assert counters_rebuild(campaign=campaign) == 0
