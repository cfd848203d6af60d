"""The client's address comes from a header only when a setting says how many proxies write it."""

from typing import Any

import pytest
from django.test import RequestFactory

from annotation.access.addresses import client_address
from annotation.access.current_request import address_of as address_of_audit


def address_of(remote: str, forwarded: str = "") -> str:
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


def test_the_header_is_ignored_without_proxies() -> None:
    assert address_of("10.0.0.1", "1.2.3.4") == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),  # the client has written the first one
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        (2, "1.2.3.4", "10.0.0.1"),  # a proxy is missing, so nothing in the header can be trusted
        (1, "", "10.0.0.1"),
        (1, "nonsense", ""),
        (1, "6.6.6.6,", "10.0.0.1"),
    ],
)
def test_each_proxy_adds_one_address_at_the_end(settings: Any, proxies: int, forwarded: str, address: str) -> None:
    settings.IQS_PROXIES = proxies
    assert address_of("10.0.0.1", forwarded) == address


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("", ""),  # of a local socket
    ],
)
def test_an_ipv6_network_counts_as_one_address(remote: str, address: str) -> None:
    assert address_of(remote) == address


def test_the_audit_has_the_same_address_without_its_network(settings: Any) -> None:
    settings.IQS_PROXIES = 1
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 2001:db8:1:2:3:4:5:6")
    assert address_of_audit(request) == "2001:db8:1:2:3:4:5:6"
