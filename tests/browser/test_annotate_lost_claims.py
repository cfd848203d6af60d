"""A page that pauses during a claim, or after a claim without an answer, keeps no photo."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from annotation.models import Assignment, Campaign, Image
from annotation.services.queue import leases_expire
from tests.browser.annotating import expect_no_leases, expect_saved, rate
from tests.browser.page_clock import MINUTE, PageClock, page_wait

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CLAIMS = "**/leases"
AWAY = 11 * MINUTE
RETRY = 11_000  # milliseconds, more than RETRY_LOST of leases.js
LEASE_SECONDS = 3600  # no renewal is due before the person is away: it could claim photos too
CHECK = 1000 * LEASE_SECONDS / 3 / 10 + 1000  # milliseconds, more than the time between two checks of the renewal


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(24)]


@pytest.fixture
def clock(annotate: Callable[..., Page]) -> PageClock:
    """The clock of an annotate page that shows a photo. The clock does not end the requests of the page."""
    Campaign.objects.update(lease_seconds=LEASE_SECONDS)
    page = annotate()
    clock = PageClock(page)
    address = page.url
    page.goto("about:blank")
    expect_no_leases(page)  # the first page has returned its photos
    page.goto(address)
    page.evaluate("AbortSignal.timeout = () => new AbortController().signal")
    expect(page.locator("#photo img")).to_be_visible()
    clock.wait_for_requests()
    return clock


def leased() -> set[int]:
    return set(Assignment.objects.filter(state="leased").values_list("image_id", flat=True))


def held_claim(page: Page) -> tuple[Route, APIResponse]:
    """Rate photos until the page claims more. Return the claim and its answer, which the page waits for."""
    held: list[tuple[Route, APIResponse]] = []
    page.route(CLAIMS, lambda route: held.append((route, route.fetch())), times=1)
    for _ in range(2):
        rate(page, "w", "5")
    page_wait(page, lambda: held, "The page does not claim photos.")
    expect_saved(page)  # after a receipt, the page repeats a claim that failed
    return held[0]


def go_away(page: Page) -> None:
    with page.expect_response("**/leases/return"):
        page.clock.fast_forward(AWAY)
    expect(page.get_by_role("heading", name="Are you still there?")).to_be_visible()


def abort(claim: Route, page: Page) -> None:
    with page.expect_event("requestfailed"):
        claim.abort()


def test_photos_of_a_claim_that_is_answered_after_the_pause_are_returned(clock: PageClock) -> None:
    claim, answer = held_claim(clock.page)
    go_away(clock.page)
    assert leased() == {lease["image_id"] for lease in answer.json()["leases"]}
    claim.fulfill(response=answer)
    expect_no_leases(clock.page)


def test_photos_of_a_claim_whose_answer_was_lost_before_the_pause_are_returned(clock: PageClock) -> None:
    claim, answer = held_claim(clock.page)
    abort(claim, clock.page)
    go_away(clock.page)
    assert leased() == {lease["image_id"] for lease in answer.json()["leases"]}
    clock.advance(RETRY)
    expect_no_leases(clock.page)


def test_photos_of_a_claim_whose_answer_was_lost_during_the_pause_are_returned(clock: PageClock) -> None:
    page = clock.page
    claim, _ = held_claim(page)
    go_away(page)
    page.route(CLAIMS, lambda route: route.abort(), times=1)  # the first attempt to find out about the photos fails too
    abort(claim, page)
    with page.expect_event("requestfailed"):
        clock.advance(RETRY)
    assert leased()
    clock.advance(RETRY)
    expect_no_leases(page)


def test_a_claim_that_fails_after_a_renewal_is_repeated_at_the_next_check(clock: PageClock) -> None:
    page = clock.page
    before = leased()
    Assignment.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    leases_expire()
    assert not leased()
    failed: list[Request] = []
    page.on("requestfailed", lambda request: request.url.endswith("/leases") and failed.append(request))
    page.route(CLAIMS, lambda route: route.abort(), times=2)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page_wait(page, lambda: len(failed) == 2, "The page does not claim the photos again.")
    with page.expect_response("**/leases/renew"):
        clock.advance(CHECK)
    page_wait(page, lambda: leased() >= before, "The photos are not leased again.")
