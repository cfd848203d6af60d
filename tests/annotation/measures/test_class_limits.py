import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.measures.class_limits import class_limits, limit_moved

scales = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda scale: (scale[0], scale[0] + scale[1]))


@pytest.mark.parametrize(
    ("scale", "limits"),
    [
        ((1, 10), (5.0, 6.0)),
        ((1, 5), (2.75, 3.25)),
        ((0, 1), (0.4, 0.6)),
        ((0, 100), (44.95, 55.05)),
        ((1, 100), (45.5, 55.5)),
    ],
)
def test_limits_are_at_the_same_share_of_every_scale(scale: tuple[int, int], limits: tuple[float, float]) -> None:
    assert class_limits(*scale) == limits


@given(scales, scales)
def test_default_limits_stay_default_limits_when_they_move(old: tuple[int, int], new: tuple[int, int]) -> None:
    for before, after in zip(class_limits(*old), class_limits(*new), strict=True):
        assert new[0] <= after <= new[1]
        assert limit_moved(before, old, new) == pytest.approx(after, abs=1e-4)


@given(scales, scales, st.floats(0, 1), st.floats(0, 1))
def test_moved_limits_are_on_the_scale_and_in_order(
    old: tuple[int, int], new: tuple[int, int], one: float, other: float
) -> None:
    low, high = (limit_moved(old[0] + part * (old[1] - old[0]), old, new) for part in sorted((one, other)))
    assert new[0] <= low <= high <= new[1]
