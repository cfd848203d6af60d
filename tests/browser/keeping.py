"""Answers on their way from the annotate page to the database, for the tests that lose none of them."""

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from annotation.models import Annotation
from tests.browser.annotating import expect_gone, expect_saved, press, shown

ANSWERS = "**/annotations"


def origin_of(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


def another_tab(page: Page) -> Page:
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#photo img")).to_be_visible()
    return tab


def give(page: Page, score: int) -> tuple[int, int]:
    """Rate the photo on the stage; return its id and the score."""
    expect(page.locator("#photo img")).to_be_visible()
    image_id = shown(page)
    press(page, "w", str(score))
    expect_gone(page, image_id)
    return image_id, score


def correct(page: Page, score: int) -> tuple[int, int]:
    """Go back to the photo before and give it another score; return its id and the score."""
    page.keyboard.press("u")
    expect(page.locator("#previous")).to_contain_text("Earlier answer")
    image_id = shown(page)
    page.keyboard.press(str(score))
    expect(page.locator("#previous")).not_to_contain_text("Earlier answer")
    return image_id, score


def rate_some(page: Page, count: int, *, first: int = 1) -> dict[int, int]:
    """Rate photos and return their scores, each another than the one before."""
    return dict(give(page, first + number % 9) for number in range(count))


def expect_unsent(page: Page, count: int) -> None:
    expect(page.locator("#saved")).to_have_text(f"{count} not sent yet")


def expect_arrived(page: Page, given: dict[int, int], name: str = "alice") -> None:
    """Wait until the page says that all is saved; then all must be in the database, once, as it was given."""
    expect_saved(page)
    standing = Annotation.objects.filter(annotator__username=name, superseded_by=None)
    assert {row.image_id: row.score for row in standing} == given
    assert standing.count() == len(given)


def refuse_answers(context: BrowserContext) -> None:
    context.route(ANSWERS, lambda route: route.abort())


def open_panel(page: Page) -> Any:
    page.locator("#saved").click()
    return page.get_by_role("dialog", name="Are my ratings safe?")
