"""The page "Try the model" in a browser: choose or drop photos, wait for the results, and read them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import User
from inference.tasks import scoring_job_run
from tests.annotation.bad_files import encoded, scene
from tests.inference.tiny_models import tiny_models_place

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def photos(settings: Any, tmp_path: Path) -> Path:
    tiny_models_place(settings.MODELS_ROOT)
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "beach.jpg").write_bytes(encoded(scene(1, 640, 480)))
    (folder / "letter.jpg").write_text("Dear Sir or Madam")
    return folder


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Page:
    page: Page = open_page("/", "mallory")
    page.locator(".user-menu summary").click()
    page.locator(".user-menu").get_by_role("link", name="Try the model").click()
    return page


def run_worker(page: Page) -> None:
    """Score the photos of the page, as a worker does."""
    page.wait_for_url("**/score/*/")
    expect(page.locator("#scored-photos")).to_contain_text("Waiting for a worker")
    assert scoring_job_run(User.objects.get(username="mallory").pk, page.url.split("/")[-2])


def test_a_photo_gets_scores_and_a_text_file_gets_a_reason(page: Page, photos: Path) -> None:
    page.locator("#photos").set_input_files(sorted(photos.iterdir()))
    run_worker(page)
    scored = page.get_by_role("article").filter(has_text="beach.jpg")
    expect(scored).to_contain_text("quality: mean ± standard deviation")  # without a reload
    expect(scored).to_contain_text("analog clock")
    expect(scored).to_contain_text("compression")
    assert scored.get_by_role("img", name="beach.jpg").evaluate("image => image.naturalWidth") == 480
    expect(scored.locator(".histogram .hit")).to_have_count(10)
    refused = page.get_by_role("article").filter(has_text="letter.jpg")
    expect(refused).to_contain_text("not scored Not a photo")
    assert page.locator(".job").get_attribute("hx-trigger") is None


def test_a_dropped_photo_is_sent(page: Page, photos: Path) -> None:
    dropped = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
            return data;
        }""",
        list((photos / "beach.jpg").read_bytes()),
    )
    page.dispatch_event("#try-model", "drop", {"dataTransfer": dropped})
    run_worker(page)
    expect(page.get_by_role("article")).to_contain_text("dropped.jpg")


def test_too_many_photos_are_refused_before_the_upload(page: Page, tmp_path: Path) -> None:
    for number in range(21):
        (tmp_path / f"{number}.jpg").write_bytes(b"-")
    page.locator("#photos").set_input_files([tmp_path / f"{number}.jpg" for number in range(21)])
    expect(page.get_by_role("alert")).to_contain_text("21 files are more than the 20")
    assert page.url.endswith("/score/")


def test_without_javascript_a_button_sends_the_photos(open_page: Callable[..., Any], photos: Path) -> None:
    page = open_page("/score/", "mallory", java_script_enabled=False)
    page.locator("#photos").set_input_files(photos / "beach.jpg")
    page.get_by_role("button", name="Score photos").click()
    run_worker(page)
    page.reload()
    expect(page.get_by_role("article")).to_contain_text("beach.jpg")


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_the_page_fits_the_width_of_the_screen(
    open_page: Callable[..., Any], photos: Path, size: tuple[int, int]
) -> None:
    page = open_page("/score/", "mallory", viewport={"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.locator("#photos").set_input_files(photos / "beach.jpg")
    run_worker(page)
    expect(page.get_by_role("article")).to_contain_text("beach.jpg")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
