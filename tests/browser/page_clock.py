"""Waiting on a page, and a clock of the page that the test sets."""

from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page, Request

from tests.waiting import wait_for

MINUTE = 60_000  # milliseconds

T = TypeVar("T")


def page_wait(page: Page, condition: Callable[[], T], what: str) -> T:
    """Call `condition` until it returns something true, and return that. Raises AssertionError with `what`.

    Playwright handles the requests of the page meanwhile. It does so only while it waits.
    """
    return wait_for(condition, what, pause=lambda seconds: page.wait_for_timeout(seconds * 1000))  # between two looks


class PageClock:
    """The clock of a page, from its next load on.

    The clock advances only while no request is running, because a running request would time out.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self._running: set[Request] = set()
        page.on("request", self._begin)
        page.on("requestfinished", lambda request: self._running.discard(request))
        page.on("requestfailed", lambda request: self._running.discard(request))
        page.on("framenavigated", lambda _frame: self._running.clear())
        page.clock.install()

    def _begin(self, request: Request) -> None:
        # A page that closes sends this request, and does not report its end.
        if not request.url.endswith("/leases/return"):
            self._running.add(request)

    def wait_for_requests(self) -> None:
        page_wait(self.page, lambda: not self._running, "The page's requests do not end.")

    def advance(self, milliseconds: float) -> None:
        self.wait_for_requests()
        self.page.clock.fast_forward(int(milliseconds))
