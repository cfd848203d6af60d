"""Photos for work without a connection, and the app on the home screen: service worker and offline page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Assignment, Image
from annotation.views import web_app
from tests.browser.annotating import PATH, PHONE, begin, expect_no_leases, expect_saved, shown_photo
from tests.browser.keeping import expect_all_saved, expect_unsent_count, origin_of, rate_photos
from tests.browser.page_clock import MINUTE, PageClock, page_wait

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AWAY = 11 * MINUTE


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


def load_ahead(page: Page, count: int) -> None:
    page.locator("#session").click()
    page.get_by_label("Photos to load ahead").select_option(str(count))
    expect(page.locator("#ahead-state")).to_contain_text(f"{count} of {count} photos on this page are loaded")
    page.keyboard.press("Escape")


def leased() -> int:
    return Assignment.objects.filter(state="leased").count()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_photos_that_were_loaded_ahead_are_rated_without_a_connection(annotate: Any, options: Any) -> None:
    page = annotate(**options)
    load_ahead(page, 25)
    assert leased() == 25
    page.context.set_offline(True)
    given = rate_photos(page, 25)
    expect_unsent_count(page, 25)
    page.context.set_offline(False)
    expect_all_saved(page, given)


def test_the_choice_stays_in_this_browser_and_fewer_photos_go_back(annotate: Any) -> None:
    page = annotate()
    load_ahead(page, 25)
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    page_wait(page, lambda: leased() == 25, "The page does not load as many photos as before the reload.")
    page.locator("#session").click()
    expect(page.get_by_label("Photos to load ahead")).to_have_value("25")
    page.get_by_label("Photos to load ahead").select_option("0")
    page_wait(page, lambda: leased() < 10, "The photos do not return to the queue.")


def test_the_photos_stay_while_the_person_is_away_without_a_connection(annotate: Any) -> None:
    page = annotate()
    clock = PageClock(page)
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    load_ahead(page, 25)
    clock.wait_for_requests()
    photo = shown_photo(page)
    page.context.set_offline(True)
    page.clock.fast_forward(AWAY)
    page.wait_for_timeout(200)  # the page would show its question at once
    expect(page.locator("#empty")).to_be_hidden()
    assert shown_photo(page) == photo
    given = rate_photos(page, 5)
    page.context.set_offline(False)
    expect_all_saved(page, given)
    page.clock.fast_forward(AWAY)
    expect(page.locator("#empty")).to_contain_text("your photos went back to the queue")
    expect_no_leases(page)


# --- The app ----------------------------------------------------------------------------------------

CONTROLLED = "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"
KEPT = """async () => {
  const kept = {};
  for (const name of await caches.keys()) {
    kept[name] = (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname);
  }
  return kept;
}"""


@pytest.fixture
def app(open_page: Any) -> Page:
    """The annotate page with its service worker."""
    page: Page = open_page(PATH, "alice", service_workers="allow")
    begin(page)
    page.wait_for_function(CONTROLLED)
    return page


def test_the_service_worker_keeps_only_the_shell(app: Page) -> None:
    rate_photos(app, 2)
    expect_saved(app)
    app.goto(f"{origin_of(app)}/campaigns/watches/mine/")
    expect(app.get_by_role("heading", name="Your work", exact=True)).to_be_visible()
    kept = app.evaluate(KEPT)
    shell = ["/offline/", *(f"/static/{name}" for name in web_app.SHELL)]
    assert {name: sorted(paths) for name, paths in kept.items()} == {
        f"iqs-shell-{web_app.shell_version()}": sorted(shell)
    }
    page = app.evaluate("caches.match('/offline/').then((response) => response.text())")
    assert "alice" not in page
    assert "csrf" not in page.lower()


def test_without_a_connection_the_app_shows_the_waiting_answers_and_then_goes_on(app: Page) -> None:
    app.context.set_offline(True)
    given = rate_photos(app, 2)
    expect_unsent_count(app, 2)
    app.reload()
    expect(app.get_by_role("heading", name="No connection")).to_be_visible()
    expect(app.get_by_role("status")).to_contain_text("2 answers wait in this browser.")
    assert app.evaluate("getComputedStyle(document.body).fontFamily.length > 0 && document.styleSheets.length") == 2
    app.context.set_offline(False)
    expect(app.locator("#photo img")).to_be_visible()  # it reloads by itself
    expect_all_saved(app, given)


def test_a_new_version_of_the_site_replaces_the_kept_files(app: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_app, "shell_version", lambda: "next")
    app.evaluate("navigator.serviceWorker.getRegistration().then((registration) => registration.update())")
    app.wait_for_function("caches.keys().then((names) => names.length === 1 && names[0] === 'iqs-shell-next')")


def test_after_logging_out_nothing_of_the_person_is_shown_offline(app: Page) -> None:
    app.goto(f"{origin_of(app)}/account/")
    app.get_by_role("button", name="Log out here").click()
    app.wait_for_url("**/accounts/login/**")
    app.context.set_offline(True)
    app.goto(f"{origin_of(app)}{PATH}")
    expect(app.get_by_role("heading", name="No connection")).to_be_visible()
    assert "alice" not in app.content()
