"""Reviewers' decisions as labels: only with the setting, only in training, and counted."""

from collections.abc import Callable

import pytest

from annotation.exchange.methods_report import markdown
from annotation.models import Adjudication, Annotation, Campaign, Image, User
from annotation.selectors.export import consensus_records
from annotation.selectors.methods import methods_figures
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import images_make, vote
from training.learning.dataset import rated_images
from training.selectors.snapshots import UsedDecisions, holdout_opinions, training_data, training_snapshot


@pytest.fixture
def photos(campaign: Campaign, people: dict[str, User], make_user: Callable[..., User]) -> list[Image]:
    """Two train photos and a holdout photo with three votes each, and one photo without votes; three are decided."""
    train, holdout, empty = images_make(campaign, 2), images_make(campaign, 1, holdout=True), images_make(campaign, 1)
    for number in range(3):
        person = make_user(f"person-{number}")
        for image in train + holdout:
            vote(image, person, 3 + number, "no")
    decided = [(train[0], 9, "yes", False), (holdout[0], 9, "yes", False), (empty[0], 2, "unsure", True)]
    for image, score, watch, saw in decided:
        Adjudication.objects.create(
            campaign=campaign, image=image, reviewer=people["rita"], score=score, watch=watch, saw_prediction=saw
        )
    return [*train, *holdout, *empty]


def switch_on(campaign: Campaign) -> None:
    campaign.decisions_as_labels = True
    campaign.save()


def test_without_the_setting_training_knows_no_decision(campaign: Campaign, photos: list[Image]) -> None:
    snapshot, used = training_data(campaign, exposed_answers=False)
    assert used == UsedDecisions(0, 0)
    assert sorted(snapshot.scores.tolist()) == [3, 3, 4, 4, 5, 5]


def test_with_the_setting_a_decision_replaces_the_votes_and_keeps_their_weight(
    campaign: Campaign, photos: list[Image]
) -> None:
    switch_on(campaign)
    snapshot, used = training_data(campaign, exposed_answers=False)
    assert used == UsedDecisions(2, 1)
    rated = rated_images(snapshot, lowest=1, highest=10)
    rows = {image: place for place, image in enumerate(rated.image_ids.tolist())}
    assert set(rows) == {photos[0].pk, photos[1].pk, photos[3].pk}
    decided, plain, empty = (rows[photos[place].pk] for place in (0, 1, 3))
    assert rated.histograms[decided].tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 3, 0]
    assert (rated.watch_yes[decided], rated.watch_no[decided]) == (3, 0)
    assert rated.histograms[plain].tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]
    assert rated.histograms[empty].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert (rated.watch_yes[empty], rated.watch_no[empty]) == (0, 0)


def test_a_decision_never_enters_evaluation_votes_or_consensus(campaign: Campaign, photos: list[Image]) -> None:
    before = holdout_opinions(campaign)
    switch_on(campaign)
    after = holdout_opinions(campaign)
    assert after.fingerprint == before.fingerprint
    assert after.watch_labels.tolist() == [0]
    assert Annotation.objects.count() == 9


def test_a_decision_that_is_undone_or_on_a_withdrawn_photo_does_not_train(
    campaign: Campaign, photos: list[Image]
) -> None:
    switch_on(campaign)
    from django.utils import timezone

    Adjudication.objects.filter(image=photos[0]).update(undone_at=timezone.now())
    Image.objects.filter(pk=photos[3].pk).update(withdrawn_at=timezone.now())
    snapshot, used = training_data(campaign, exposed_answers=False)
    assert used.count == 0
    assert sorted(snapshot.scores.tolist()) == [3, 3, 4, 4, 5, 5]


def test_the_fingerprint_changes_with_a_decision(campaign: Campaign, photos: list[Image]) -> None:
    plain = training_snapshot(campaign, exposed_answers=False).fingerprint
    switch_on(campaign)
    first = training_snapshot(campaign, exposed_answers=False).fingerprint
    Adjudication.objects.filter(image=photos[0]).update(score=8)
    assert len({plain, first, training_snapshot(campaign, exposed_answers=False).fingerprint}) == 3


def test_the_export_and_the_methods_report_name_decisions(campaign: Campaign, photos: list[Image]) -> None:
    consensus_refresh(campaign=campaign)

    def marks() -> dict[str, tuple[bool | None, bool]]:
        return {one.split + str(one.decided_score): (one.decided_blind, one.decision_trains) for one in found()}

    def found() -> list[object]:
        return list(consensus_records(campaign))

    assert marks() == {"train9": (True, False), "trainNone": (None, False), "holdout9": (True, False)}
    assert "training does not use them" in markdown(methods_figures(campaign, lane_labels={}))
    switch_on(campaign)
    assert marks() == {"train9": (True, True), "trainNone": (None, False), "holdout9": (True, False)}
    text = markdown(methods_figures(campaign, lane_labels={}))
    assert "3, of which 1 given or changed after predictions were visible" in text
    assert "training of models uses them in place of the votes" in text
