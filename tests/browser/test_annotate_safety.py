"""No answer is lost when the session ends, the server or the storage fails, or the clock is wrong.

After each failure, the database has every answer that the page showed as saved. The other answers arrive later.
For failures of tabs, see test_annotate_tabs.py.
"""

import os
import signal
import socket
import subprocess
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
    ANSWERS_URL,
    block_answers,
    correct_previous,
    expect_all_saved,
    expect_unsent_count,
    open_panel,
    origin_of,
    rate_one,
    rate_photos,
)
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = 86_400_000  # milliseconds


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


# --- Users ------------------------------------------------------------------------------------------


def log_in_by_form(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill("pass-word-1")
    page.get_by_role("button", name="Log in").click()


def test_answers_are_sent_after_the_user_logs_in_again(annotate: Any) -> None:
    page = annotate()
    page.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)
    given = rate_photos(page, 2)
    expect(page.get_by_role("alert")).to_contain_text("Log in again: 2 ratings are kept in this browser")
    expect(open_panel(page)).to_contain_text("Log in again; no answer is lost.")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Log in").click()
    log_in_by_form(page, "alice")
    page.wait_for_url(f"**{PATH}")
    expect_all_saved(page, given)


def test_another_user_of_the_same_browser_sends_only_their_own_answers(annotate: Any, log_in: Any) -> None:
    page = annotate()
    block_answers(page.context)
    scores_of_alice = rate_photos(page, 2)
    expect_unsent_count(page, 2)
    origin = origin_of(page)
    page.context.clear_cookies(
        name=django_settings.SESSION_COOKIE_NAME
    )  # otherwise the closing page would send the answers
    page.goto("about:blank")
    page.context.unroute(ANSWERS_URL)
    log_in(page.context, "bob")
    tab = page.context.new_page()
    tab.goto(f"{origin}{PATH}")
    expect(tab.locator("#saved")).to_have_text("Saved")
    scores_of_bob = rate_photos(tab, 1)
    expect_all_saved(tab, scores_of_bob, "bob")
    assert not Annotation.objects.filter(annotator__username="alice").exists()
    expect(open_panel(tab)).to_contain_text("2 answers of others who use this browser are waiting")
    log_in(page.context, "alice")
    tab.reload()
    expect_all_saved(tab, scores_of_alice)


# --- Network and server -----------------------------------------------------------------------------


def test_answers_and_corrections_arrive_in_order_when_the_connection_is_back(annotate: Any) -> None:
    page = annotate()
    block_answers(page.context)
    given: dict[int, int] = {}
    for number in range(30):
        image_id, score = rate_one(page, 1 + number % 9)
        if number % 3 == 0:
            image_id, score = correct_previous(page, 10 - score)
        given[image_id] = score
    expect_unsent_count(page, 40)
    sent: list[str] = []
    page.on("requestfinished", lambda request: sent.append(request.url))  # blocked requests fail instead
    page.context.unroute(ANSWERS_URL)
    page.locator("#saved").click()
    page.get_by_role("button", name="Send now").click()
    page.keyboard.press("Escape")
    expect_all_saved(page, given)
    assert sum(url.endswith("/annotations") for url in sent) == 40, "each answer is sent once"
    for correction in Annotation.objects.exclude(supersedes=None).select_related("supersedes"):
        assert correction.supersedes is not None
        assert correction.supersedes.score == 10 - (correction.score or 0)


def test_loaded_photos_can_be_rated_without_a_connection(annotate: Any) -> None:
    page = annotate()
    page.wait_for_load_state("networkidle")  # the next photos are loaded
    page.context.set_offline(True)
    given = rate_photos(page, 5)
    expect_unsent_count(page, 5)
    page.context.set_offline(False)
    expect_all_saved(page, given)
    given |= rate_photos(page, 2)
    expect_all_saved(page, given)


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return bool(httpx.get(f"{url}/accounts/login/", timeout=60))
    return False


@pytest.fixture
def separate_server(settings: Any, tmp_path: Path, people: Any) -> Iterator[Callable[[], str]]:
    """Return a function that starts a separate web server, or restarts it on the same port. It returns the address."""
    with socket.socket() as free_socket:
        free_socket.bind(("127.0.0.1", 0))
        port = free_socket.getsockname()[1]
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}"
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{login}@{quote(str(database['HOST']), safe='')}/{database['NAME']}",
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
        wait_for(lambda: answers(url), f"The web server does not start; see {tmp_path / 'web.log'}.")
        return url

    restart.kill = kill  # type: ignore[attr-defined]
    yield restart
    kill()


