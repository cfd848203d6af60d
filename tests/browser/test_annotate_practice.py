"""The practice round before the first photo that counts, and the examples beside the instructions."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Assignment, Image, Membership
from tests.browser.annotating import DESKTOP, PHONE, begin, expect_saved, press, rate, shown_photo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(4)]


@pytest.fixture
def practice(photos: list[Image], make_image: Callable[..., Any]) -> list[Image]:
    """Return two practice photos, the worse one first. The worse one was imported last."""
    best = make_image(11, role="practice", expected_score=9, expected_watch="yes", guidance="Sharp and well lit.")
    worst = make_image(12, role="practice", expected_score=2, expected_watch="no", guidance="Blurred from shaking.")
    return [worst, best]


def has_practiced(name: str) -> bool:
    return Membership.objects.get(user__username=name).practised_at is not None


def feedback(page: Page) -> Any:
    return page.get_by_role("region", name="Expected answer")


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_practice_comes_first_compares_answers_and_saves_nothing(
    annotate: Any, practice: list[Image], photos: list[Image], options: Any
) -> None:
    page = annotate(**options)
    expect(page.locator("#previous")).to_have_text("Practice 1 of 2 · not saved")
    assert shown_photo(page) == practice[0].pk
    photo = page.locator("#photo").bounding_box()
    press(page, "n", "7")
    expect(feedback(page)).to_contain_text("You said no watch, 7. Expected: no watch, 2.")
    expect(page.locator(".verdict")).to_have_text(["Score missed, 5 points higher", "Watch label right"])
    expect(feedback(page).get_by_role("img", name="Expected 2, you 7, on the scale 1 to 10")).to_be_visible()
    expect(feedback(page)).to_contain_text("Blurred from shaking.")
    expect(page.locator("#announce")).to_contain_text("Expected: no watch, 2.")
    assert page.locator("#photo").bounding_box() == photo, "the photo must not move when the expected answer appears"
    press(page, "w", "3")  # the answer can no longer be changed
    expect(feedback(page)).to_contain_text("You said no watch, 7.")
    page.get_by_role("button", name="Next practice photo").click()
    assert shown_photo(page) == practice[1].pk
    press(page, "w", "9")
    expect(feedback(page)).to_contain_text("As expected.")
    expect(page.get_by_role("button", name="Your result")).to_be_focused()
    assert not has_practiced("alice")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Practice done")).to_be_visible()
    expect(page.locator("#empty-reason")).to_have_text(
        "1 of 2 scores hit. 2 of 2 watch labels right. On average your scores are 2.5 points higher."
    )
    expect(page.locator("#empty-figure").get_by_role("img")).to_have_count(2)
    expect(page.get_by_role("button", name="Start rating")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#note")).to_have_text("Your answers are saved from now on")
    expect(page.locator("#photo img")).to_be_visible()
    assert shown_photo(page) in {image.pk for image in photos}
    first = rate(page, "w", "5")
    expect_saved(page)
    assert has_practiced("alice")
    assert list(Annotation.objects.values_list("image_id", flat=True)) == [first]
    assert not Assignment.objects.filter(image__in=practice).exists()
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.locator("#previous")).not_to_contain_text("Practice")


def test_practice_can_be_left_early_and_starts_again_at_the_next_visit(
    annotate: Any, practice: list[Image], open_page: Any
) -> None:
    page = annotate()
    page.get_by_role("button", name="Leave practice").click()
    expect(page.locator("#previous")).to_contain_text("Answer both questions")
    expect(page.get_by_role("button", name="Skip")).to_be_visible()
    rate(page, "w", "5")
    expect_saved(page)
    assert not has_practiced("alice")
    page.reload()
    expect(page.locator("#previous")).to_contain_text("Answer both questions")
    later = annotate()
    expect(later.locator("#previous")).to_contain_text("Practice 1 of 2")


def test_practice_can_be_repeated_from_the_help_dialog(annotate: Any, practice: list[Image], people: Any) -> None:
    Membership.objects.update(practised_at="2026-01-01T00:00Z")
    page = annotate()
    current_photo = shown_photo(page)
    press(page, "w", "?")
    page.get_by_role("button", name="Practise again").click()
    expect(page.locator("#previous")).to_contain_text("Practice 1 of 2")
    expect(page.locator('[aria-pressed="true"][data-watch]')).to_have_count(0)
    press(page, " ")  # a skipped practice photo shows the expected answer too
    expect(feedback(page)).to_contain_text("Expected: no watch, 2.")
    page.get_by_role("button", name="Leave practice").click()
    expect(page.locator(f'#photo img[src="/photos/{current_photo}/original"]')).to_be_visible()
    expect(page.locator('[data-watch="yes"]')).to_have_attribute("aria-pressed", "true")


def test_undo_and_the_skip_menu_are_off_during_practice(annotate: Any, practice: list[Image]) -> None:
    page = annotate()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(page.get_by_role("button", name="Skip")).to_be_hidden()
    press(page, "u")
    assert shown_photo(page) == practice[0].pk


def test_only_the_score_is_compared_if_no_watch_answer_is_expected(annotate: Any, practice: list[Image]) -> None:
    Image.objects.filter(pk=practice[0].pk).update(expected_watch="")
    page = annotate()
    press(page, "w", "2")
    expect(feedback(page)).to_contain_text("You said watch, 2. As expected.")


def test_practice_photos_that_could_not_be_loaded_can_be_loaded_again(open_page: Any, practice: list[Image]) -> None:
    page = open_page("/health", "alice")
    page.route("**/practice", lambda route: route.fulfill(status=500, body="broken"), times=1)
    page.goto(page.url.replace("/health", "/campaigns/watches/annotate/"))
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="Practice photos could not be loaded")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#photo img")).to_be_visible()
    assert shown_photo(page) == practice[0].pk


def test_examples_are_beside_the_instructions_from_worst_to_best(
    open_page: Any, photos: list[Image], make_image: Callable[..., Any]
) -> None:
    best = make_image(21, role="example", expected_score=9, expected_watch="yes", guidance="Every hair is sharp.")
    worst = make_image(22, role="example", expected_score=1, expected_watch="no", guidance="Only noise.")
    make_image(23, role="example", expected_score=5, problem="damaged")
    page = open_page("/campaigns/watches/annotate/", "alice")
    dialog = page.get_by_role("dialog", name="What to do")
    expect(dialog.get_by_role("figure")).to_have_text(["1 no watch Only noise.", "9 watch Every hair is sharp."])
    sources = [img.get_attribute("src") for img in dialog.get_by_role("figure").locator("img").all()]
    assert sources == [f"/photos/{image.pk}/original" for image in (worst, best)]
    begin(page)
    assert shown_photo(page) in {image.pk for image in photos}


def test_words_at_the_ends_of_the_scale_are_in_sight_on_a_phone(annotate: Any, practice: list[Image]) -> None:
    Image.objects.filter(pk=practice[0].pk).update(expected_score=1)
    page = annotate(**PHONE)
    press(page, "n", "0")
    for words in ("expected 1", "you 10"):
        box = feedback(page).get_by_text(words, exact=True).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
