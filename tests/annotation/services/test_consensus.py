"""The stored consensus: fits, updates between fits, which votes it uses, and one worker at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.consensus.dawid_skene import labels_fit
from annotation.consensus.panel_model import panel_fit
from annotation.measures.opinion import mos_interval
from annotation.models import (
    Annotation,
    AnnotatorStatistics,
    Campaign,
    ConsensusFit,
    ConsensusState,
    Image,
    PhotoConsensus,
    User,
)
from annotation.selectors.consensus import consensus_due, consensus_summary
from annotation.selectors.opinions import campaign_vote_variance
from annotation.selectors.votes import consensus_votes
from annotation.services.consensus import computing_lock, consensus_outdate, consensus_refresh
from annotation.services.screening import screening_decide, screening_undo
from tests.opinions_and_predictions import images_make, vote, votes

PHOTOS = 40


@pytest.fixture
def panel(campaign: Campaign, make_user: Callable[..., User]) -> tuple[list[Image], list[User]]:
    """Six people rate 40 photos each: person 0 is severe, and person 1 mixes up the watch labels of every third."""
    rng = np.random.default_rng(4)
    people = [make_user(f"person-{number}") for number in range(6)]
    images = images_make(campaign, PHOTOS)
    truth, noise = rng.normal(6, 1.5, (PHOTOS, 1)), rng.normal(0, 1, (PHOTOS, 6))
    bias = np.array([-2.0, 0, 0, 0.5, 0.5, 1.0])
    scores = np.clip(np.rint(truth + bias + noise), 1, 10)
    watch = np.tile(np.arange(PHOTOS)[:, np.newaxis] % 2 == 0, 6)
    watch[::3, 1] ^= True
    votes(images, people, scores, np.where(watch, "yes", "no"))
    return images, people


def stored(campaign: Campaign, name: str) -> np.ndarray:
    return np.array(PhotoConsensus.objects.filter(campaign=campaign).order_by("pk").values_list(name, flat=True))


def age(campaign: Campaign, **ago: float) -> None:
    """Make all fits older."""
    ConsensusFit.objects.filter(campaign=campaign).update(made_at=timezone.now() - timedelta(**ago))


def test_the_first_refresh_stores_what_the_pure_functions_say(panel: Any, campaign: Campaign) -> None:
    assert consensus_refresh(campaign=campaign).kind == "full"
    table = consensus_votes(campaign)
    fit = panel_fit(table.image_ids, table.annotator_ids, table.scores)
    labels = labels_fit(table.image_ids, table.annotator_ids, table.watch)
    np.testing.assert_allclose(stored(campaign, "corrected_mos"), fit.quality)
    np.testing.assert_allclose(stored(campaign, "corrected_error"), fit.quality_deviation)
    np.testing.assert_allclose(stored(campaign, "watch_posterior"), labels.posterior[:, 1])
    assert (stored(campaign, "votes") == 6).all()
    statistics = AnnotatorStatistics.objects.filter(campaign=campaign).order_by("annotator_id")
    np.testing.assert_allclose([row.bias for row in statistics], fit.bias)
    np.testing.assert_allclose([row.specificity for row in statistics], labels.right[:, 0])
    assert min(statistics, key=lambda row: row.bias).annotator_id == panel[1][0].pk
    assert min(statistics, key=lambda row: row.sensitivity or 1).annotator_id == panel[1][1].pk


def test_the_plain_mos_and_its_interval_are_stored_beside_the_corrected_mos(panel: Any, campaign: Campaign) -> None:
    consensus_refresh(campaign=campaign)
    image = panel[0][3]
    scores = list(Annotation.objects.filter(image=image).values_list("score", flat=True))
    row = PhotoConsensus.objects.get(pk=image.pk)
    low, high = mos_interval(np.bincount(scores, minlength=11)[1:], 1, campaign_vote_variance(campaign))
    assert row.mos == pytest.approx(np.mean(scores))
    assert (row.low, row.high) == (pytest.approx(float(low)), pytest.approx(float(high)))
    assert row.low < row.mos < row.high
    assert row.corrected_low < row.corrected_mos < row.corrected_high


def test_exposed_votes_special_photos_and_withdrawn_photos_are_left_out(panel: Any, campaign: Campaign) -> None:
    images, people = panel
    Image.objects.filter(pk=images[0].pk).update(role="gold")
    Image.objects.filter(pk=images[1].pk).update(role="practice")
    Image.objects.filter(pk=images[2].pk).update(withdrawn_at=timezone.now())
    exposed = images_make(campaign, 1, prefix="exposed")[0]
    vote(exposed, people[0], 9, saw_prediction=True)
    consensus_refresh(campaign=campaign)
    present = set(PhotoConsensus.objects.values_list("pk", flat=True))
    assert present == {image.pk for image in images[3:]}


def test_a_new_vote_changes_only_its_photo_and_agrees_with_a_full_fit(
    panel: Any, campaign: Campaign, make_user: Callable[..., User]
) -> None:
    images, _ = panel
    consensus_refresh(campaign=campaign)
    # Below the pointer plus the margin for late answers, every photo of a small test would be estimated again.
    before = {row.pk: row for row in PhotoConsensus.objects.all()}
    vote(images[5], make_user("newcomer"), 10, watch="yes")
    assert consensus_refresh(campaign=campaign).kind == "update"
    row = PhotoConsensus.objects.get(pk=images[5].pk)
    assert row.votes == 7
    assert row.corrected_mos > before[row.pk].corrected_mos
    updated = stored(campaign, "corrected_mos")
    assert ConsensusFit.objects.count() == 1
    assert consensus_refresh(campaign=campaign, is_full=True).kind == "full"
    errors = stored(campaign, "corrected_error")
    assert (np.abs(stored(campaign, "corrected_mos") - updated) <= 0.5 * errors).all()


def test_a_withdrawn_vote_takes_its_photo_out(panel: Any, campaign: Campaign, people: dict[str, Any]) -> None:
    image = images_make(campaign, 1, prefix="single")[0]
    only = vote(image, people["alice"], 3)
    consensus_refresh(campaign=campaign)
    assert PhotoConsensus.objects.filter(pk=image.pk).exists()
    Annotation.objects.create(
        client_id="5f0c7ee6-2a4e-4a39-8e3f-3b8dd4a0a0c1",
        campaign=campaign,
        image=image,
        annotator=people["alice"],
        skip_reason="not sure",
        supersedes=only,
    )
    assert consensus_refresh(campaign=campaign).kind == "update"
    assert not PhotoConsensus.objects.filter(pk=image.pk).exists()


def test_enough_new_votes_start_a_refit_that_agrees_with_a_full_fit(
    panel: Any, campaign: Campaign, make_user: Callable[..., User]
) -> None:
    images, _ = panel
    consensus_refresh(campaign=campaign)
    votes(images[:25], [make_user("late")], 7, "yes")
    assert consensus_refresh(campaign=campaign).kind == "update"  # the last fit is too recent
    age(campaign, minutes=10)
    assert consensus_refresh(campaign=campaign).kind == "refit"
    refit = stored(campaign, "corrected_mos")
    age(campaign, hours=30)
    assert consensus_refresh(campaign=campaign).kind == "full"
    np.testing.assert_allclose(stored(campaign, "corrected_mos"), refit, atol=0.02)
    assert ConsensusFit.objects.first().figures["largest_difference"] < 0.02


def test_nothing_is_due_without_new_answers_until_a_day_has_passed(panel: Any, campaign: Campaign) -> None:
    assert consensus_due() == [campaign.pk]
    consensus_refresh(campaign=campaign)
    assert consensus_due() == []
    assert consensus_refresh(campaign=campaign).kind == ""
    consensus_outdate(campaign=campaign)
    assert consensus_due() == [campaign.pk]
    assert consensus_refresh(campaign=campaign).kind == "refit"
    assert consensus_due() == []
    age(campaign, hours=30)
    assert consensus_due() == [campaign.pk]


def test_a_change_during_a_fit_is_left_for_the_next_one(
    panel: Any, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotation.services import consensus

    consensus_refresh(campaign=campaign)
    fit = consensus._fit

    # A stand-in, because the change has to come at a certain moment.
    def fit_with_change(*args: Any, **options: Any) -> int:
        consensus_outdate(campaign=campaign)
        return fit(*args, **options)

    monkeypatch.setattr(consensus, "_fit", fit_with_change)
    consensus_refresh(campaign=campaign, is_full=True)
    monkeypatch.undo()
    assert consensus_due() == [campaign.pk]
    assert consensus_refresh(campaign=campaign).kind == "refit"
    assert consensus_due() == []


def test_an_empty_campaign_has_no_consensus(campaign: Campaign) -> None:
    assert consensus_due() == []
    assert consensus_refresh(campaign=campaign).kind == ""
    assert consensus_summary(campaign) is None


def test_the_number_of_queries_does_not_grow_with_the_photos(
    panel: Any, campaign: Campaign, make_user: Callable[..., User]
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as first:
        consensus_refresh(campaign=campaign, is_full=True)
    votes(images_make(campaign, 60, prefix="more"), [make_user("more")], 6, "no")
    with CaptureQueriesContext(connection) as second:
        consensus_refresh(campaign=campaign, is_full=True)
    assert len(second) <= len(first) + 2  # the second one also compares itself with the fit before


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_compute_the_same_campaign(panel: Any, campaign: Campaign) -> None:
    from threading import Thread

    kinds: list[str] = []

    def other_worker() -> None:
        try:
            kinds.append(consensus_refresh(campaign=campaign, is_full=True).kind)
        finally:
            connection.close()

    ConsensusState.objects.create(campaign=campaign)
    with transaction.atomic():
        assert computing_lock(campaign)
        worker = Thread(target=other_worker)
        worker.start()
        worker.join()
    assert kinds == [""]
    assert consensus_refresh(campaign=campaign).kind == "full"


def test_the_variance_of_votes_comes_from_a_fresh_fit(panel: Any, campaign: Campaign) -> None:
    from_votes = campaign_vote_variance(campaign)
    consensus_refresh(campaign=campaign)
    ConsensusFit.objects.update(vote_variance=123.0)
    assert campaign_vote_variance(campaign).mean == 123.0
    age(campaign, hours=30)
    assert campaign_vote_variance(campaign) == from_votes


def test_the_summary_counts_newer_votes(panel: Any, campaign: Campaign, people: dict[str, Any]) -> None:
    consensus_refresh(campaign=campaign)
    vote(panel[0][0], people["alice"], 5)
    summary = consensus_summary(campaign)
    assert summary is not None
    assert (summary.newer_votes, summary.fit.votes, summary.fit.annotators) == (1, PHOTOS * 6, 6)


def test_an_excluded_person_leaves_the_next_fit_and_comes_back(panel: Any, campaign: Campaign, people: Any) -> None:
    _, persons = panel
    consensus_refresh(campaign=campaign)
    decision = screening_decide(
        campaign=campaign, annotator=persons[0], decision="exclude", reason="severe", by=people["rita"]
    )
    assert consensus_refresh(campaign=campaign).kind == "refit"
    assert set(stored(campaign, "votes")) == {5}
    screening_undo(decision=decision, by=people["rita"])
    assert consensus_refresh(campaign=campaign).kind == "refit"
    assert set(stored(campaign, "votes")) == {6}
