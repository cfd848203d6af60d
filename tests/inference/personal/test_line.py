"""Personal lines: hand-worked values, the closed form against fits without the photos, and what they learn."""

from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from inference.personal.line import (
    FEWEST_FOR_TASTE,
    Line,
    OwnAnswers,
    Spreads,
    Standardisation,
    lines_fit,
    spreads_fit,
    surprising_distance,
)

SPREADS = Spreads(centre=5.0, noise=2.0, bias=0.25, taste=0.5)


def answers_of(inputs: np.ndarray, crowd: np.ndarray, scores: np.ndarray, **columns: np.ndarray) -> OwnAnswers:
    count = len(scores)
    return OwnAnswers(
        kernel=inputs @ inputs.T,
        crowd=crowd,
        scores=scores,
        groups=columns.get("groups", np.arange(count)),
        is_new=columns.get("is_new", np.ones(count, dtype=bool)),
    )


def person(
    seed: int, *, answers: int = 60, bias: float = 0.0, gain: float = 1.0, taste: float = 0.0
) -> tuple[OwnAnswers, np.ndarray]:
    """Return simulated answers with noise 1, and the inputs of their photos."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(answers, 20)) / np.sqrt(20)
    crowd = rng.normal(5.0, 1.5, answers)
    liked = taste * np.sqrt(20) * inputs[:, 0]
    scores = crowd + bias + (gain - 1) * (crowd - 5) + liked + rng.normal(0, 1, answers)
    return answers_of(inputs, crowd, scores, groups=np.arange(answers) // 2), inputs


def test_a_bias_is_shrunk_by_the_number_of_answers() -> None:
    """Ten answers two points above a crowd at the centre: b = 2·v_b·n/(1 + v_b·n) with v_b = .25 of the noise."""
    one = answers_of(np.zeros((10, 3)), np.full(10, 5.0), np.full(10, 7.0))
    (line,) = lines_fit([one], SPREADS)
    assert line.bias == pytest.approx(2 * 0.25 * 10 / (1 + 0.25 * 10))
    assert line.gain == pytest.approx(0)
    assert line.left_out == pytest.approx(np.full(10, 5 + 2 * 0.25 * 9 / (1 + 0.25 * 9)))


def test_the_line_is_the_ridge_regression_of_scikit_learn() -> None:
    one, inputs = person(1, bias=0.6, gain=1.3, taste=0.8)
    (line,) = lines_fit([one], SPREADS)
    columns = np.column_stack(
        [
            np.full(len(one), np.sqrt(SPREADS.bias)),
            np.sqrt(SPREADS.gain) * (one.crowd - SPREADS.centre),
            np.sqrt(SPREADS.taste) * inputs,
        ]
    )
    ridge = Ridge(alpha=1.0, fit_intercept=False).fit(columns, one.scores - one.crowd)
    ours = line.expected(one.crowd, inputs @ line.weights(inputs), centre=SPREADS.centre)
    assert ours == pytest.approx(one.crowd + ridge.predict(columns), abs=1e-6)


def test_left_out_scores_are_those_of_a_line_without_the_photo_and_its_near_duplicates() -> None:
    one, inputs = person(2, bias=0.6, taste=0.8)
    (line,) = lines_fit([one], SPREADS)
    kept = one.groups != 7
    fewer = OwnAnswers(
        one.kernel[np.ix_(kept, kept)], *(getattr(one, column.name)[kept] for column in fields(OwnAnswers)[1:])
    )
    (without,) = lines_fit([fewer], SPREADS)
    taste = inputs[~kept] @ without.weights(inputs[kept])
    expected = without.expected(one.crowd[~kept], taste, centre=SPREADS.centre)
    assert line.left_out[~kept] == pytest.approx(expected, abs=1e-9)


def test_few_answers_give_no_taste() -> None:
    few, _ = person(3, answers=FEWEST_FOR_TASTE - 1, taste=1.0)
    enough, inputs = person(3, answers=FEWEST_FOR_TASTE, taste=1.0)
    lines = lines_fit([few, enough], SPREADS)
    assert [len(line.duals) for line in lines] == [0, FEWEST_FOR_TASTE]
    assert len(lines[0].weights(np.zeros((FEWEST_FOR_TASTE - 1, 20)))) == 0
    assert np.abs(lines[1].weights(inputs)).max() > 0


def test_the_line_of_somebody_with_a_taste_is_nearer_to_their_answers_than_bias_and_gain() -> None:
    people = [person(seed, answers=120, taste=1.0)[0] for seed in range(8)]
    spreads = spreads_fit(people)
    with_taste = lines_fit(people, spreads)
    without = lines_fit(people, replace(spreads, taste=1e-9))

    def error(lines: list[Line]) -> float:
        return float(
            np.mean([((one.scores - line.left_out) ** 2).mean() for one, line in zip(people, lines, strict=True)])
        )

    assert error(with_taste) < 0.9 * error(without)


def test_people_without_taste_get_a_small_variance_of_taste_and_people_with_bias_a_large_one_of_bias() -> None:
    plain = spreads_fit([person(seed, answers=100)[0] for seed in range(30)])
    biased = spreads_fit([person(seed, answers=100, bias=2.0 * (-1) ** seed, taste=1.5)[0] for seed in range(30)])
    assert plain.taste < 0.1 < biased.taste
    assert plain.bias < 0.1
    assert biased.bias > 0.8
    assert plain.noise == pytest.approx(1.0, abs=0.1)


def test_deviations_are_those_of_photos_that_the_model_has_not_learned_from() -> None:
    """The crowd's scores of known photos are made nearer to the answers, as those of a model that has learned them."""
    people = []
    for seed in range(6):
        one, inputs = person(seed, answers=200)
        is_new = np.arange(200) < 60
        crowd = np.where(is_new, one.crowd, one.crowd + 0.5 * (one.scores - one.crowd))
        people.append(answers_of(inputs, crowd, one.scores, groups=one.groups, is_new=is_new))
    lines = lines_fit(people, spreads_fit(people))
    assert np.mean([line.deviation for line in lines]) == pytest.approx(1.0, abs=0.12)
    errors = [np.sqrt(((one.scores - line.left_out) ** 2).mean()) for one, line in zip(people, lines, strict=True)]
    assert np.mean(errors) < 0.75


