"""The rank of a photo among the predicted ones: exact, or estimated from a sample of many."""

import pytest
from django.db import connection

from annotation.models import Campaign
from inference.gallery import rank
from inference.gallery.rank import Rank, rank_of
from inference.models import Prediction
from tests.opinions_and_predictions import images_make, predictions_make, version_make

LIMITS = (3.0, 6.0)


def test_with_many_predictions_the_rank_is_estimated(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_make(campaign, 1)
    means = [1 + 8 * place / 2999 for place in range(3000)]
    # Neighbours in the table have different scores, as photos of an import do.
    predictions_make(version, images_make(campaign, 3000), [means[(place * 1009) % 3000] for place in range(3000)])
    one = Prediction.objects.with_quality_class().order_by("quality_mean")[2250]
    exact = rank_of(one, LIMITS)
    assert exact is not None
    assert exact.count == 3000
    assert not exact.sampled
    assert exact.lower == pytest.approx(75, abs=0.1)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE inference_prediction")
    monkeypatch.setattr(rank, "EXACT", 1000)
    monkeypatch.setattr(rank, "_SAMPLED", 1500)
    estimate = rank_of(one, LIMITS)
    assert estimate is not None
    assert 0 < estimate.sampled < 3000
    assert estimate.lower == pytest.approx(exact.lower, abs=6)
    assert estimate.same == pytest.approx(exact.same, abs=6)
    assert estimate.count == pytest.approx(3000, rel=0.4)
    # A small table is read whole, so that nothing is estimated.
    monkeypatch.setattr(rank, "_SAMPLED", 10_000)
    assert rank_of(one, LIMITS) == exact


def test_a_single_photo_has_no_rank(campaign: Campaign) -> None:
    predictions_make(version_make(campaign, 1), images_make(campaign, 1), [4.0])
    found: Rank | None = rank_of(Prediction.objects.with_quality_class().get(), LIMITS)
    assert found is None
