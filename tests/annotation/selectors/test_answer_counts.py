"""The number of answers of each annotator: those that a fit has stored, and what came later."""

from collections import Counter
from typing import Any

from annotation.models import Annotation, Campaign, ConsensusFit
from annotation.selectors.answer_counts import answer_counts
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import images_make, vote


def test_stored_and_newer_answers_add_up_to_the_standing_answers(campaign: Campaign, people: dict[str, Any]) -> None:
    alice, bob = people["alice"], people["bob"]
    photos = images_make(campaign, 5)
    given = [vote(photo, alice, 4) for photo in photos[:3]]
    vote(photos[0], bob, 6)
    consensus_refresh(campaign=campaign, is_full=True)
    fit = ConsensusFit.objects.get()
    assert answer_counts(campaign, fit) == {alice.pk: 3, bob.pk: 1}

    vote(photos[3], alice, 5)  # a new one
    vote(photos[0], alice, 7, supersedes=given[0])  # a correction
    vote(photos[1], alice, None, "", supersedes=given[1], skip_reason="broken")  # type: ignore[arg-type]  # a skip
    vote(photos[0], bob, 6, is_repeat=True)  # a hidden repeat
    standing = Counter(Annotation.objects.filter(campaign=campaign).votes().values_list("annotator", flat=True))
    assert answer_counts(campaign, fit) == standing == {alice.pk: 3, bob.pk: 1}
    assert answer_counts(campaign, None) == standing


def test_answers_before_the_fit_are_not_read_again(campaign: Campaign, people: dict[str, Any]) -> None:
    vote(images_make(campaign, 1)[0], people["alice"], 4)
    consensus_refresh(campaign=campaign, is_full=True)
    fit = ConsensusFit.objects.get()
    fit.figures["answers"] = {str(people["alice"].pk): 40}
    assert answer_counts(campaign, fit) == {people["alice"].pk: 40}
