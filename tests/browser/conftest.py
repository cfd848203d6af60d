"""Fixtures: a real Chromium, and functions that open pages as a user."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from tests.browser.annotating import PATH, begin
from tests.browser.axe import axe_findings
from tests.browser.chromium import WITHOUT_CHROMIUM, chromium_path
from tests.browser.layout import SCREENS, layout_findings
from tests.waiting import SECONDS, wait_for

# The synchronous API of Playwright runs an event loop in this thread, so Django would refuse database queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

#: axe takes most of the time, and its rules depend on little more than narrow or wide. The layout is checked on all.
AXE_SCREENS = ("phone", "desktop")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=SECONDS * 1000)  # a busy machine needs many times as long as an idle one

    path = chromium_path()
    if path is None:
        # `make test` has already tried to install Chromium and prints a warning. The other tests still run.
        pytest.skip(WITHOUT_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def log_in(live_server: Any, client_of: Callable[[str], Any]) -> Callable[..., None]:
    """Return a function that logs a user of `people` in to a browser context. "anonymous" is not logged in."""

    def log_in(context: Any, name: str) -> None:
        if name == "anonymous":
            return
        cookie = client_of(name).cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": live_server.url}])

    return log_in


@pytest.fixture
def open_page(browser: Any, live_server: Any, log_in: Callable[..., None]) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a path of the live server as a user of `people`.

    The options go to the browser context. The test fails if a script raises an error on one of the pages.
    """
    contexts: list[Any] = []
    errors: list[Any] = []

    def open_page(path: str, name: str, **options: Any) -> Any:
        # Playwright does not see the requests that a service worker answers. Its tests allow it.
        usual = {"viewport": {"width": 1280, "height": 900}, "service_workers": "block"}
        context = browser.new_context(**{**usual, **options})
        context.set_default_timeout(SECONDS * 1000)
        context.on("weberror", lambda error: errors.append(error.error))
        contexts.append(context)
        log_in(context, name)
        page = context.new_page()
        page.goto(f"{live_server.url}{path}")
        return page

    yield open_page
    for context in contexts:
        context.set_offline(True)  # a page sends a request when it closes
        context.close()
    _wait_for_requests()
    assert not errors


@pytest.fixture
def annotate(open_page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that opens the annotate page as a user, closes the instructions and waits for a photo."""

    def open_annotate_page(name: str = "alice", **options: Any) -> Any:
        page = open_page(PATH, name, **options)
        begin(page)
        return page

    return open_annotate_page


@pytest.fixture
def look() -> Iterator[Callable[[Any, str], None]]:
    """Return a function that looks at a page on all screens. What it finds is reported together at the end."""
    found: dict[str, list[str]] = {}

    def look(page: Any, name: str) -> None:
        for screen, (width, height) in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            findings = layout_findings(page) + (axe_findings(page) if screen in AXE_SCREENS else [])
            if findings:
                found[f"{name}, {screen}"] = findings
        page.set_viewport_size({"width": 1280, "height": 900})

    yield look
    assert found == {}


def _wait_for_requests() -> None:
    """Wait until the live server is idle. A running request would lock the tables that the next test empties."""
    wait_for(
        lambda: not any("process_request_thread" in thread.name for thread in threading.enumerate()),
        "The live server is still handling a request.",
    )
