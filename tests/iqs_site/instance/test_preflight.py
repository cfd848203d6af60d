import socket
from collections.abc import Iterator

import psutil
import pytest

from iqs_site.instance.preflight import (
    InstanceError,
    address,
    broker_check,
    database_check,
    environment_value,
    host_names,
    is_loopback,
    port_checked,
    reachable_host,
)


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_error_for_a_port_in_use_is_one_sentence(used_port: int) -> None:
    with pytest.raises(InstanceError, match=rf"^port {used_port} on 127.0.0.1 cannot be used .* set another PORT="):
        port_checked("127.0.0.1", used_port)


def test_a_port_in_use_on_one_address_is_in_use_on_all(used_port: int) -> None:
    with pytest.raises(InstanceError, match="set another PORT="):
        port_checked("0.0.0.0", used_port)


def test_port_zero_gives_a_free_port() -> None:
    assert port_checked("127.0.0.1", 0) > 0


@pytest.mark.parametrize("port", [-1, 65536])
def test_the_error_for_an_invalid_port_is_one_sentence(port: int) -> None:
    with pytest.raises(InstanceError, match=r"^PORT must be between"):
        port_checked("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no host has this name"])
def test_the_error_for_a_host_that_is_not_this_machine_is_one_sentence(host: str) -> None:
    with pytest.raises(InstanceError, match="set another IQS_HOST="):
        port_checked(host, 0)


def test_ipv6_addresses_are_put_in_brackets() -> None:
    assert address("::1", 8000) == "[::1]:8000"
    assert address("127.0.0.1", 8000) == "127.0.0.1:8000"


def test_a_server_on_all_addresses_is_reached_over_loopback() -> None:
    assert reachable_host("0.0.0.0") == "127.0.0.1"
    assert reachable_host("::") == "::1"
    assert reachable_host("192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_a_site_on_loopback_has_only_the_loopback_host_names(host: str) -> None:
    assert is_loopback(host)
    assert host_names(host) == ["127.0.0.1", "localhost", "[::1]"]


def test_a_site_on_all_addresses_has_all_of_them_as_host_names() -> None:
    assert not is_loopback("0.0.0.0")
    names = host_names("0.0.0.0")
    own = {one.address for found in psutil.net_if_addrs().values() for one in found if one.family == socket.AF_INET}
    assert {*own, "localhost", socket.gethostname()} <= set(names)
    assert len(names) == len(set(names))


def test_a_site_on_one_address_has_it_as_a_host_name() -> None:
    assert host_names("192.0.2.1")[-1] == "192.0.2.1"
    assert host_names("2001:db8::1")[-1] == "[2001:db8::1]"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert environment_value("DATABASE_URL") is None
    monkeypatch.setenv("DATABASE_URL", "postgresql:///x")
    assert environment_value("DATABASE_URL") == "postgresql:///x"


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "no address at all"])
def test_the_error_for_a_database_that_does_not_answer_is_one_sentence(url: str) -> None:
    with pytest.raises(InstanceError, match=r"^the database of DATABASE_URL does not answer: .+") as refused:
        database_check(url)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/at-all.sock", "no address at all"])
def test_the_error_for_a_broker_that_does_not_answer_is_one_sentence(url: str) -> None:
    with pytest.raises(InstanceError, match=r"^the broker of REDIS_URL does not answer: .+") as refused:
        broker_check(url)
    assert "\n" not in str(refused.value)
