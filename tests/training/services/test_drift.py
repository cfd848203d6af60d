"""Drift checks are stored by a worker and shown on the models page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image
from inference.models import Feature, ModelVersion
from training.evaluation import drift as drift_tests
from training.models import DriftCheck, TrainingRun
from training.services.drift import campaigns_to_check, drift_check
from training.tasks import drift_run

PAGE = "/campaigns/watches/models/"


@pytest.fixture(autouse=True)
def _few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer permutations and trials than in use, so that the tests take seconds."""
    monkeypatch.setattr(drift_tests, "_PERMUTATIONS", 199)
    monkeypatch.setattr(drift_tests, "_TRIALS", 5)


@pytest.fixture
def learned(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> Callable[..., ModelVersion]:
    """Return a function: a champion that has learned from 60 older photos, and `new` photos of this week."""

    def make(new: int, *, shift: float = 0.0, score: float = 5.0) -> ModelVersion:
        old = make_rated_images(train=60, holdout=10, votes=1)
        last = Annotation.objects.latest("pk").pk
        Image.objects.update(created_at=timezone.now() - timedelta(days=30))
        fresh = make_rated_images(train=new, votes=0, seed=1)
        Image.objects.filter(pk__in=[image.pk for image in fresh]).update(created_at=timezone.now())
        rng = np.random.default_rng(0)
        predict = {}
        for image in (*old, *fresh):
            is_new = image in fresh
            vector = rng.normal(size=10) + shift * is_new
            Feature.objects.create(
                image=image, backbone="tiny@0", state=Feature.State.DONE, vector=vector.astype("<f2").tobytes()
            )
            predict[image] = (float(np.clip((score if is_new else 5.0) + 0.5 * rng.normal(), 1, 10)), 0.2)
        version = make_version(1, champion=True, predict=predict)
        TrainingRun.objects.create(
            campaign=campaign, trigger="button", state="done", challenger=version, last_annotation_id=last
        )
        return version

    return make


def test_a_shift_of_features_and_scores_is_stored_and_a_reason_to_train(
    campaign: Campaign, learned: Any, client_of: Callable[[str], Any]
) -> None:
    learned(40, shift=1.5, score=7.0)
    assert campaigns_to_check() == [campaign.pk]
    drift_run(campaign.pk)
    check = DriftCheck.objects.get()
    assert check.photos["verdict"] == check.scores["verdict"] == "drift"
    assert (check.photos["old_photos"], check.photos["new_photos"]) == (60, 40)  # no photo of the holdout
    assert [week["n"] for week in check.weeks] == [70, 40]
    html = client_of("rita").get(PAGE).content.decode()
    assert "A reason to train:" in html
    assert "The predicted scores of this week differ" in html
    assert "<svg" in html
    assert campaigns_to_check() == []  # until tomorrow


def test_photos_of_this_week_are_counted_when_nothing_older_was_learned_from(
    campaign: Campaign, learned: Any, client_of: Callable[[str], Any]
) -> None:
    learned(26)
    Image.objects.update(created_at=timezone.now())
    check = drift_check(campaign=campaign)
    assert check is not None
    assert (check.photos["old_photos"], check.photos["new_photos"], check.scores["new_photos"]) == (0, 96, 96)
    text = " ".join(client_of("rita").get("/campaigns/watches/models/").text.split())
    assert "(96 photos of this week in 96 groups, 0 older ones learned from)" in text


def test_few_new_photos_say_nothing(campaign: Campaign, learned: Any, client_of: Callable[[str], Any]) -> None:
    learned(5, shift=5.0)
    check = drift_check(campaign=campaign)
    assert check is not None
    assert check.photos["verdict"] == "cannot tell"
    assert check.photos["p_value"] is None
    html = client_of("rita").get(PAGE).content.decode()
    assert "Cannot tell whether the photos have changed" in html
    assert "A reason to train" not in html


def test_photos_with_a_problem_are_left_out(campaign: Campaign, learned: Any) -> None:
    learned(30)
    bad = list(Image.objects.order_by("-pk")[:4])
    Image.objects.filter(pk__in=[image.pk for image in bad[:2]]).update(problem="Reported as damaged.")
    Image.objects.filter(pk__in=[image.pk for image in bad[2:]]).update(withdrawn_at=timezone.now())
    check = drift_check(campaign=campaign)
    assert check is not None
    assert check.photos["new_photos"] == 26


def test_a_check_replaces_the_one_before(campaign: Campaign, learned: Any) -> None:
    learned(12)
    first, second = drift_check(campaign=campaign), drift_check(campaign=campaign)
    assert first is not None
    assert second is not None
    assert list(DriftCheck.objects.values_list("pk", flat=True)) == [second.pk]
    assert first.photos == second.photos  # the same photos and seed


def test_a_champion_that_has_learned_nothing_is_not_checked(
    campaign: Campaign, make_version: Any, make_rated_images: Any, client_of: Callable[[str], Any]
) -> None:
    make_version(1, champion=True)
    make_rated_images(train=20)
    assert campaigns_to_check() == []
    assert drift_check(campaign=campaign) is None
    assert "New photos" not in client_of("rita").get(PAGE).content.decode()


def test_the_models_page_takes_one_query_for_it(
    campaign: Campaign, learned: Any, client_of: Callable[[str], Any]
) -> None:
    learned(12)
    client = client_of("rita")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    queries()  # the first request fills caches
    before = queries()
    drift_check(campaign=campaign)
    assert queries() == before
