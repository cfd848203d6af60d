"""A very cheap HTTP client with a logged-in session and one socket, for load tests. Not a benchmark.

The load generator shares two cores with the server that it measures, so it must use little processor time: this
client takes about 0.1 ms per request.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from annotation.models import User

TIMEOUT_SECONDS = 30.0  # a request fails after this time


def session_make(user: "User") -> str:
    """Log the user in without a password and return the session key, the value of the session cookie."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


class HttpClient:
    """One logged-in client with one kept-alive connection. It connects again when the server has closed it."""

    def __init__(self, url: str, session_key: str) -> None:
        """`url`: address of the site, `http://host:port`. `session_key`: see `session_make`."""
        self._host, _, port = url.removeprefix("http://").rpartition(":")
        self._port = int(port)
        from django.conf import settings

        token = secrets.token_hex(16)
        cookies = f"{settings.SESSION_COOKIE_NAME}={session_key}; {settings.CSRF_COOKIE_NAME}={token}"
        self._headers = (
            f"Host: {self._host}:{port}\r\nCookie: {cookies}\r\n"
            f"X-CSRFToken: {token}\r\nContent-Type: application/json\r\n"
        )
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def post(self, path: str, content: Mapping[str, Any]) -> tuple[int, Any]:
        """Return the status and the JSON of the response; None instead of JSON when it has another content type.

        Raises OSError, including TimeoutError, when the response is incomplete; the server may have done the request
        all the same. If the server has closed the kept-alive connection, the request is sent once more.
        """
        return await self._request("POST", path, json.dumps(content).encode())

    async def get(self, path: str) -> tuple[int, Any]:
        """Send a GET request; returns and raises as `post` does."""
        return await self._request("GET", path, b"")

    async def _request(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        message = head.encode() + body
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if self._writer is not None:
                    try:
                        return await self._exchange(message)
                    except (OSError, asyncio.IncompleteReadError) as error:
                        self.close()
                        if isinstance(error, asyncio.IncompleteReadError) and error.partial:
                            raise
                return await self._exchange(message)
        except asyncio.IncompleteReadError as error:
            self.close()
            raise ConnectionResetError("the connection ended within the response") from error
        except BaseException:  # also when cancelled: the next request must not read the rest of this response
            self.close()
            raise

    async def _exchange(self, message: bytes) -> tuple[int, Any]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(message)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        body = await self._reader.readexactly(length)
        if b"connection: close" in head:
            self.close()
        is_json = b"application/json" in head
        return int(head[9:12]), json.loads(body) if is_json else None
