"""Limits in seconds follow the speed of the machine."""

import pytest

from benchmarks._machine import Machine, work_seconds

TABLE = Machine("EPYC", slowness=1.0, has_vnni=True)
SLOW = Machine("EPYC", slowness=2.5, has_vnni=False)
FAST = Machine("EPYC", slowness=0.5, has_vnni=True)


def test_a_limit_grows_with_the_slowness_of_the_machine_and_both_are_shown() -> None:
    usual, slow = (one.seconds_claim("Saving", 60.0, 50.0, "ms", key="save") for one in (TABLE, SLOW))
    assert (usual.ok, slow.ok) == (False, True)
    assert slow.value == pytest.approx(125 / 60)
    assert slow.claim == "Saving: 60 ms"
    assert slow.baseline == "limit: 50 ms × 2.50 for the speed of this machine = 125 ms"
    assert slow.key == "save"


def test_a_required_rate_shrinks_with_the_slowness_of_the_machine() -> None:
    usual, slow = (one.rate_claim("Ratings", 60.0, 100.0, "per second") for one in (TABLE, SLOW))
    assert (usual.ok, slow.ok) == (False, True)
    assert slow.value == pytest.approx(1.5)
    assert slow.baseline == "requirement: 100 per second / 2.50 for the speed of this machine = 40 per second"


def test_a_faster_machine_keeps_the_limit() -> None:
    assert FAST.factor == 1.0
    assert FAST.seconds_claim("Saving", 50.0, 50.0, "ms").value == 1.0


def test_ratios_have_a_smaller_target_without_vnni() -> None:
    assert (TABLE.target(40.0, without_vnni=25.0), SLOW.target(40.0, without_vnni=25.0)) == (40.0, 25.0)


def test_the_work_takes_time() -> None:
    assert work_seconds() > 0
