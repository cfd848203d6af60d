"""No answer is lost with a second tab, or when a tab is closed, left, reloaded, or crashes.

After each failure, the database has every answer that the page showed as saved. The other answers arrive later.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Error, Page, Route, expect

from annotation.models import Annotation, Assignment, Image
from annotation.services.queue import leases_expire
from tests.browser.keeping import (
    ANSWERS_URL,
    block_answers,
    expect_all_saved,
    expect_unsent_count,
    open_second_tab,
    rate_photos,
)
from tests.browser.page_clock import page_wait
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


def test_two_tabs_show_the_same_number_and_send_each_answer_once(annotate: Any) -> None:
    first = annotate()
    second = open_second_tab(first)
    sent: list[str] = []
    first.context.on("request", lambda one: one.url.endswith("/annotations") and sent.append(one.post_data or ""))
    block_answers(first.context)
    given = rate_photos(first, 2) | rate_photos(second, 1, first=7)
    for tab in (first, second):
        expect_unsent_count(tab, 3)
    first.context.unroute(ANSWERS_URL)
    sent.clear()
    for tab in (first, second):
        expect_all_saved(tab, given)
    given |= rate_photos(first, 3) | rate_photos(second, 3, first=4)
    for tab in (first, second):
        expect_all_saved(tab, given)
    ids = [json.loads(body)["client_id"] for body in sent]
    assert sorted(ids) == sorted(set(ids)), "only one of the two tabs may send an answer"
    assert Annotation.objects.count() == 9


def test_the_other_tab_sends_the_answers_of_a_tab_that_closed_while_sending(annotate: Any) -> None:
    first = annotate()
    second = open_second_tab(first)
    first.context.route(ANSWERS_URL, lambda route: None)  # the requests get no response
    given = rate_photos(first, 2)
    expect(second.locator("#saved")).to_have_text("Saving 2")
    first.close()
    second.context.unroute(ANSWERS_URL)
    expect_all_saved(second, given)


def test_unsent_answers_are_there_after_the_back_button(annotate: Any) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 2)
    page.get_by_role("link", name="Back to Watches").click()
    expect(page.get_by_role("heading", name="Watches")).to_be_visible()
    page.go_back()
    expect_unsent_count(page, 2)
    page.context.unroute(ANSWERS_URL)
    expect_all_saved(page, given)


def test_an_answer_is_stored_once_after_a_reload_while_sending(annotate: Any) -> None:
    page = annotate()

    def store_and_never_respond(route: Route) -> None:
        route.fetch()

    page.context.route(ANSWERS_URL, store_and_never_respond, times=1)
    given = rate_photos(page, 2)
    page.reload()
    expect_all_saved(page, given)
    assert Annotation.objects.count() == 2


def crash(page: Page) -> None:
    """Crash the renderer process of the page, as when memory runs out."""
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
    page.close()


@pytest.mark.parametrize("is_saved", [True, False], ids=["after saved", "before saved"])
def test_no_answer_is_lost_when_the_page_crashes(annotate: Any, is_saved: bool) -> None:
    page = annotate()
    context = page.context
    if not is_saved:
        block_answers(context)
    given = rate_photos(page, 3)
    expect(page.locator("#saved")).to_have_text("Saved" if is_saved else "3 not sent yet")
    assert Annotation.objects.count() == (3 if is_saved else 0)
    address = page.url
    crash(page)
    assert Assignment.objects.filter(state="leased").exists(), "a crashed page does not return its leases"

    def expired() -> bool:  # the server may still handle the last request of the crashed page, which locks the rows
        Assignment.objects.filter(state="leased").update(expires_at=timezone.now())
        leases_expire()
        return not Assignment.objects.filter(state="leased").exists()

    wait_for(expired, "The leases of a crashed page must expire.")
    context.unroute_all()
    tab = context.new_page()
    tab.goto(address)
    expect_all_saved(tab, given)


# Delays writes to the disk until the test ends the delay. Repeated reads keep the transaction open.
DELAY_STORAGE = """() => {
  const add = IDBObjectStore.prototype.add;
  window.isDelayed = true;
  IDBObjectStore.prototype.add = function (...args) {
    const readAgain = () => { if (window.isDelayed) this.get(0).onsuccess = readAgain; };
    readAgain();
    return add.apply(this, args);
  };
}"""


def test_an_answer_is_shown_as_kept_only_when_it_is_on_the_disk(annotate: Any) -> None:
    page = annotate()
    context, address = page.context, page.url
    block_answers(context)
    given = rate_photos(page, 1)
    expect_unsent_count(page, 1)
    page.evaluate(DELAY_STORAGE)
    given |= rate_photos(page, 1, first=5)
    assert page.locator("#saved").text_content() == "1 not sent yet", "the second answer is not on the disk yet"
    assert "1 rating is kept in this browser" in page.get_by_role("alert").text_content()
    page.evaluate("() => { window.isDelayed = false; }")
    expect_unsent_count(page, 2)
    crash(page)
    context.unroute(ANSWERS_URL)
    tab = context.new_page()
    tab.goto(address)
    expect_all_saved(tab, given)


def test_an_answer_that_is_not_yet_on_the_disk_is_sent_when_the_page_closes(annotate: Any) -> None:
    page = annotate()
    page.evaluate(DELAY_STORAGE)
    given = rate_photos(page, 1)
    page.get_by_role("link", name="Back to Watches").click()
    expect(page.get_by_role("heading", name="Watches")).to_be_visible()
    scores = page_wait(
        page,
        lambda: {row.image_id: row.score for row in Annotation.objects.all()},
        "The closing page must send the answer.",
    )
    assert scores == given
