"""No answer is lost, whatever happens to the session, the server, the clock or the storage; tabs have their own tests.

After each mishap, what the page called saved is in the database, and everything else arrives.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import connection
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Image
from iqs_site.instance.supervisor import programs
from tests.browser.annotating import PATH, begin
from tests.browser.keeping import (
    ANSWERS,
    correct,
    expect_arrived,
    expect_unsent,
    give,
    open_panel,
    origin_of,
    rate_some,
    refuse_answers,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = 86_400_000  # milliseconds


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


# --- People -----------------------------------------------------------------------------------------


def log_in_by_form(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("pass-word-1")
    page.get_by_role("button", name="Log in").click()


def test_who_logs_in_again_finds_the_answers_sent(annotate: Any) -> None:
    page = annotate()
    page.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)
    given = rate_some(page, 2)
    expect(page.get_by_role("alert")).to_contain_text("Log in again: 2 ratings are kept in this browser")
    expect(open_panel(page)).to_contain_text("Log in again; no answer is lost.")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Log in").click()
    log_in_by_form(page, "alice")
    page.wait_for_url(f"**{PATH}")
    expect_arrived(page, given)


def test_somebody_else_on_the_same_browser_sends_only_their_own(annotate: Any, log_in: Any) -> None:
    page = annotate()
    refuse_answers(page.context)
    alices = rate_some(page, 2)
    expect_unsent(page, 2)
    site = origin_of(page)
    page.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)  # else they would leave with the page
    page.goto("about:blank")
    page.context.unroute(ANSWERS)
    log_in(page.context, "bob")
    tab = page.context.new_page()
    tab.goto(f"{site}{PATH}")
    expect(tab.locator("#saved")).to_have_text("Saved")
    bobs = rate_some(tab, 1)
    expect_arrived(tab, bobs, "bob")
    assert not Annotation.objects.filter(annotator__username="alice").exists()
    expect(open_panel(tab)).to_contain_text("2 answers of others who use this browser are waiting")
    log_in(page.context, "alice")
    tab.reload()
    expect_arrived(tab, alices)


# --- Network and server -----------------------------------------------------------------------------


def test_thirty_answers_and_their_corrections_arrive_in_order_when_the_connection_is_back(annotate: Any) -> None:
    page = annotate()
    refuse_answers(page.context)
    given: dict[int, int] = {}
    for number in range(30):
        image_id, score = give(page, 1 + number % 9)
        if number % 3 == 0:
            image_id, score = correct(page, 10 - score)
        given[image_id] = score
    expect_unsent(page, 40)
    page.context.unroute(ANSWERS)
    start = time.monotonic()
    page.locator("#saved").click()
    page.get_by_role("button", name="Send now").click()
    page.keyboard.press("Escape")
    expect_arrived(page, given)
    assert time.monotonic() - start < 10
    for correction in Annotation.objects.exclude(supersedes=None).select_related("supersedes"):
        assert correction.supersedes is not None
        assert correction.supersedes.score == 10 - (correction.score or 0)


def test_without_a_connection_what_was_loaded_can_be_rated(annotate: Any) -> None:
    page = annotate()
    page.wait_for_load_state("networkidle")  # the photos ahead are here
    page.context.set_offline(True)
    given = rate_some(page, 5)
    expect_unsent(page, 5)
    page.context.set_offline(False)
    expect_arrived(page, given)
    given |= rate_some(page, 2)
    expect_arrived(page, given)


@pytest.fixture
def own_server(settings: Any, tmp_path: Path, people: Any) -> Iterator[Callable[[], str]]:
    """Return a function that (re)starts a web server of its own on one port, killed before; it returns its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    at = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{at['USER']}:{at['PASSWORD']}@{quote(str(at['HOST']), safe='')}/{at['NAME']}",
        "IQS_MEDIA": str(settings.MEDIA_ROOT),
        "DJANGO_SETTINGS_MODULE": "iqs_site.settings",
    }
    running: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        running.clear()

    def restart() -> str:
        kill()
        command = programs(host="127.0.0.1", port=port)["web"]
        with (tmp_path / "web.log").open("ab") as log:
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                httpx.get(f"{url}/accounts/login/", timeout=5)
                return url
            time.sleep(0.1)  # polls another process
        raise AssertionError((tmp_path / "web.log").read_text())

    restart.kill = kill  # type: ignore[attr-defined]
    yield restart
    kill()


