"""The figures of both sections: numbers by hand, hidden shapes such as one photo, storage, and their titles."""

import numpy as np
import pytest

from annotation.measures.figures_text import figures_read, figures_text
from annotation.measures.intervals import Interval
from tests.training.evaluation.calibration.invented import bell, comparison, right_model
from training.evaluation.calibration import titles
from training.evaluation.calibration.quality import QualityFigures, krcc_interval, quality_figures
from training.evaluation.calibration.watch import WatchFigures, watch_figures
from training.evaluation.comparison import Comparison


def quality_of(compared: Comparison) -> QualityFigures:
    found = quality_figures(compared, seed=1)
    assert found is not None
    return found


def watch_of(compared: Comparison, threshold: float = 0.5) -> WatchFigures:
    found = watch_figures(compared, threshold=threshold, seed=1)
    assert found is not None
    return found


@pytest.fixture
def compressed(rng: np.random.Generator) -> Comparison:
    """200 photos with ten votes each; the model's scores are half as far from the middle as people's."""
    truth = rng.uniform(2.5, 8.5, 200)
    scores = np.clip(np.rint(truth[:, np.newaxis] + rng.normal(0, 1, (200, 10))), 1, 10)
    return comparison(scores, bell(5.5 + (truth - 5.5) / 2, np.full(200, 1.5)))


def test_without_photos_there_are_no_figures() -> None:
    nothing = comparison(np.empty((0, 1)), np.empty((0, 10)))
    assert quality_figures(nothing, seed=1) is None
    assert watch_figures(nothing, threshold=0.5, seed=1) is None


def test_one_photo_has_figures_without_intervals_lines_and_bands() -> None:
    compared = comparison([[4, 6]], bell([6.0], [1.0]), watch=0.9, labels=1)
    quality, watch = quality_of(compared), watch_of(compared)
    assert (quality.photos, quality.votes, quality.mae.n) == (1, 2, 1)
    assert quality.mae.value == pytest.approx(1.0, abs=0.01)
    assert np.isnan(quality.mae.low)
    assert (quality.line, quality.running_mos, quality.bands, quality.ends) == (None, None, (), ())
    assert titles.line_title(quality.line, quality.mae, "1 holdout photo").endswith("n = 1 holdout photo")
    assert (watch.photos, watch.watches, watch.reliability, watch.curves.roc) == (1, 1, None, None)
    assert [cell.count for cell in watch.cells] == [0, 0, 1, 0]
    assert titles.threshold_title(watch).startswith("All photos show a watch, so no threshold can be chosen")


def test_errors_of_three_photos_computed_by_hand() -> None:
    sure = np.eye(10)[[2, 4, 8]]  # certain of 3, 5 and 9
    found = quality_of(comparison([[3, 3], [6, 6], [7, 7]], sure))
    assert found.mae.value == pytest.approx(1)
    assert found.krcc.value == pytest.approx(1)
    assert (found.krcc.low, found.krcc.high) == (-1, 1)  # fewer than 20 photos
    assert found.emd.value == pytest.approx((0 + np.sqrt(0.1) + np.sqrt(0.2)) / 3)
    assert found.emd_if_right == 0
    assert found.people_histogram == (0, 0, 2, 0, 0, 2, 2, 0, 0, 0)
    assert found.moments.people_mean == pytest.approx(16 / 3)
    assert found.moments.model_mean == pytest.approx(17 / 3)


def test_the_interval_of_kendalls_correlation_is_that_of_the_bootstrap_and_counts_groups(
    rng: np.random.Generator,
) -> None:
    from scipy import stats

    x = rng.normal(size=300)
    y = x + rng.normal(size=300)
    found = krcc_interval(x, y, np.arange(300))
    assert found.value == pytest.approx(stats.kendalltau(x, y).statistic)
    drawn = [stats.kendalltau(x[rows], y[rows]).statistic for rows in rng.integers(0, 300, (200, 300))]
    assert found.high - found.low == pytest.approx(4 * np.std(drawn), rel=0.5)
    copies = krcc_interval(np.repeat(x[:60], 5), np.repeat(y[:60], 5), np.repeat(np.arange(60), 5))
    assert copies.groups == 60
    assert copies.high - copies.low > 1.5 * (found.high - found.low)


def test_a_compressed_top_of_the_scale_is_seen(compressed: Comparison) -> None:
    found = quality_of(compressed)
    assert found.line is not None
    assert found.line.slope.low > 1.5  # one point more from the model is nearly two from people
    bottom, top = found.ends
    assert (bottom.is_top, top.is_top) == (False, True)
    assert top.difference.n == 20
    assert top.difference.high < -1
    assert bottom.difference.low > 1
    assert -0.3 < top.expected <= 0  # ten votes leave little noise
    assert found.running_by_people is not None
    assert found.running_by_people.mean[0] > 1
    assert found.running_by_people.high[-1] < -1
    assert "model − MOS is −1." in titles.ends_title(found)
    assert "a perfect model would show −0." in titles.ends_title(found)


def test_a_right_model_has_slope_one_and_shows_what_a_perfect_one_would(rng: np.random.Generator) -> None:
    found = quality_of(right_model(2000, rng, votes=3, unsure=0.01, differ=1.5))
    assert found.line is not None
    assert found.line.slope.value == pytest.approx(1, abs=0.05)
    for end in found.ends:
        assert end.difference.value == pytest.approx(end.expected, abs=0.15)
    assert found.emd.value == pytest.approx(found.emd_if_right, abs=0.01)
    assert found.emd.value < found.emd_of_average


