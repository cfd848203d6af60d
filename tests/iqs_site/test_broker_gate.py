"""A caller waits for the broker for a limited time, and not at all when it has just been silent."""

import threading
from collections.abc import Iterator

import pytest

from iqs_site.broker_gate import REQUEST_SECONDS, BrokerGate, BrokerSilent, gate
from tests.waiting import wait_for


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Return what threads wait for that talk to a silent broker; they end with the test."""
    event = threading.Event()
    yield event
    event.set()


def test_results_and_errors_are_passed_on() -> None:
    assert BrokerGate().run(lambda: 7, seconds=60) == 7
    with pytest.raises(KeyError), pytest.MonkeyPatch.context():
        BrokerGate().run(lambda: {}["missing"], seconds=60)


def test_an_error_of_the_connection_is_no_silence() -> None:
    tested = BrokerGate()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            tested.run(_refuse, seconds=60)


def _refuse() -> None:
    raise TimeoutError


@pytest.mark.timeout(60)
def test_a_silent_broker_is_asked_once_and_then_left_alone(hang: threading.Event) -> None:
    tested, asked = BrokerGate(request_seconds=0.01, pause_seconds=3600), []
    for _ in range(5):
        with pytest.raises(BrokerSilent):
            tested.run(lambda: (asked.append(1), hang.wait()), seconds=0.01)
    wait_for(lambda: asked, "The thread does not begin.")
    assert len(asked) == 1


@pytest.mark.timeout(60)
def test_after_the_pause_it_is_asked_again(hang: threading.Event) -> None:
    tested = BrokerGate(pause_seconds=0)
    with pytest.raises(BrokerSilent):
        tested.run(hang.wait, seconds=0.01)
    assert tested.run(lambda: "answer", seconds=60) == "answer"


@pytest.mark.timeout(60)
def test_threads_that_hang_do_not_pile_up(hang: threading.Event) -> None:
    tested, asked = BrokerGate(pause_seconds=0), []
    for _ in range(20):
        with pytest.raises(BrokerSilent):
            tested.run(lambda: (asked.append(1), hang.wait()), seconds=0.01)
    wait_for(lambda: len(asked) >= 8, "The threads do not begin.")
    assert len(asked) == 8


@pytest.mark.timeout(60)
def test_all_waits_of_a_request_count_together(hang: threading.Event) -> None:
    tested = BrokerGate(request_seconds=0.05, pause_seconds=0)
    tested.request_begin()
    with pytest.raises(BrokerSilent):
        tested.run(hang.wait, seconds=3600)
    with pytest.raises(BrokerSilent):
        tested.run(lambda: pytest.fail("The request has no time left."))
    tested._request_seconds = 60.0  # the next request of this thread may wait for longer than a thread needs to begin
    tested.request_begin()
    assert tested.run(lambda: 7, seconds=60) == 7
    tested.request_end()
    assert not tested.is_in_request


def test_a_request_waits_less_than_two_seconds() -> None:
    assert REQUEST_SECONDS < 2
    assert not gate.is_in_request
