"""An answer that the server or a proxy refuses is sent once, kept, and does not hold up the others."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from annotation.models import Annotation, Image
from tests.browser.keeping import ANSWERS_URL, expect_all_saved, rate_one, rate_photos

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "<!doctype html><html><body>No</body></html>"


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(12)]


def answer_with(status: int, content_type: str, body: str, seen: list[str]) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        seen.append(route.request.post_data or "")
        route.fulfill(status=status, content_type=content_type, body=body)

    return answer


@pytest.mark.parametrize(
    ("status", "content_type", "body", "sentence"),
    [
        (400, "text/html", PAGE, "The server answered with status 400."),
        (404, "text/html", PAGE, "The server answered with status 404."),
        (413, "text/html", PAGE, "The server answered with status 413."),
        (413, "application/json", '{"detail": "Too long."}', "Too long."),
        (415, "application/json", '{"detail": "Not JSON."}', "Not JSON."),
        (422, "application/json", '{"detail": "No such score."}', "No such score."),
    ],
)
def test_a_refused_answer_is_sent_once_and_the_others_follow(
    annotate: Any, status: int, content_type: str, body: str, sentence: str
) -> None:
    page, seen = annotate(), []  # type: ignore[var-annotated]
    page.context.route(ANSWERS_URL, answer_with(status, content_type, body, seen))
    refused_photo, _ = rate_one(page, 3)
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    page.context.unroute(ANSWERS_URL)
    given = rate_photos(page, 3)  # sending one of these would first send the refused one again
    page.get_by_role("button", name="Discard").click()
    expect_all_saved(page, given)
    assert len(seen) == 1
    assert not Annotation.objects.filter(image=refused_photo).exists()


@pytest.mark.parametrize("status", [408, 429, 503, 507])
def test_an_answer_that_can_succeed_later_is_sent_again(annotate: Any, status: int) -> None:
    page, seen = annotate(), []  # type: ignore[var-annotated]
    page.context.route(ANSWERS_URL, answer_with(status, "application/json", '{"detail": "Later."}', seen))
    image_id, score = rate_one(page, 3)
    expect(page.locator("#saved")).to_have_text("1 not sent yet")
    page.context.unroute(ANSWERS_URL)
    expect_all_saved(page, {image_id: score})
    assert seen
