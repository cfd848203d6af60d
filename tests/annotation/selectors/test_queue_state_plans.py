"""Whether there is a photo for somebody is found in small indexes, wherever in the table the open photos lie."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Assignment, Campaign, Image
from annotation.selectors.progress import queue_state
from tests.opinions_and_predictions import images_make


@pytest.fixture
def statements(campaign: Campaign, people: dict[str, Any]) -> list[str]:
    """Return the statements that find the state for somebody who has answered half of the 400 photos."""
    images = images_make(campaign, 400)
    campaign.images.update(votes_needed=2)
    Assignment.objects.bulk_create(
        Assignment(
            campaign=campaign,
            image=image,
            annotator=people["alice"],
            state=Assignment.State.DONE,
            expires_at=campaign.created_at,
        )
        for image in images[:200]
    )
    Image.objects.filter(pk__in=[image.pk for image in images[:200]]).update(open_slots=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_image, annotation_assignment")
    with CaptureQueriesContext(connection) as queries:
        assert queue_state(campaign, people["alice"]).sentence == ""
    return [query["sql"] for query in queries.captured_queries]


@pytest.mark.parametrize(("number", "index"), [(0, "assignment_unanswered"), (1, "image_open")])
def test_statements_of_the_state_read_a_small_index(statements: list[str], number: int, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statements[number]}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan, plan
    assert "Seq Scan on annotation_image" not in plan
