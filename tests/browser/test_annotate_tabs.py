"""No answer is lost, whatever happens to a tab: a second one, closed, gone back from, loaded again, crashed.

After each mishap, what the page called saved is in the database, and everything else arrives.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Error, Page, Route, expect

from annotation.models import Annotation, Assignment, Image
from annotation.services.queue import leases_expire
from tests.browser.keeping import (
    ANSWERS,
    another_tab,
    expect_arrived,
    expect_unsent,
    rate_some,
    refuse_answers,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


def test_two_tabs_show_the_same_and_send_each_answer_once(annotate: Any) -> None:
    first = annotate()
    second = another_tab(first)
    sent: list[str] = []
    first.context.on("request", lambda one: one.url.endswith("/annotations") and sent.append(one.post_data or ""))
    refuse_answers(first.context)
    given = rate_some(first, 2) | rate_some(second, 1, first=7)
    for tab in (first, second):
        expect_unsent(tab, 3)
    first.context.unroute(ANSWERS)
    sent.clear()
    for tab in (first, second):
        expect_arrived(tab, given)
    given |= rate_some(first, 3) | rate_some(second, 3, first=4)
    for tab in (first, second):
        expect_arrived(tab, given)
    ids = [json.loads(body)["client_id"] for body in sent]
    assert sorted(ids) == sorted(set(ids)), "of two tabs one sends"
    assert Annotation.objects.count() == 9


def test_a_tab_closed_while_it_sends_leaves_the_answer_to_the_other_tab(annotate: Any) -> None:
    first = annotate()
    second = another_tab(first)
    first.context.route(ANSWERS, lambda route: None)  # neither answered nor refused
    given = rate_some(first, 2)
    expect(second.locator("#saved")).to_have_text("Saving 2")
    first.close()
    second.context.unroute(ANSWERS)
    expect_arrived(second, given)


def test_the_back_button_brings_back_what_was_not_sent(annotate: Any) -> None:
    page = annotate()
    refuse_answers(page.context)
    given = rate_some(page, 2)
    page.get_by_role("link", name="Back to Watches").click()
    expect(page.get_by_role("heading", name="Watches")).to_be_visible()
    page.go_back()
    expect_unsent(page, 2)
    page.context.unroute(ANSWERS)
    expect_arrived(page, given)


def test_a_reload_while_sending_records_once(annotate: Any) -> None:
    page = annotate()

    def record_but_never_tell(route: Route) -> None:
        route.fetch()

    page.context.route(ANSWERS, record_but_never_tell, times=1)
    given = rate_some(page, 2)
    page.reload()
    expect_arrived(page, given)
    assert Annotation.objects.count() == 2


def crash(page: Page) -> None:
    """Kill the renderer, as when memory runs out: nothing in the page runs any more."""
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
    page.close()


@pytest.mark.parametrize("is_saved", [True, False], ids=["after saved", "before saved"])
def test_a_crash_of_the_page_loses_nothing(annotate: Any, is_saved: bool) -> None:
    page = annotate()
    context = page.context
    if not is_saved:
        refuse_answers(context)
    given = rate_some(page, 3)
    expect(page.locator("#saved")).to_have_text("Saved" if is_saved else "3 not sent yet")
    assert Annotation.objects.count() == (3 if is_saved else 0)
    address = page.url
    crash(page)
    assert Assignment.objects.filter(state="leased").exists(), "a crash gives nothing back"
    until = time.monotonic() + 10
    while Assignment.objects.filter(state="leased").exists():
        assert time.monotonic() < until, "leases of a page that is no more run out"
        Assignment.objects.filter(state="leased").update(expires_at=timezone.now())
        leases_expire()
        time.sleep(0.05)  # the server may still be at work on the last request of the dead page, which holds its rows
    context.unroute_all()
    tab = context.new_page()
    tab.goto(address)
    expect_arrived(tab, given)


# No answer reaches the disk until the test says so: reading on and on keeps its transaction open.
HOLD_LOG = """() => {
  const add = IDBObjectStore.prototype.add;
  window.isHeld = true;
  IDBObjectStore.prototype.add = function (...args) {
    const linger = () => { if (window.isHeld) this.get(0).onsuccess = linger; };
    linger();
    return add.apply(this, args);
  };
}"""


def test_no_answer_is_called_kept_before_it_is_on_the_disk(annotate: Any) -> None:
    page = annotate()
    context, address = page.context, page.url
    refuse_answers(context)
    given = rate_some(page, 1)
    expect_unsent(page, 1)
    page.evaluate(HOLD_LOG)
    given |= rate_some(page, 1, first=5)
    assert page.locator("#saved").text_content() == "1 not sent yet", "the second is on its way to the disk"
    assert "1 rating is kept in this browser" in page.get_by_role("alert").text_content()
    page.evaluate("() => { window.isHeld = false; }")
    expect_unsent(page, 2)
    crash(page)
    context.unroute(ANSWERS)
    tab = context.new_page()
    tab.goto(address)
    expect_arrived(tab, given)


def test_an_answer_on_its_way_to_the_disk_is_sent_as_the_page_closes(annotate: Any) -> None:
    page = annotate()
    page.evaluate(HOLD_LOG)
    given = rate_some(page, 1)
    page.get_by_role("link", name="Back to Watches").click()
    expect(page.get_by_role("heading", name="Watches")).to_be_visible()
    until = time.monotonic() + 10
    while not (standing := {row.image_id: row.score for row in Annotation.objects.all()}):
        assert time.monotonic() < until, "the answer leaves with the page"
        page.wait_for_timeout(20)  # the page works only while Playwright's loop runs
    assert standing == given
