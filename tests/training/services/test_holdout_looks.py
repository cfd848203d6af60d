"""Each comparison of a challenger with the champion is a look at the holdout, and the rule knows its number."""

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.models import Campaign, Image
from tests.opinions_and_predictions import predictions_make, vote
from training.evaluation.looks import LOOKS
from training.evaluation.promotion_rule import Decision
from training.models import HoldoutLook, TrainingRun
from training.selectors.snapshots import holdout_opinions
from training.selectors.verdicts import holdout_use, inverted_names, leaked_photos, verdict_of
from training.selectors.versions import newest_evaluations
from training.services.evaluations import evaluation_make, evaluations_refresh
from training.services.runs import run_request


@pytest.fixture
def photos(make_rated_images: Callable[..., Any]) -> list[Any]:
    return list(make_rated_images(holdout=40, votes=4))


@pytest.fixture
def versions(photos: list[Any], make_version: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes a version that scores better with a smaller `noise`."""

    def make(number: int, noise: float, *, champion: bool = False) -> Any:
        rng = np.random.default_rng(number)
        return make_version(
            number,
            champion=champion,
            predict={
                photo: (photo.quality + noise * rng.normal(), 0.9 if photo.is_watch else 0.01) for photo in photos
            },
        )

    return make


def test_each_new_comparison_is_a_look_and_needs_more(campaign: Campaign, versions: Callable[..., Any]) -> None:
    champion = versions(1, 2.0, champion=True)
    numbers, decisions = [], []
    for number in range(2, 5):
        evaluation = evaluation_make(version=versions(number, 2.0), against=champion)
        assert evaluation.look is not None
        numbers.append(evaluation.look.number)
        decisions.append(verdict_of(evaluation).decision)  # type: ignore[union-attr]
    assert numbers == [1, 2, 3]
    assert Decision.PROMOTE not in decisions
    assert holdout_use(champion).looks == 3  # type: ignore[union-attr]


def test_the_same_comparison_is_the_same_look_until_votes_change(
    campaign: Campaign, versions: Callable[..., Any], photos: list[Any], people: Any
) -> None:
    champion, challenger = versions(1, 2.0, champion=True), versions(2, 1.0)
    first = evaluation_make(version=challenger, against=champion)
    assert evaluation_make(version=challenger, against=champion).look == first.look
    Campaign.objects.update(watch_threshold=0.3)
    champion.campaign.refresh_from_db()
    assert evaluation_make(version=challenger, against=champion).look == first.look
    vote(photos[0], people["ada"], 5)
    again = evaluation_make(version=challenger, against=champion)
    assert again.look is not None
    assert again.look.number == 2


def test_older_versions_and_the_champion_take_no_look(campaign: Campaign, versions: Callable[..., Any]) -> None:
    older = versions(1, 2.0)
    versions(2, 1.0, champion=True)
    evaluations_refresh(campaign=campaign)
    assert not HoldoutLook.objects.exists()
    assert verdict_of(newest_evaluations([older])[older.pk]) is None
    newer = versions(3, 2.0)
    evaluations_refresh(campaign=campaign)
    assert [look.version for look in HoldoutLook.objects.all()] == [newer]


def test_a_new_champion_and_a_fresh_holdout_start_a_new_count(
    campaign: Campaign, versions: Callable[..., Any], photos: list[Any], make_rated_images: Callable[..., Any]
) -> None:
    champion = versions(1, 2.0, champion=True)
    for number in (2, 3):
        evaluation_make(version=versions(number, 2.0), against=champion)
    other = versions(4, 2.0)
    assert evaluation_make(version=versions(5, 2.0), against=other).look.number == 1  # type: ignore[union-attr]
    photos += make_rated_images(holdout=41, votes=4, seed=9)  # most of the holdout is new
    new = photos[40:]
    predictions_make(champion, new, [photo.quality for photo in new])
    third = versions(6, 2.0)
    assert evaluation_make(version=third, against=champion).look.number == 1  # type: ignore[union-attr]


def test_a_used_up_holdout_asks_for_fresh_photos(
    campaign: Campaign, versions: Callable[..., Any], client_of: Callable[[str], Any]
) -> None:
    champion, challenger = versions(1, 3.0, champion=True), versions(2, 0.1)
    shown = list(Image.objects.values_list("pk", flat=True))
    for number in range(1, LOOKS + 1):
        HoldoutLook.objects.create(
            campaign=campaign, against=champion, fingerprint=str(number), image_ids=shown, number=number
        )
    verdict = verdict_of(evaluation_make(version=challenger, against=champion))
    assert verdict is not None
    assert verdict.decision is Decision.CANNOT_TELL, "however much better it is"
    html = " ".join(client_of("ada").get("/campaigns/watches/models/").content.decode().split())
    assert "It needs 41 fresh holdout photos with votes." in html
    assert "import about 205 photos" in html  # a fifth of them joins the holdout
    assert "Import photos</a>" in html
    Campaign.objects.update(holdout_fraction=0)
    assert "start a new campaign with a holdout" in client_of("rita").get("/campaigns/watches/models/").content.decode()


def learned(campaign: Campaign, challenger: Any, images: list[Any], people: dict[str, Any]) -> TrainingRun:
    """Store a run that made the challenger from votes on these photos, as they are now."""
    from annotation.models import Annotation
    from annotation.selectors.votes import table_of
    from training.selectors.snapshots import _snapshot

    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    split = images[0].split
    votes = table_of(campaign, Annotation.objects.filter(image__in=[image.pk for image in images]))
    _snapshot(campaign, split, votes).save(run.folder / "snapshot.npz")
    TrainingRun.objects.filter(pk=run.pk).update(challenger=challenger, state=TrainingRun.State.DONE)
    return run


def test_a_challenger_that_learned_from_holdout_photos_is_refused(
    campaign: Campaign, versions: Callable[..., Any], photos: list[Any], people: dict[str, Any]
) -> None:
    champion, challenger = versions(1, 3.0, champion=True), versions(2, 0.1)
    learned(campaign, challenger, photos[:7], people)
    verdict = verdict_of(evaluation_make(version=challenger, against=champion))
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE
    assert "has learned from 7 of the 40 rated holdout photos" in verdict.reason


def test_near_duplicates_in_training_are_a_leak_too(
    campaign: Campaign,
    versions: Callable[..., Any],
    photos: list[Any],
    people: dict[str, Any],
    make_rated_images: Callable[..., Any],
) -> None:
    train = make_rated_images(train=5, votes=2, seed=7)
    challenger = versions(2, 0.1)
    run = learned(campaign, challenger, train, people)
    holdout = holdout_opinions(campaign).votes
    assert leaked_photos(challenger, holdout) == 0
    group = uuid.uuid4()
    # The groups are found after the training: a train photo and two holdout photos look alike.
    Image.objects.filter(pk__in=[train[0].pk, photos[0].pk, photos[1].pk]).update(group=group)
    assert leaked_photos(challenger, holdout_opinions(campaign).votes) == 2
    (run.folder / "snapshot.npz").unlink()
    assert leaked_photos(challenger, holdout) is None
    assert leaked_photos(versions(3, 1.0), holdout) == 0, "a version without a run is the shipped prior"


def test_an_inverted_annotator_stops_the_promotion_and_is_named_to_reviewers(
    campaign: Campaign, versions: Callable[..., Any], photos: list[Any], people: dict[str, Any], client_of: Any
) -> None:
    for photo in photos:
        vote(photo, people["ada"], int(np.clip(round(11 - photo.quality), 1, 10)))
    champion, challenger = versions(1, 3.0, champion=True), versions(2, 0.1)
    evaluation = evaluation_make(version=challenger, against=champion)
    verdict = verdict_of(evaluation)
    assert verdict is not None
    assert verdict.decision is Decision.CANNOT_TELL
    assert "the scores of an annotator run against those of the others" in verdict.reason
    assert "ada" not in verdict.reason
    assert inverted_names(evaluation) == ["ada"]
    html = " ".join(client_of("rita").get("/campaigns/watches/models/").content.decode().split())
    assert "Scores that run against those of the others: <strong>ada</strong>" in html
    assert 'href="/campaigns/watches/annotator-quality/"' in html


def test_the_campaign_chooses_the_rule(campaign: Campaign, versions: Callable[..., Any]) -> None:
    champion, same = versions(1, 1.0, champion=True), versions(2, 1.0)
    same.predictions.all().delete()
    for one in champion.predictions.all():
        one.pk, one.model_version = None, same
        one.save(force_insert=True)
    evaluation = evaluation_make(version=same, against=champion)
    assert verdict_of(evaluation).decision is Decision.NO_BETTER  # type: ignore[union-attr]
    # Equal decisions on 40 photos exclude a large loss, and no small one.
    for margin, decision in ((0.01, Decision.CANNOT_TELL), (0.2, Decision.PROMOTE)):
        Campaign.objects.update(promotion_rule=Campaign.PromotionRule.NOT_WORSE, promotion_margin=margin)
        newest = newest_evaluations([same])[same.pk]
        verdict = verdict_of(newest)
        assert verdict is not None
        assert verdict.decision is decision
