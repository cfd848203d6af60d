"""An HTTP client that uses the site as a browser does: with the login form, cookies and CSRF tokens."""

import logging
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

# httpx logs every request as INFO, and there are thousands.
logging.getLogger("httpx").setLevel(logging.WARNING)
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds between two attempts


class SiteError(RuntimeError):
    """The site refused a request or did not answer in time; the message contains its answer."""


class SiteClient:
    """One logged-in user.

    A request is sent again after a lost connection or a server error, so every request must be safe to repeat.
    `retries` counts the repeated requests.
    """

    def __init__(self, url: str, username: str, password: str, *, retry_seconds: float = 90.0) -> None:
        """Log in at `url` (without a trailing slash).

        `retry_seconds`: for how long a failed request is sent again. Raises SiteError when the login fails.
        """
        self.username = username
        self.retries = 0
        self._retry_seconds = retry_seconds
        self._client = httpx.Client(base_url=url, timeout=60.0)
        self.get("/accounts/login/")
        self.post_form("/accounts/login/", {"username": username, "password": password})
        if not self._cookie("sessionid"):
            self.close()
            raise SiteError(f"{username} could not log in at {url}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        """Return the response to a GET request."""
        return self._request("GET", path)

    def get_json(self, path: str) -> dict[str, Any]:
        """Return the API's JSON for a GET request."""
        answer: dict[str, Any] = self._request("GET", path).json()
        return answer

    def post_json(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the API's JSON for a POST request."""
        answer: dict[str, Any] = self._request("POST", path, json=content, headers=self._token()).json()
        return answer

    def post_form(self, path: str, fields: Mapping[str, Any]) -> httpx.Response:
        """Send a form and return the response; redirects are not followed."""
        return self._request("POST", path, data=fields, headers=self._token())

    def put(self, path: str, content: bytes, *, also: Collection[int] = ()) -> httpx.Response:
        """Return the response to a PUT request. The statuses in `also` count as success too."""
        headers = self._token() | {"content-type": "application/octet-stream"}
        return self._request("PUT", path, also, content=content, headers=headers)

    def _token(self) -> dict[str, str]:
        return {"x-csrftoken": self._cookie("csrftoken")}

    def _cookie(self, name: str) -> str:
        """Return a cookie of the site, or "" without it. Its name also has letters that differ between instances."""
        return next((value for found, value in self._client.cookies.items() if found.startswith(name)), "")

    def _request(self, method: str, path: str, also: Collection[int] = (), **arguments: Any) -> httpx.Response:
        wait, until = _FIRST_WAIT, time.monotonic() + self._retry_seconds
        while True:
            try:
                response = self._client.request(method, path, **arguments)
                problem = f"{response.status_code}: {response.text[:200]}"
            except httpx.TransportError as error:
                response, problem = None, repr(error)
            if response is not None and (response.status_code < 400 or response.status_code in also):
                return response
            final = response is not None and response.status_code < 500 and response.status_code != 429
            if final or time.monotonic() + wait > until:
                raise SiteError(f"{method} {path} as {self.username} answered {problem}")
            self.retries += 1
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