def test_about_one_answer_in_a_hundred_is_surprising() -> None:
    people = [person(seed, answers=100, bias=1.0, taste=0.8)[0] for seed in range(12)]
    lines = lines_fit(people, spreads_fit(people))
    distance = surprising_distance(people, lines)
    far = [
        np.abs(one.scores - line.left_out) > distance * line.deviation for one, line in zip(people, lines, strict=True)
    ]
    assert np.mean(far) == pytest.approx(0.01, abs=0.003)
    assert surprising_distance(people[:2], lines[:2]) == pytest.approx(2.58)  # too few for a share of one percent


def test_without_answers_there_is_no_line() -> None:
    assert lines_fit([], SPREADS) == []
    nothing = answers_of(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="no answers"):
        spreads_fit([nothing])
    with pytest.raises(ValueError, match="at least one answer"):
        lines_fit([nothing], SPREADS)


def test_equal_answers_and_equal_photos_do_no_harm() -> None:
    one = answers_of(np.zeros((30, 4)), np.full(30, 5.0), np.full(30, 5.0))
    (line,) = lines_fit([one], spreads_fit([one]))
    assert np.isfinite([line.bias, line.gain, line.deviation]).all()
    assert line.left_out == pytest.approx(np.full(30, 5.0))


def test_inputs_are_standardised_limited_and_of_length_one() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, size=(500, 64)).astype(np.float32)
    standard = Standardisation.of(features)
    assert (standard.inputs(features) ** 2).sum(axis=1).mean() == pytest.approx(1, abs=0.02)
    far = standard.inputs(np.full((1, 64), 1e4, dtype=np.float32))
    assert far == pytest.approx(np.full((1, 64), 1.0))  # 8 deviations, divided by the root of 64
