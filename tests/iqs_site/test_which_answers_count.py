"""Every selector of answers uses the rows that `annotation.answers` defines. The campaign has every kind of answer.

Selectors that use other rows on purpose are at the end, each with its reason.
"""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from annotation.measures.votes import VoteTable
from annotation.models import Annotation, Campaign, Image
from annotation.selectors.activity import members_active
from annotation.selectors.campaign_cards import campaign_cards
from annotation.selectors.opinions import opinion_of, opinions_of
from annotation.selectors.own_history import own_history
from annotation.selectors.own_work import own_comparison, own_days, own_repeats
from annotation.selectors.progress import campaign_participation, own_progress
from annotation.selectors.rater_quality import rater_qualities
from annotation.selectors.repeats import repeat_pairs
from annotation.selectors.votes import own_standing, vote_table
from inference.gallery.places import Place, gallery_photos
from inference.models import Disagreement, ModelVersion
from inference.services.disagreements import disagreements_refresh
from tests.kinds_of_answers import KindsOfAnswers, kinds_make
from tests.opinions_and_predictions import predictions_make, version_make
from training.selectors.anchoring import anchored_answers
from training.selectors.comparison import compare
from training.selectors.runs import training_answers
from training.selectors.snapshots import holdout_opinions, training_snapshot

PREDICTED = 5.0


@pytest.fixture
def kinds(campaign: Campaign, people: dict[str, Any], make_user: Callable[..., Any]) -> KindsOfAnswers:
    return kinds_make(campaign, people, make_user)


@pytest.fixture
def version(kinds: KindsOfAnswers) -> ModelVersion:
    version = version_make(kinds.campaign)
    predictions_make(version, list(kinds.photos.values()), [PREDICTED] * len(kinds.photos))
    return version


def rows_in(table: VoteTable | Any) -> list[tuple[int, int, int]]:
    return sorted(zip(table.image_ids.tolist(), table.annotator_ids.tolist(), table.scores.tolist(), strict=True))


def scores_of(image_ids: Any, histograms: Any) -> dict[int, list[int]]:
    """Return {photo: its scores, lowest first}. The first column of a histogram is the score 1."""
    return {
        int(image): np.repeat(np.arange(1, 11), row.astype(int)).tolist()
        for image, row in zip(image_ids, histograms, strict=True)
    }


def sound_rows(kinds: KindsOfAnswers, labels: set[str]) -> list[tuple[int, int, int]]:
    """Return the rows without the photo with a problem: models neither learn from it nor are measured on it."""
    return [row for row in kinds.expected(labels) if row[0] != kinds.photos["problem"].pk]


