"""A reviewer lets the votes of an annotator count for a part: what follows, what does not, and the undo."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.measures.opinion import mos
from annotation.models import Annotation, AuditRecord, Campaign, ConsensusFit, Image, PhotoConsensus, ScreeningDecision
from annotation.selectors.campaign_quality import agreement_votes, label_counts
from annotation.selectors.methods import methods_figures
from annotation.selectors.opinions import opinion_of
from annotation.selectors.panel import panel_overview
from annotation.selectors.screening import vote_weights
from annotation.selectors.votes import consensus_votes, vote_table
from annotation.services.consensus import consensus_refresh
from annotation.services.screening import ScreeningError, screening_decide, screening_undo
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes
from training.learning.dataset import rated_images
from training.selectors.comparison import compare
from training.selectors.snapshots import holdout_opinions, training_snapshot

PHOTOS = 30


@pytest.fixture
def panel(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> list[Image]:
    """Photos, half of them holdout, that bob and rita rate well and alice at random; labels are those of the scores."""
    images = [*images_make(campaign, PHOTOS // 2), *images_make(campaign, PHOTOS // 2, holdout=True, prefix="held")]
    quality = rng.uniform(2, 9, (PHOTOS, 1))
    scores = np.clip(np.rint(quality + rng.normal(0, 0.7, (PHOTOS, 3))), 1, 10)
    scores[:, 0] = rng.integers(1, 11, PHOTOS)
    votes(images, [people[name] for name in ("alice", "bob", "rita")], scores, np.where(scores > 5, "yes", "no"))
    return images


def decide(campaign: Campaign, people: dict[str, Any], **fields: Any) -> ScreeningDecision:
    return screening_decide(
        campaign=campaign,
        **{
            "annotator": people["alice"],
            "by": people["ada"],
            "reason": "Clicks",
            "decision": "down-weight",
            "weight": 0.25,
            **fields,
        },
    )


def corrected(campaign: Campaign) -> np.ndarray:
    consensus_refresh(campaign=campaign)
    rows = PhotoConsensus.objects.order_by("pk").values_list("corrected_mos", "watch_posterior")
    return np.array(rows, dtype=np.float64)


def test_the_stored_consensus_follows_the_decision_and_returns(
    campaign: Campaign, people: dict[str, Any], panel: list[Image]
) -> None:
    before = corrected(campaign)
    plain = list(PhotoConsensus.objects.order_by("pk").values_list("mos", "low", "high", "votes", "watch_yes"))
    made = decide(campaign, people)
    during = corrected(campaign)
    assert np.abs(during - before).mean(axis=0).min() > 0.01, "corrected MOS and watch probability"
    assert list(PhotoConsensus.objects.order_by("pk").values_list("mos", "low", "high", "votes", "watch_yes")) == plain
    fit = ConsensusFit.objects.first()
    assert fit is not None
    assert 0 < fit.figures["moved_by_weights"] <= fit.figures["moved_by_weights_most"]
    assert screening_undo(decision=made, by=people["ada"])
    np.testing.assert_allclose(corrected(campaign), before, atol=0.01)  # a refit starts from the fit before
    consensus_refresh(campaign=campaign, is_full=True)
    np.testing.assert_allclose(corrected(campaign), before)
    fit = ConsensusFit.objects.first()
    assert fit is not None
    assert "moved_by_weights" not in fit.figures


def test_votes_carry_the_weight_of_the_live_decision(
    campaign: Campaign, people: dict[str, Any], panel: list[Image]
) -> None:
    decide(campaign, people, weight=0.5)
    for table in (vote_table(campaign), consensus_votes(campaign), vote_table(campaign, for_evaluation=True)):
        expected = np.where(table.annotator_ids == people["alice"].pk, 0.5, 1.0)
        assert table.weights.tolist() == expected.tolist()
    decide(campaign, people, decision="keep", weight=None)
    assert (vote_table(campaign).weights == 1).all()
    assert vote_weights(campaign.pk) == {}


def test_a_decision_holds_in_its_campaign_only(campaign: Campaign, people: dict[str, Any], panel: list[Image]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    (elsewhere,) = images_make(other, 1)
    vote(elsewhere, people["alice"], 8)
    decide(campaign, people)
    assert vote_table(other).weights.tolist() == [1.0]


def test_the_training_snapshot_has_the_weights_and_another_fingerprint(
    campaign: Campaign, people: dict[str, Any], panel: list[Image]
) -> None:
    before = training_snapshot(campaign, exposed_answers=False)
    made = decide(campaign, people)
    during = training_snapshot(campaign, exposed_answers=False)
    assert len(during) == len(before) == 3 * PHOTOS // 2
    assert during.fingerprint != before.fingerprint
    rated = rated_images(during, lowest=1, highest=10)
    assert rated.histograms.sum(axis=1).tolist() == [2.25] * (PHOTOS // 2)
    decide(campaign, people, weight=0.5)
    assert training_snapshot(campaign, exposed_answers=False).fingerprint not in (
        before.fingerprint,
        during.fingerprint,
    )
    screening_undo(decision=ScreeningDecision.objects.get(undone_at=None), by=people["ada"])
    assert training_snapshot(campaign, exposed_answers=False).fingerprint == before.fingerprint
    made.refresh_from_db()
    assert made.undone_at is not None


def test_evaluation_and_calibration_use_the_same_weighted_means(
    campaign: Campaign, people: dict[str, Any], panel: list[Image]
) -> None:
    held = [image for image in panel if image.split == "holdout"]
    version = version_make(campaign)
    predictions_make(version, held, [5.0] * len(held))
    before = holdout_opinions(campaign)
    decide(campaign, people)
    opinions, compared = holdout_opinions(campaign), compare(campaign, version)
    scores = dict(Annotation.objects.filter(image=held[0]).values_list("annotator__username", "score"))
    weighted = (0.25 * scores["alice"] + scores["bob"] + scores["rita"]) / 2.25
    assert mos(opinions.histograms, 1)[0] == pytest.approx(weighted) == pytest.approx(compared.mos[0])
    assert compared.vote_counts.tolist() == [3] * len(held)
    assert opinions.quality_ids.tolist() == before.quality_ids.tolist(), "a vote that counts for a part is a vote"
    assert opinions.fingerprint != before.fingerprint


def test_two_votes_that_count_little_still_make_a_photo_rated(campaign: Campaign, people: dict[str, Any]) -> None:
    (image,) = images_make(campaign, 1, holdout=True)
    vote(image, people["alice"], 3)
    vote(image, people["rita"], 5)
    decide(campaign, people)
    decide(campaign, people, annotator=people["rita"])
    assert holdout_opinions(campaign).quality_ids.tolist() == [image.pk]


def test_plain_figures_count_every_vote_fully(campaign: Campaign, people: dict[str, Any], panel: list[Image]) -> None:
    before = opinion_of(panel[0])
    decide(campaign, people)
    assert opinion_of(panel[0]) == before
    assert (agreement_votes(campaign, counted=label_counts(campaign)).table.weights == 1).all()


def test_among_the_others_a_vote_counts_with_its_weight(
    campaign: Campaign, people: dict[str, Any], panel: list[Image]
) -> None:
    def rank() -> float:
        return panel_overview(campaign).figures[people["bob"].pk].rank.value

    before = rank()
    made = decide(campaign, people, weight=0.05)
    assert rank() > before, "the random votes of alice disturb less"
    screening_undo(decision=made, by=people["ada"])
    assert rank() == before


def test_the_audit_has_the_weight(campaign: Campaign, people: dict[str, Any], panel: list[Image]) -> None:
    made = decide(campaign, people, weight=None)
    assert made.weight == 0.5
    screening_undo(decision=made, by=people["ada"])
    undone, decided = AuditRecord.objects.filter(campaign=campaign)[:2]
    assert decided.after == undone.before == {"decision": "down-weight", "weight": 0.5}


@pytest.mark.parametrize("weight", [0.0, 0.04, 0.96, 1.0, -1.0, float("nan"), float("inf")])
def test_other_weights_are_refused(
    campaign: Campaign, people: dict[str, Any], panel: list[Image], weight: float
) -> None:
    with pytest.raises(ScreeningError, match="from 5 % to 95 %"):
        decide(campaign, people, weight=weight)
    assert not ScreeningDecision.objects.exists()


def test_the_methods_report_says_whose_votes_count_for_a_part_and_what_it_changes(
    campaign: Campaign, people: dict[str, Any], panel: list[Image]
) -> None:
    fingerprint = methods_figures(campaign, lane_labels={}).fingerprint
    decide(campaign, people)
    consensus_refresh(campaign=campaign)
    found = methods_figures(campaign, lane_labels={})
    assert (found.weighted_people, found.weighted_votes, found.weights) == (1, PHOTOS, (0.25, 0.25))
    assert found.moved_by_weights is not None
    assert found.fingerprint != fingerprint


class TestPages:
    """Annotator quality and the page of a photo."""

    @pytest.mark.parametrize(
        ("name", "status"), [("anonymous", 302), ("mallory", 404), ("bob", 403), ("rita", 302), ("ada", 302)]
    )
    def test_only_reviewers_and_admins_decide(
        self, client_of: Callable[[str], Any], people: dict[str, Any], panel: list[Image], name: str, status: int
    ) -> None:
        address = f"/campaigns/watches/annotator-quality/{people['alice'].pk}/decide"
        posted = client_of(name).post(address, {"decision": "down-weight", "reason": "clicks", "weight": "30"})
        assert posted.status_code == status
        assert list(ScreeningDecision.objects.values_list("weight", flat=True)) == (
            [0.3] if name in ("rita", "ada") else []
        )

    @pytest.mark.parametrize("weight", ["much", "0", "100", "nan"])
    def test_another_weight_is_refused_with_a_sentence(
        self, client_of: Callable[[str], Any], people: dict[str, Any], panel: list[Image], weight: str
    ) -> None:
        address = f"/campaigns/watches/annotator-quality/{people['alice'].pk}/decide"
        fields = {"decision": "down-weight", "reason": "clicks", "weight": weight}
        page = client_of("rita").post(address, fields, follow=True)
        assert "must be from 5 % to 95 %" in page.content.decode()

    def test_the_pages_mark_the_votes(
        self, client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], panel: list[Image]
    ) -> None:
        rita = client_of("rita")
        photo = f"/campaigns/watches/photos/{panel[0].pk}/"
        assert "25&nbsp;%" not in rita.get(photo).content.decode()
        decide(campaign, people)
        assert rita.get(photo).content.decode().count("25&nbsp;%</td>") == 1
        page = rita.get("/campaigns/watches/annotator-quality/").content.decode()
        assert "each vote counts 25 %" in page
        assert "of what a typical vote says" in page
