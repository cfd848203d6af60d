"""The network address of a client, also behind proxies."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

_IPV6_PREFIX = 64  # one household or server has a whole network of this size


def client_ip(request: HttpRequest) -> str:
    """Return the client's IP address, or "" when it is unknown.

    `IQS_PROXIES` says how many proxies stand before the site. Each adds the address it sees to `X-Forwarded-For`, so
    the client's address is that many places from the end. What stands before it comes from the client itself, who may
    write anything there. With 0 proxies the header is ignored.
    """
    address = request.META.get("REMOTE_ADDR") or ""
    if settings.IQS_PROXIES:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        if len(forwarded) >= settings.IQS_PROXIES:
            address = forwarded[-settings.IQS_PROXIES].strip() or address
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])  # without the name of a network card
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def client_address(request: HttpRequest) -> str:
    """Return what counts as one address: the client's IP address; for IPv6 its network of 64 bits; "" if unknown."""
    address = client_ip(request)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False)) if ":" in address else address
