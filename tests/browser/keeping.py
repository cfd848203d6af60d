"""Actions and expectations for the tests that no answer is lost on the way from the page to the database."""

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from annotation.models import Annotation
from tests.browser.annotating import expect_photo_gone, expect_saved, press, shown_photo

ANSWERS_URL = "**/annotations"


def origin_of(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


def open_second_tab(page: Page) -> Page:
    second_tab = page.context.new_page()
    second_tab.goto(page.url)
    expect(second_tab.locator("#photo img")).to_be_visible()
    return second_tab


def rate_one(page: Page, score: int) -> tuple[int, int]:
    """Rate the photo that the page shows. Return its id and the score."""
    expect(page.locator("#photo img")).to_be_visible()
    image_id = shown_photo(page)
    press(page, "w", str(score))
    expect_photo_gone(page, image_id)
    return image_id, score


def correct_previous(page: Page, score: int) -> tuple[int, int]:
    """Go back to the previous photo and give it another score. Return its id and the score."""
    page.keyboard.press("u")
    expect(page.locator("#previous")).to_contain_text("Earlier answer")
    image_id = shown_photo(page)
    page.keyboard.press(str(score))
    expect(page.locator("#previous")).not_to_contain_text("Earlier answer")
    return image_id, score


def rate_photos(page: Page, count: int, *, first: int = 1) -> dict[int, int]:
    """Rate photos and return {photo id: score}. Each score differs from the one before."""
    return dict(rate_one(page, first + number % 9) for number in range(count))


def expect_unsent_count(page: Page, count: int) -> None:
    expect(page.locator("#saved")).to_have_text(f"{count} not sent yet")


def expect_all_saved(page: Page, given: dict[int, int], name: str = "alice") -> None:
    """Wait until the page shows that all is saved. Then the database must have each of these answers exactly once."""
    expect_saved(page)
    current_answers = Annotation.objects.filter(annotator__username=name, superseded_by=None)
    assert {row.image_id: row.score for row in current_answers} == given
    assert current_answers.count() == len(given)


def block_answers(context: BrowserContext) -> None:
    context.route(ANSWERS_URL, lambda route: route.abort())


def open_panel(page: Page) -> Any:
    page.locator("#saved").click()
    return page.get_by_role("dialog", name="Are my ratings safe?")
