"""A caller waits for the broker for a limited time, and not at all when it has just been silent."""

import threading
from collections.abc import Iterator

import pytest

from iqs_site import broker_gate
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
def test_a_slow_error_counts_as_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time-out of a socket is such an error; without this, each page waits for it while the broker hangs."""
    monkeypatch.setattr(broker_gate, "SLOW_SECONDS", -1.0)  # every error is slow
    tested = BrokerGate(pause_seconds=3600)
    with pytest.raises(TimeoutError):
        tested.run(_refuse, seconds=60)
    with pytest.raises(BrokerSilent):
        tested.run(lambda: pytest.fail("Nobody asks in the pause."), seconds=60)


@pytest.mark.timeout(60)
def test_after_the_pause_it_is_asked_again_and_nobody_waits(hang: threading.Event) -> None:
    tested, asked = BrokerGate(pause_seconds=0), []
    with pytest.raises(BrokerSilent):
        tested.run(hang.wait, seconds=0.01)
    with pytest.raises(BrokerSilent):
        tested.run(lambda: (asked.append(1), hang.wait()), seconds=3600)
    wait_for(lambda: asked, "The broker is not asked again.")
    hang.set()
    wait_for(lambda: not tested._is_silent, "The answer does not end the silence.")
    assert tested.run(lambda: "answer", seconds=60) == "answer"


@pytest.mark.timeout(60)
def test_messages_are_sent_in_their_order_while_the_request_goes_on(hang: threading.Event) -> None:
    tested, sent = BrokerGate(), []
    tested.hand_over(hang.wait)
    for number in range(3):
        tested.hand_over(lambda number=number: sent.append(number))
    assert sent == []
    hang.set()
    wait_for(lambda: len(sent) == 3, "The messages are not sent.")
    assert sent == [0, 1, 2]


@pytest.mark.timeout(60)
def test_a_refused_message_does_not_stop_the_next_one() -> None:
    tested, sent = BrokerGate(), []
    tested.hand_over(_refuse)
    tested.hand_over(lambda: sent.append(1))
    wait_for(lambda: sent, "The second message is not sent.")


@pytest.mark.timeout(60)
def test_messages_behind_one_that_fails_slowly_are_dropped(
    hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_gate, "SLOW_SECONDS", -1.0)  # every error is slow
    tested, sent = BrokerGate(), []

    def fail() -> None:
        hang.wait()
        raise TimeoutError

    tested.hand_over(fail)
    tested.hand_over(lambda: sent.append("old"))
    hang.set()
    wait_for(lambda: tested._messages.empty(), "The old message still waits.")
    tested.hand_over(lambda: sent.append("new"))
    wait_for(lambda: sent, "The new message is not sent.")
    assert sent == ["new"]


@pytest.mark.timeout(60)
def test_messages_do_not_pile_up(hang: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_gate, "MOST_WAITING", 3)
    tested = BrokerGate()
    for _ in range(3):
        tested.hand_over(hang.wait)
    with pytest.raises(BrokerSilent):
        [tested.hand_over(hang.wait) for _ in range(2)]  # the thread may have taken one already


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
    hang.set()
    wait_for(lambda: not tested._is_silent, "The answer does not end the silence.")
    tested._request_seconds = 60.0  # the next request of this thread may wait for longer than a thread needs to begin
    tested.request_begin()
    assert tested.run(lambda: 7, seconds=60) == 7
    tested.request_end()
    assert not tested.is_in_request


def test_a_request_waits_less_than_two_seconds() -> None:
    assert REQUEST_SECONDS < 2
    assert not gate.is_in_request