def test_a_killed_server_loses_nothing(browser: Any, own_server: Any, client_of: Any) -> None:
    url = own_server()
    context = browser.new_context()
    cookie = client_of("alice").cookies[django_settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": url}])
    page = context.new_page()
    page.goto(f"{url}{PATH}")
    begin(page)
    given = rate_some(page, 3)
    expect_arrived(page, given)
    given |= rate_some(page, 1)
    own_server.kill()  # in the middle of the last answer, or right after
    given |= rate_some(page, 3, first=4)
    expect(page.locator("#saved")).to_contain_text("not sent yet")
    own_server()
    expect(page.locator("#saved")).to_have_text("Saved", timeout=30_000)
    expect_arrived(page, given)
    context.close()


# --- Clock ------------------------------------------------------------------------------------------


# Only what a clock says is wrong, not how fast it runs: so neither the timers nor performance.now().
WRONG_CLOCK = """
const Right = Date;
Date = class extends Right {
  constructor(...given) { given.length ? super(...given) : super(Right.now() + SKEW); }
  static now() { return Right.now() + SKEW; }
};
"""


@pytest.mark.parametrize("skew", [-DAY, DAY], ids=["a day behind", "a day ahead"])
def test_a_wrong_clock_changes_nothing(open_page: Any, skew: int) -> None:
    page = open_page("/", "alice")
    page.context.add_init_script(WRONG_CLOCK.replace("SKEW", str(skew)))
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url.rpartition("/leases")[2]))
    page.goto(f"{origin_of(page)}{PATH}")
    begin(page)
    assert abs(page.evaluate("Date.now()") / 1000 + -skew / 1000 - time.time()) < 60
    given = rate_some(page, 6)
    expect_arrived(page, given)
    assert not Annotation.objects.filter(surplus=True).exists()
    assert not {"/renew", "/return"} & set(asked), "nothing looked overdue"


# --- Storage ----------------------------------------------------------------------------------------


FORBIDDEN = "Object.defineProperty(globalThis, 'indexedDB', {get() { throw new DOMException('', 'SecurityError'); }});"


def expect_kept_on_the_page_only(page: Page) -> None:
    refuse_answers(page.context)
    given = rate_some(page, 2)
    expect(page.get_by_role("alert")).to_contain_text("2 ratings are kept on this page only, so leave it open")
    panel = open_panel(page)
    expect(panel).to_contain_text("They are on this page only. Leave it open")
    page.keyboard.press("Escape")
    page.context.unroute(ANSWERS)
    expect_arrived(page, given)


def test_where_storage_is_forbidden_the_page_says_so_and_sends(open_page: Any) -> None:
    page = open_page("/", "alice")
    page.context.add_init_script(FORBIDDEN)
    page.goto(f"{origin_of(page)}{PATH}")
    begin(page)
    expect_kept_on_the_page_only(page)


def test_where_storage_is_full_the_page_says_so_and_sends(annotate: Any) -> None:
    page = annotate()
    # The browser's own answer to a full disk; its quota cannot be lowered for one site from outside.
    page.evaluate(
        "() => { IDBObjectStore.prototype.add = () => { throw new DOMException('', 'QuotaExceededError'); } }"
    )
    expect_kept_on_the_page_only(page)


def test_an_answer_from_before_this_version_is_taken_along(open_page: Any, photos: list[Image], people: Any) -> None:
    page = open_page("/", "alice")
    page.evaluate(
        """([annotator, imageId]) => new Promise((resolve) => {
            const opening = indexedDB.open("iqs-answers", 1);
            opening.onupgradeneeded = () => {
                const store = opening.result.createObjectStore("answers", { keyPath: "order", autoIncrement: true });
                store.createIndex("annotator", "annotator");
                const answer = { image_id: imageId, watch: "no", score: 4, annotator_id: annotator };
                const body = { client_id: crypto.randomUUID(), ...answer };
                store.add({ annotator, url: "/api/campaigns/watches/annotations", body, refused: "" });
            };
            opening.onsuccess = () => { opening.result.close(); resolve(); };
        })""",
        [people["alice"].pk, photos[0].pk],
    )
    page.goto(f"{origin_of(page)}{PATH}")
    begin(page)
    expect_arrived(page, {photos[0].pk: 4})