def test_bands_divide_the_photos_and_votes(compressed: Comparison) -> None:
    found = quality_of(compressed)
    assert [band.photos for band in found.bands] == [50] * 4
    assert sum(band.votes for band in found.bands) == found.votes == 2000
    assert np.sum([band.people for band in found.bands], axis=0).tolist() == list(found.people_histogram)
    assert all(first.high <= second.low for first, second in zip(found.bands, found.bands[1:], strict=False))
    mean = np.mean([band.difference.value for band in found.bands])
    assert mean == pytest.approx(float((compressed.quality_mean - compressed.mos).mean()))


def test_figures_are_stored_as_text_and_read_again(rng: np.random.Generator) -> None:
    p = rng.beta(1, 3, 3000)
    compared = right_model(3000, rng, watch=p, labels=(rng.random(3000) < p).astype(int))
    quality, watch = quality_of(compared), watch_of(compared)
    text = figures_text(quality)
    assert figures_read(QualityFigures, text) == quality
    assert len(quality.sample) == len(quality.forecasts) == 2000
    assert len(text) < 1_000_000
    stored = figures_text(watch)
    again = figures_read(WatchFigures, stored)
    assert again is not None
    assert figures_text(again) == stored  # NaN is not equal to itself
    assert len(stored) < 200_000


def test_the_same_seed_gives_the_same_figures(compressed: Comparison) -> None:
    assert quality_of(compressed) == quality_of(compressed)


def test_cells_hold_the_photos_behind_each_decision() -> None:
    p = [0.9, 0.6, 0.2, 0.1, 0.7, 0.05, 0.4]
    labels = [1, 1, 1, 1, 0, 0, 0]
    watch = watch_of(comparison([[5, 5]] * 7, bell([5] * 7, [1] * 7), watch=p, labels=labels))
    missed, alarms, found, left = watch.cells
    assert [(cell.people, cell.model, cell.count) for cell in watch.cells] == [
        (True, False, 2),
        (False, True, 1),
        (True, True, 2),
        (False, False, 2),
    ]
    assert [photo.probability for photo in missed.photos] == [0.1, 0.2]  # the surest mistake first
    assert [photo.name for photo in alarms.photos] == ["photo-4.jpg"]
    assert [photo.probability for photo in found.photos] == [0.6, 0.9]  # the least sure first
    assert [photo.probability for photo in left.photos] == [0.4, 0.05]
    assert (missed.share.value, missed.share.n) == (0.5, 4)
    title = titles.confusion_title(watch)
    assert title == "At the threshold 0.5: 2 of 4 watches missed (15–85 %), 1 false alarm in 3 other photos (6–79 %)"


def test_scores_of_the_probabilities_against_saying_the_share(rng: np.random.Generator) -> None:
    labels = (rng.random(400) < 0.25).astype(int)
    useless = watch_of(comparison([[5, 5]] * 400, bell([5] * 400, [1] * 400), watch=labels.mean(), labels=labels))
    assert useless.brier_skill.value == pytest.approx(0)
    assert useless.log_loss.value == pytest.approx(useless.log_loss_of_share)
    assert useless.brier_parts.discrimination == pytest.approx(0, abs=1e-9)
    assert (useless.photos, useless.watches) == (400, int(labels.sum()))


def test_photos_without_a_majority_are_left_out() -> None:
    watch = watch_of(comparison([[5]] * 3, bell([5] * 3, [1] * 3), watch=[0.9, 0.9, 0.1], labels=[1, -1, 0]))
    assert (watch.photos, watch.watches) == (2, 1)


def test_numbers_as_text() -> None:
    assert titles.interval_text(Interval(0.712, 0.62, 0.79, 5)) == "0.71 (0.62–0.79)"
    assert titles.interval_text(Interval(0.1, -0.2, 0.4, 5)) == "0.10 (−0.20 to 0.40)"
    assert titles.interval_text(Interval(0.5, float("nan"), float("nan"), 1)) == "0.50"
    assert titles.interval_text(Interval(*[float("nan")] * 3, 0)) == "–"
    assert titles.signed_text(Interval(-0.4, -0.9, 0.04, 5)) == "−0.4 (−0.9 to 0.0)"
    assert titles.percent_text(Interval(0.83, 0.64, 0.93, 5)) == "83 % (64–93 %)"
    assert [titles.threshold_text(one) for one in (0.0, 0.0123, 0.005, 0.5, 0.987, 1.0)] == [
        "0",
        "0.012",
        "0.005",
        "0.5",
        "0.987",
        "1",
    ]


def test_titles_state_numbers_and_no_verdict(rng: np.random.Generator) -> None:
    p = rng.beta(1, 2, 100)
    compared = right_model(100, rng, watch=p, labels=(rng.random(100) < p).astype(int))
    quality, watch = quality_of(compared), watch_of(compared, 0.3)
    found = [
        titles.line_title(quality.line, quality.mae, "100 photos"),
        titles.residual_title(quality, quality.mae),
        titles.ends_title(quality),
        titles.spread_title(quality),
        titles.pit_title(quality.pit),
        *(titles.coverage_title(one) for one in quality.coverage),
        titles.reliability_title(watch),
        titles.roc_title(watch),
        titles.precision_recall_title(watch),
        titles.threshold_title(watch),
        titles.confusion_title(watch),
    ]
    for title in found:
        assert any(sign.isdigit() for sign in title)
        assert not any(word in title.lower() for word in ("good", "agree", "fits", "about right", "well"))
    assert found[0].startswith("When the model says ")
    assert "n = 300 votes on 100 photos" in found[3]