def test_no_answer_is_lost_when_the_server_is_killed(browser: Any, separate_server: Any, client_of: Any) -> None:
    url = separate_server()
    context = browser.new_context()
    cookie = client_of("alice").cookies[django_settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": url}])
    page = context.new_page()
    page.goto(f"{url}{PATH}")
    begin(page)
    given = rate_photos(page, 3)
    expect_all_saved(page, given)
    page.wait_for_load_state("networkidle")  # the photos that are rated without a server are loaded
    given |= rate_photos(page, 1)
    separate_server.kill()  # while the last answer is being saved, or right after that
    given |= rate_photos(page, 3, first=4)
    expect(page.locator("#saved")).to_contain_text("not sent yet")
    separate_server()
    expect(page.locator("#saved")).to_have_text("Saved")
    expect_all_saved(page, given)
    context.close()


# --- Clock ------------------------------------------------------------------------------------------


# Only the current time is wrong. Timers and performance.now() are not changed.
WRONG_CLOCK = """
const RightDate = Date;
Date = class extends RightDate {
  constructor(...values) { values.length ? super(...values) : super(RightDate.now() + SKEW); }
  static now() { return RightDate.now() + SKEW; }
};
"""


@pytest.mark.parametrize("skew", [-DAY, DAY], ids=["a day behind", "a day ahead"])
def test_no_answer_is_lost_with_a_wrong_clock(open_page: Any, skew: int) -> None:
    page = open_page("/", "alice")
    page.context.add_init_script(WRONG_CLOCK.replace("SKEW", str(skew)))
    lease_requests: list[str] = []
    page.on("request", lambda one: lease_requests.append(one.url.rpartition("/leases")[2]))
    page.goto(f"{origin_of(page)}{PATH}")
    begin(page)
    wrong_by = page.evaluate("Date.now() - performance.timeOrigin - performance.now()")
    assert round(wrong_by / DAY) == skew / DAY
    given = rate_photos(page, 6)
    expect_all_saved(page, given)
    assert not Annotation.objects.filter(surplus=True).exists()
    assert not {"/renew", "/return"} & set(lease_requests), "no lease may look expired"


# --- Storage ----------------------------------------------------------------------------------------


FORBID_STORAGE = (
    "Object.defineProperty(globalThis, 'indexedDB', {get() { throw new DOMException('', 'SecurityError'); }});"
)


def expect_answers_kept_on_the_page_only(page: Page) -> None:
    block_answers(page.context)
    given = rate_photos(page, 2)
    expect(page.get_by_role("alert")).to_contain_text("2 ratings are kept on this page only, so leave it open")
    panel = open_panel(page)
    expect(panel).to_contain_text("They are on this page only. Leave it open")
    page.keyboard.press("Escape")
    page.context.unroute(ANSWERS_URL)
    expect_all_saved(page, given)


def test_answers_are_sent_with_a_warning_when_storage_is_forbidden(open_page: Any) -> None:
    page = open_page("/", "alice")
    page.context.add_init_script(FORBID_STORAGE)
    page.goto(f"{origin_of(page)}{PATH}")
    begin(page)
    expect_answers_kept_on_the_page_only(page)


def test_answers_are_sent_with_a_warning_when_storage_is_full(annotate: Any) -> None:
    page = annotate()
    # This is the error of the browser when the disk is full. A test cannot lower the quota of one site.
    page.evaluate(
        "() => { IDBObjectStore.prototype.add = () => { throw new DOMException('', 'QuotaExceededError'); } }"
    )
    expect_answers_kept_on_the_page_only(page)


def test_an_answer_stored_by_an_older_version_is_sent(open_page: Any, photos: list[Image], people: Any) -> None:
    page = open_page("/campaigns/watches/", "alice")  # this page does not open the storage of answers
    page.evaluate(
        """([annotator, imageId]) => new Promise((resolve, reject) => {
            const opening = indexedDB.open("iqs-answers", 1);
            opening.onupgradeneeded = () => {
                const store = opening.result.createObjectStore("answers", { keyPath: "order", autoIncrement: true });
                store.createIndex("annotator", "annotator");
                const answer = { image_id: imageId, watch: "no", score: 4, annotator_id: annotator };
                const body = { client_id: crypto.randomUUID(), ...answer };
                store.add({ annotator, url: "/api/campaigns/watches/annotations", body, refused: "" });
            };
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => { opening.result.close(); resolve(); };
        })""",
        [people["alice"].pk, photos[0].pk],
    )
    page.goto(f"{origin_of(page)}{PATH}")
    begin(page)
    expect_all_saved(page, {photos[0].pk: 4})
