"""Simulated annotators: the measures follow known degradations, and the answers vary like those of real panels."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.distortion.degradations import DEGRADATIONS, GRADES, photo_degrade
from iqs_site.demo.panel import TYPICAL_PHOTO, Panel
from iqs_site.demo.photo_measures import MEASURE_NAMES, PhotoMeasures, photo_measure
from iqs_site.demo.scenes import scene_draw

PANEL = Panel()
ALL = PANEL.annotators()


@pytest.fixture(scope="module")
def graded() -> dict[str, list[list[PhotoMeasures]]]:
    """Return {degradation: measures [scene][grade]} of three scenes."""
    photos = [scene_draw(name, np.random.default_rng(4)).resize((720, 540)) for name in ("coffee", "china", "gravel")]
    return {
        degradation: [
            [
                photo_measure(photo_degrade(photo, degradation, grade, np.random.default_rng(1)))
                for grade in range(GRADES)
            ]
            for photo in photos
        ]
        for degradation in DEGRADATIONS
    }


@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_quality_falls_with_the_grade_of_each_degradation(
    degradation: str, graded: dict[str, list[list[PhotoMeasures]]]
):
    for grades in graded[degradation]:
        qualities = [PANEL.quality(measures) for measures in grades]
        ranks = np.argsort(np.argsort(qualities))
        assert np.corrcoef(ranks, range(GRADES))[0, 1] <= -0.69, qualities  # the first grade may improve a dull photo
        assert qualities[0] - qualities[4] > 1.0, qualities


@pytest.mark.parametrize(
    ("degradation", "measure", "rises"),
    [
        ("blur", "sharpness", False),
        ("motion blur", "sharpness", False),
        ("downscaling", "sharpness", False),
        ("noise", "noise", True),
        ("compression", "blockiness", True),
        ("underexposure", "darkness", True),
        ("overexposure", "clipping", True),
    ],
)
def test_each_degradation_changes_its_own_measure(
    degradation: str, measure: str, rises: bool, graded: dict[str, list[list[PhotoMeasures]]]
):
    for grades in graded[degradation]:
        change = getattr(grades[4], measure) - getattr(grades[0], measure)
        assert (change if rises else -change) > 0.1


@pytest.mark.parametrize("size", [(1, 1), (17, 300), (640, 640), (2000, 30)])
def test_measures_of_a_flat_photo_of_any_shape_are_finite(size: tuple[int, int]):
    buffer = io.BytesIO()
    Image.new("L", size, 128).save(buffer, "PNG")

    measures = photo_measure(buffer.getvalue())

    values = [getattr(measures, name) for name in MEASURE_NAMES]
    assert all(0 <= value <= 1 for value in values)
    assert measures.noise == measures.contrast == measures.colourfulness == 0


def test_noise_is_measured_in_grey_levels():
    rng = np.random.default_rng(2)
    pixels = np.clip(128 + 12 * rng.standard_normal((480, 640)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")

    # The measured noise is a little below the true 12, because only the tenth with the least detail is used.
    assert 30 * photo_measure(buffer.getvalue()).noise == pytest.approx(11, abs=1)


def test_colorfulness_of_pure_red_agrees_with_the_paper():
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(buffer, "PNG")

    # The standard deviations are 0. The mean of red−green is 255, of yellow−blue 127.5: 0.3·√(255² + 127.5²) = 85.53
    assert photo_measure(buffer.getvalue()).colourfulness == pytest.approx(0.8553, abs=1e-3)


def _votes(count: int = 10, photos: int = 400) -> np.ndarray:
    """Return scores [photos, annotators] for random measures with the spread of real photos."""
    rng = np.random.default_rng(5)
    spread = {"sharpness": 0.18, "noise": 0.05, "blockiness": 0.1, "contrast": 0.15, "colourfulness": 0.2}
    photo_measures = [
        PhotoMeasures(
            **{
                name: float(np.clip(getattr(TYPICAL_PHOTO, name) + rng.normal(0, spread.get(name, 0.02)), 0, 1))
                for name in MEASURE_NAMES
            }
        )
        for _ in range(photos)
    ]
    annotators = PANEL.annotators(count)
    return np.array(
        [
            [PANEL.answer(a, measures, str(i), watch=True).score for a in annotators]
            for i, measures in enumerate(photo_measures)
        ]
    )


def test_the_panel_disagrees_like_real_panels():
    scores = _votes()
    mean, variance = scores.mean(axis=1), scores.var(axis=1, ddof=1)
    parabola = -(mean**2) + 11 * mean - 10  # SOS² = a·(−x² + 11x − 10) on 1-10, by least squares

    assert 0.18 < (variance * parabola).sum() / (parabola**2).sum() < 0.27


def test_annotators_have_different_and_constant_biases():
    scores = _votes(photos=200)
    deviations = scores.mean(axis=0) - scores.mean()
    biases = [annotator.bias for annotator in PANEL.annotators()]

    assert np.std(deviations) > 0.3
    assert np.corrcoef(deviations, biases)[0, 1] > 0.8


def test_watch_answers_are_mostly_right_sometimes_wrong_and_sometimes_unsure():
    annotators = PANEL.annotators()
    answers = {
        truth: [PANEL.answer(a, TYPICAL_PHOTO, str(i), watch=truth).watch for a in annotators for i in range(200)]
        for truth in (True, False)
    }

    right = (answers[True].count("yes") + answers[False].count("no")) / 4000
    wrong = (answers[True].count("no") + answers[False].count("yes")) / 4000
    assert 0.93 < right < 0.99
    assert 0.002 < wrong < 0.04


def test_annotators_are_unsure_about_a_watch_when_the_truth_is_unknown():
    assert {PANEL.answer(a, TYPICAL_PHOTO, "x", watch=None).watch for a in PANEL.annotators()} == {"unsure"}


def test_answers_depend_only_on_seed_annotator_and_photo():
    first, second = PANEL.annotators(2)

    again = Panel().answer(first, TYPICAL_PHOTO, "photo", watch=True)
    assert PANEL.answer(first, TYPICAL_PHOTO, "photo", watch=True) == again
    scores = [
        [panel.answer(annotator, TYPICAL_PHOTO, str(photo), watch=True).score for photo in range(30)]
        for panel, annotator in ((PANEL, first), (PANEL, second), (Panel(seed=2), first))
    ]
    assert scores[0] != scores[1] != scores[2] != scores[0]


def test_a_second_viewing_has_a_new_error_of_the_same_size():
    first, second = (
        np.array(
            [PANEL.answer(a, TYPICAL_PHOTO, str(n), watch=True, viewing=viewing).score for n in range(40) for a in ALL]
        )
        for viewing in (1, 2)
    )
    assert 0.5 < np.mean(first != second) < 0.95
    assert abs(first.mean() - second.mean()) < 0.4


def test_the_first_annotators_are_the_same_in_every_panel_size():
    assert PANEL.annotators(3) == PANEL.annotators(10)[:3]
    assert [annotator.username for annotator in PANEL.annotators(2)] == ["sim-01", "sim-02"]


@given(values=st.tuples(*[st.floats(0, 1)] * len(MEASURE_NAMES)), lowest=st.integers(0, 5), span=st.integers(1, 100))
@settings(max_examples=60)
def test_scores_stay_on_the_scale(values: tuple[float, ...], lowest: int, span: int):
    answer = PANEL.answer(
        PANEL.annotators(1)[0], PhotoMeasures(*values), "p", watch=False, lowest=lowest, highest=lowest + span
    )

    assert lowest <= answer.score <= lowest + span
    assert answer.milliseconds > 0