class TestVotes:
    """Progress, training and agreement between annotators use all votes."""

    def test_vote_table(self, kinds: KindsOfAnswers) -> None:
        assert rows_in(vote_table(kinds.campaign)) == kinds.expected(kinds.votes)

    def test_training_uses_exposed_votes_only_on_request(self, kinds: KindsOfAnswers) -> None:
        kinds.campaign.images.update(split=Image.Split.TRAIN)
        with_exposed = training_snapshot(kinds.campaign, exposed_answers=True)
        assert rows_in(with_exposed) == sound_rows(kinds, kinds.votes)
        unexposed = training_snapshot(kinds.campaign, exposed_answers=False)
        assert rows_in(unexposed) == sound_rows(kinds, kinds.independent)

    def test_stored_counters(self, kinds: KindsOfAnswers) -> None:
        expected = kinds.of_photos(kinds.votes)
        stored = dict(kinds.campaign.images.values_list("pk", "vote_count"))
        assert stored == {pk: len(expected[pk]) for pk in stored}

    def test_answers_since_the_last_run(self, kinds: KindsOfAnswers) -> None:
        """These are the votes that a run would use. All photos are in the holdout."""
        assert training_answers(kinds.campaign, since=0, exposed_answers=True).holdout == len(kinds.votes)

    def test_number_of_annotators_with_a_vote(self, kinds: KindsOfAnswers, make_user: Callable[..., Any]) -> None:
        skipper = make_user("skipper")
        photo = kinds.photos["ordinary"]
        Annotation.objects.create(
            client_id="00000000-0000-4000-8000-000000000001",
            campaign=kinds.campaign,
            image=photo,
            annotator=skipper,
            skip_reason="I cannot judge this photo",
        )
        assert campaign_participation(kinds.campaign).annotators == 3

    @pytest.mark.parametrize("name", ["alice", "bob"])
    def test_counts_of_own_answers(self, kinds: KindsOfAnswers, client_of: Callable[[str], Any], name: str) -> None:
        person = kinds.people[name]
        votes = sum(annotator == person.pk for _, annotator, _ in kinds.expected(kinds.votes))
        own = own_progress(kinds.campaign, person)
        assert (own.answers, own.answers_last_hour) == (votes, votes)
        assert own.skips == 2 * (name == "alice")
        assert own_standing(kinds.campaign, person).count() == votes + own.skips
        assert len(own_history(kinds.campaign, person, count=100)[0]) == votes + own.skips
        assert sum(day.answers for day in own_days(kinds.campaign, person)) == votes
        assert campaign_cards(person)[0].own_answers == votes
        quality = next(one for one in rater_qualities(kinds.campaign) if one.username == name)
        assert (quality.answers, quality.skips) == (votes, own.skips)
        assert (len(quality.latest.scores), quality.latest.skips) == (votes, own.skips)
        members = client_of("ada").get("/campaigns/watches/members/").context["memberships"]
        assert next(row.answers for row in members if row.user == person) == votes

    def test_own_scores_compared_with_those_of_others(self, kinds: KindsOfAnswers) -> None:
        """Annotators are compared with annotators, so exposure to predictions does not matter."""
        alice = kinds.people["alice"]
        expected = kinds.expected(kinds.votes)
        mine = {image: score for image, annotator, score in expected if annotator == alice.pk}
        others = [score for image, annotator, score in expected if annotator != alice.pk and image in mine]
        comparison = own_comparison(kinds.campaign, alice)
        assert comparison.own_histogram.tolist() == [list(mine.values()).count(score) for score in range(1, 11)]
        assert comparison.others_histogram.tolist() == [others.count(score) for score in range(1, 11)]
        assert comparison.others_votes == len(others)
        for row in own_history(kinds.campaign, alice, count=100)[0]:
            assert row.others_votes == (None if row.skip_reason else 2)  # type: ignore[attr-defined]

    def test_gold_photos(self, kinds: KindsOfAnswers) -> None:
        gold = {one.username: one.gold for one in rater_qualities(kinds.campaign)}
        assert {name: (one.n, one.value) for name, one in gold.items() if one} == {
            "alice": (1, 1.0),
            "bob": (1, 0.0),  # the score is near the expected one, but the watch label is wrong
            "carol": (1, 0.0),
        }


class TestIndependentVotes:
    """Opinions that are shown beside predictions use votes without exposure to a prediction."""

    def test_gallery_and_disagreements(self, kinds: KindsOfAnswers, version: ModelVersion) -> None:
        expected = kinds.of_photos(kinds.independent)
        shown = gallery_photos(version, [Place(image.pk, 0) for image in kinds.photos.values()])
        assert {photo.image.pk: (photo.mos, photo.votes) for photo in shown} == {
            pk: (pytest.approx(fmean(scores)), len(scores)) for pk, scores in expected.items()
        }
        disagreements_refresh(version=version)
        stored = Disagreement.objects.filter(model_version=version).values_list("image_id", "quality")
        assert dict(stored) == {pk: pytest.approx(abs(PREDICTED - fmean(scores))) for pk, scores in expected.items()}

    def test_pages_about_one_photo(
        self, kinds: KindsOfAnswers, version: ModelVersion, client_of: Callable[[str], Any]
    ) -> None:
        expected = kinds.of_photos(kinds.independent)
        rita = client_of("rita")
        for image in kinds.photos.values():
            people = rita.get(f"/campaigns/watches/photos/{image.pk}/").context["people"]
            assert scores_of([image.pk], [np.array(people["histogram"])]) == {image.pk: expected[image.pk]}
            assert (
                people["exposed"]
                == len({row[1] for row in kinds.expected(kinds.votes) if row[0] == image.pk}) - people["votes"]
            )
            one = rita.get(
                f"/campaigns/watches/calibration/?photo={image.pk}",
                headers={"hx-request": "true", "hx-target": "one-photo"},
            ).context["one"]
            assert one["histogram"] == people["histogram"]

    def test_answers_suggested_for_special_photos(self, kinds: KindsOfAnswers) -> None:
        expected = kinds.of_photos(kinds.independent)
        for image in kinds.photos.values():
            opinion = opinion_of(image)
            assert opinion is not None
            assert (opinion.votes, opinion.mean) == (len(expected[image.pk]), pytest.approx(fmean(expected[image.pk])))

    def test_candidates_for_practice(self, kinds: KindsOfAnswers) -> None:
        """Candidates are rated photos without a problem, outside the holdout."""
        Image.objects.update(split="train")
        candidates = {
            image.pk for name, image in kinds.photos.items() if name not in ("practice", "example", "gold", "problem")
        }
        expected = {
            pk: (len(scores), pytest.approx(fmean(scores)))
            for pk, scores in kinds.of_photos(kinds.independent).items()
            if pk in candidates
        }
        found = {one.image_id: (one.votes, one.mean) for one in opinions_of(kinds.campaign, min_votes=1)}
        assert found == expected


