"""The few anchored answers of a large campaign are found in an index of their own."""

from typing import Any

from django.db import connection

from annotation.models import Campaign
from tests.opinions_and_predictions import images_make, vote, votes
from training.selectors.anchoring import anchored_answers


def test_anchored_answers_are_not_looked_for_among_all(campaign: Campaign, people: dict[str, Any]) -> None:
    images = images_make(campaign, 601)
    votes(images[1:], [people["alice"], people["bob"]], 5, "no")
    anchored = vote(images[0], people["alice"], 6, is_anchored=True, saw_prediction=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_annotation, annotation_image")
    found = anchored_answers(campaign)
    assert list(found) == [anchored]
    assert "annotation_anchored" in found.explain()
