"""A real Chromium, and pages of people who are logged in."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Playwright's synchronous interface runs an event loop in this thread; Django would refuse to query.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the one that IQS_CHROMIUM names, the system's, or Playwright's own."""
    from playwright.sync_api import sync_playwright

    named = os.environ.get("IQS_CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=named if Path(named).exists() else None, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def log_in(live_server: Any, client_of: Callable[[str], Any]) -> Callable[..., None]:
    """Return a function that logs somebody of `people` in to a browser context."""

    def log_in(context: Any, name: str) -> None:
        cookie = client_of(name).cookies["sessionid"]
        context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])

    return log_in


@pytest.fixture
def open_page(browser: Any, live_server: Any, log_in: Callable[..., None]) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an address of the live server as somebody of `people`.

    A script error on any of the pages fails the test. Options go to the browser context.
    """
    contexts: list[Any] = []
    errors: list[Any] = []
    under_way: set[Any] = set()

    def open_page(path: str, name: str, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(10_000)
        context.on("request", lambda request: under_way.add(request))
        context.on("requestfinished", lambda request: under_way.discard(request))
        context.on("requestfailed", lambda request: under_way.discard(request))
        context.on("weberror", lambda error: errors.append(error.error))
        contexts.append(context)
        log_in(context, name)
        page = context.new_page()
        page.goto(f"{live_server.url}{path}")
        return page

    yield open_page
    # No request may reach the database while it is emptied for the next test.
    for context in contexts:
        for _ in range(100):
            if under_way and context.pages:
                context.pages[0].wait_for_timeout(20)
        context.set_offline(True)
        context.close()
    assert not errors
