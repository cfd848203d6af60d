"""The chance in each MOS: by hand, by who voted, and with weights."""

import numpy as np
import pytest

from annotation.measures.agreement import mos_noise


def test_other_people_on_each_photo_have_the_variance_of_the_votes() -> None:
    # Variances 2 and 8 of two votes, by hand; the MOS has half of each.
    assert mos_noise([1, 1, 2, 2], [1, 2, 3, 4], [4, 6, 3, 7]) == pytest.approx([1.0, 4.0])


def test_a_photo_with_one_vote_has_the_typical_variance() -> None:
    assert mos_noise([1, 1, 2], [1, 2, 3], [4, 6, 3]) == pytest.approx([1.0, 2.0])
    assert mos_noise([1, 2], [1, 2], [4, 6]).tolist() == [0.0, 0.0]
    assert len(mos_noise([], [], [])) == 0


def test_equal_weights_change_nothing_and_a_tiny_one_leaves_one_vote() -> None:
    columns = ([1, 1, 2, 2], [1, 2, 3, 4], [4, 6, 3, 7])
    assert mos_noise(*columns, [0.1] * 4) == pytest.approx(mos_noise(*columns))
    assert mos_noise(*columns, [1, 1e-6, 1, 1e-6]) == pytest.approx([2.0, 8.0], rel=1e-4)


def test_a_severe_annotator_of_all_photos_is_no_chance() -> None:
    """Two people who differ by three points on every photo, and by nothing else."""
    photos = np.arange(30)
    scores = np.stack([photos % 5 + 4, photos % 5 + 1], axis=1).ravel()
    found = mos_noise(np.repeat(photos, 2), np.tile([1, 2], 30), scores)
    assert found == pytest.approx(np.zeros(30), abs=1e-9)


@pytest.mark.parametrize("people", [3, 40])
def test_the_mean_is_that_of_the_chance_in_the_mos(people: int) -> None:
    rng, found, true = np.random.default_rng(people), [], []
    for _ in range(40):
        severity, rest = rng.normal(0, 0.8, people), rng.normal(0, 1.2, (60, 3))
        who = np.array([rng.permutation(people)[:3] for _ in range(60)])
        truth = rng.normal(5, 1, 60)
        votes = truth[:, None] + severity[who] + rest
        found.append(mos_noise(np.repeat(np.arange(60), 3), who.ravel(), votes.ravel()).mean())
        true.append((severity[who] + rest).mean(axis=1).var(ddof=1))
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.06)