class TestVotesForEvaluation:
    """Votes that evaluate a model."""

    def test_vote_table(self, kinds: KindsOfAnswers) -> None:
        expected = sound_rows(kinds, kinds.independent - kinds.taught)
        assert rows_in(vote_table(kinds.campaign, for_evaluation=True)) == expected

    def test_evaluation_and_calibration(self, kinds: KindsOfAnswers, version: ModelVersion) -> None:
        expected = kinds.of_photos(kinds.independent - kinds.taught)
        del expected[kinds.photos["problem"].pk]
        opinions = holdout_opinions(kinds.campaign)
        assert scores_of(opinions.quality_ids, opinions.histograms) == expected
        assert opinions.vote_count == sum(len(scores) for scores in expected.values())
        for split in ("holdout", None):
            compared = compare(kinds.campaign, version, split=split)
            assert scores_of(compared.image_ids, compared.histograms) == expected


class TestRepeats:
    """A pair is the vote of an annotator and their latest answer to the hidden repeat."""

    def test_own_work_and_annotator_quality_use_the_same_pairs(self, kinds: KindsOfAnswers) -> None:
        alice = kinds.people["alice"]
        assert repeat_pairs(kinds.campaign) == {alice.pk: ([5], [6], ["yes"], ["no"])}
        assert repeat_pairs(kinds.campaign, annotator=kinds.people["bob"]) == {}
        quality = {one.username: one.repeats for one in rater_qualities(kinds.campaign)}
        own = own_repeats(kinds.campaign, alice)
        assert own is not None
        assert (own.n, own.drift.value) == (1, 1.0)
        assert quality["alice"] == own
        assert quality["bob"] is own_repeats(kinds.campaign, kinds.people["bob"]) is None

    def test_a_photo_that_was_skipped_once_is_not_a_pair(self, kinds: KindsOfAnswers) -> None:
        row = Annotation.objects.get(image=kinds.photos["repeated"], superseded_by=None, is_repeat=True)
        Annotation.objects.create(
            client_id="00000000-0000-4000-8000-000000000002",
            campaign=kinds.campaign,
            image=row.image,
            annotator=row.annotator,
            skip_reason="I cannot judge this photo",
            supersedes=row,
            is_repeat=True,
        )
        assert repeat_pairs(kinds.campaign) == {}


class TestSelectorsThatDiffer:
    """These selectors use other rows on purpose. So does the export: it has every row (tests/annotation/exchange)."""

    def test_the_pace_of_members_counts_corrections_too(self, kinds: KindsOfAnswers) -> None:
        """Corrections are work too, and the query for the last hour uses the primary key only."""
        pace = {one.membership.user.username: one.answers_last_hour for one in members_active(kinds.campaign)}
        corrected_answers = 8  # earlier answers of the photos with corrections
        assert pace["alice"] == own_progress(kinds.campaign, kinds.people["alice"]).answers + corrected_answers

    def test_the_anchoring_experiment_uses_first_answers(self, kinds: KindsOfAnswers) -> None:
        """Both groups see the prediction before they correct an answer."""
        rows = anchored_answers(kinds.campaign).values_list("pk", flat=True)
        assert {kinds.label_of[pk] for pk in rows} == {"anchored"}
