"""Checks before an instance starts. Each check raises InstanceError with one sentence."""

import errno
import ipaddress
import os
import socket

import psutil

_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # only compared with, not bound
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class InstanceError(RuntimeError):
    """The instance cannot start or continue; the message is one sentence that says why."""


def environment_value(variable: str) -> str | None:
    """Return an environment variable, or None when it is not set or empty."""
    return os.environ.get(variable) or None


def port_checked(host: str, port: int) -> int:
    """Return the port, or a free port for 0. Raises InstanceError when a server cannot listen on it."""
    if not 0 <= port <= 65535:
        raise InstanceError(f"PORT must be between 0 and 65535, not {port}.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except UnicodeError as error:  # an empty or a very long part of a name
        raise InstanceError(f"IQS_HOST={host[:60]!r} is not a host name.") from error
    except OSError as error:
        other = "PORT=…" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "IQS_HOST=…"
        raise InstanceError(f"port {port} on {host} cannot be used ({error.strerror}); set another {other}.") from error


def address(host: str, port: int) -> str:
    """Return `host:port` as in a URL or a bind option."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable_host(host: str) -> str:
    """Return the host at which this machine reaches a server that listens on `host`."""
    return _WILDCARDS.get(host, host)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_names(host: str) -> list[str]:
    """Return the host names and addresses of a site that listens on `host`, for ALLOWED_HOSTS."""
    if is_loopback(host):
        return list(_LOOPBACK)
    if host not in _WILDCARDS:
        return [*_LOOPBACK, f"[{host}]" if ":" in host else host]
    found = {socket.gethostname(), socket.getfqdn()}
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET:
                found.add(one.address)
            elif one.family == socket.AF_INET6 and "%" not in one.address:
                found.add(f"[{one.address}]")
    return [*_LOOPBACK, *sorted(found - set(_LOOPBACK))]


def database_check(url: str) -> None:
    """Raise InstanceError unless the database at `url` accepts a connection."""
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except (psycopg.Error, ValueError) as error:
        raise InstanceError(f"the database of DATABASE_URL does not answer: {_line(error)}") from error


def broker_check(url: str) -> None:
    """Raise InstanceError unless the broker at `url` answers."""
    import redis

    try:
        redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise InstanceError(f"the broker of REDIS_URL does not answer: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
