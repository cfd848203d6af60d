"""The middle of a scale, and classes before and after balancing."""

import pytest

from annotation.measures.label_analysis import balanced, middle_of, share_in_middle


@pytest.mark.parametrize(("scale", "middle"), [((1, 10), (4.5, 6.5)), ((1, 5), (2.5, 3.5)), ((0, 100), (39.9, 60.1))])
def test_the_middle_is_a_fifth_of_the_scale(scale, middle):
    assert middle_of(*scale) == pytest.approx(middle)


def test_balancing_takes_as_many_of_each_class_as_the_rarest_has():
    rejected, pending, accepted = balanced([("rejected", 10), ("pending", 70), ("accepted", 20)])
    assert [one.share for one in (rejected, pending, accepted)] == [0.1, 0.7, 0.2]
    assert {one.balanced_photos for one in (rejected, pending, accepted)} == {10}
    assert sum(one.balanced_share for one in (rejected, pending, accepted)) == pytest.approx(1)


def test_a_missing_class_cannot_be_balanced():
    assert [(one.balanced_photos, one.balanced_share) for one in balanced([("yes", 0), ("no", 5)])] == [(0, 0)] * 2
    assert [one.share for one in balanced([("yes", 0), ("no", 0)])] == [0, 0]


def test_the_share_in_the_middle_has_an_interval():
    found = share_in_middle(30, 60)
    assert found is not None
    assert found.low < 0.5 < found.high
    assert share_in_middle(0, 0) is None
