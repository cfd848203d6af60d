"""The upload page: files, a folder, a zip, drag and drop, network errors, and stopping an upload."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, ImportBatch
from annotation.tasks import batch_import
from tests.annotation.bad_files import write_bad, write_photos, write_zip
from tests.conftest import photo_bytes, photo_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATH = "/campaigns/watches/import/"


@pytest.fixture
def page(open_page: Callable[..., Any], campaign: Campaign) -> Page:
    return open_page(PATH, "ada")


def run_import() -> ImportBatch:
    """Run the queued import, as a worker does."""
    batch = ImportBatch.objects.get(state="queued")
    batch_import(batch.pk)
    batch.refresh_from_db()
    return batch


def expect_queued(page: Page) -> None:
    page.wait_for_url("**/imports/*/")
    expect(page.locator("#batch")).to_contain_text("Waiting for a worker")


def test_a_folder_is_imported_and_rejects_are_listed_live(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    write_photos(folder / "beach", range(12))
    write_bad(folder)
    (folder / ".DS_Store").write_bytes(b"-")
    page.locator("#choose-folder").set_input_files(folder)
    expect_queued(page)
    batch = run_import()
    expect(page.locator("#batch")).to_have_attribute("data-state", "done")  # without a reload
    expect(page.get_by_role("row", name="holiday/empty.jpg")).to_contain_text("The file is empty.")
    assert (batch.added, batch.rejected, batch.total) == (12, 10, 22)
    assert Image.objects.filter(name="holiday/beach/photo-003.jpg").exists()
    page.get_by_role("link", name="View photos").click()
    page.wait_for_url("**/photos/")


def test_zip_is_unpacked_by_the_worker(page: Page, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "photos.zip", {f"deep/{n}.jpg": photo_bytes(n) for n in range(5)} | {"../x.jpg": b"x"})
    page.locator("#choose-files").set_input_files(path)
    expect_queued(page)
    assert run_import().added == 5
    expect(page.get_by_role("row", name="../x.jpg")).to_contain_text("points to a folder outside the zip")


def test_dropped_files_are_uploaded(page: Page) -> None:
    dropped = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
            return data;
        }""",
        list(photo_bytes(1)),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    expect_queued(page)
    run_import()
    assert Image.objects.get().name == "dropped.jpg"


def test_a_large_file_is_uploaded_despite_network_errors(page: Page, tmp_path: Path) -> None:
    data = photo_bytes(1, width=1900, height=1900, kind="BMP")  # 10.8 MB: three pieces
    (tmp_path / "large.bmp").write_bytes(data)
    failures = []

    def fail_twice(route: Any) -> None:
        if "offset=4194304" in route.request.url and len(failures) < 2:
            failures.append(route.request.url)
            route.abort() if len(failures) == 1 else route.fulfill(status=502)
        else:
            route.continue_()

    page.route("**/file?*", fail_twice)
    page.locator("#choose-files").set_input_files(tmp_path / "large.bmp")
    page.wait_for_url("**/imports/*/")
    assert len(failures) == 2
    run_import()
    assert photo_path(Image.objects.get()).read_bytes() == data


def test_a_large_file_is_rejected_and_the_rest_is_imported(page: Page, tmp_path: Path, settings: Any) -> None:
    settings.IQS_MAX_FILE_BYTES = 1024 * 1024
    write_photos(tmp_path / "photos", range(2))
    (tmp_path / "photos" / "large.jpg").write_bytes(b"x" * (1024 * 1024 + 1))
    page.locator("#choose-files").set_input_files(sorted((tmp_path / "photos").iterdir()))
    expect_queued(page)
    batch = run_import()
    assert (batch.added, batch.rejected) == (2, 1)
    expect(page.get_by_role("row", name="large.jpg")).to_contain_text("larger than the allowed 1 MB")


def test_stopped_upload_can_still_be_imported(page: Page, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(3))
    unanswered = []
    page.route("**/file?number=2*", lambda route: unanswered.append(route))  # never answered
    page.locator("#choose-files").set_input_files(sorted((tmp_path / "photos").iterdir()))
    expect(page.locator("#files")).to_contain_text("2 of 3 files")
    page.get_by_role("button", name="Stop upload").click()
    page.get_by_role("link", name="Import the uploaded files").click()
    page.get_by_role("button", name="Import the uploaded files").click()
    expect_queued(page)
    assert run_import().added == 2


@pytest.mark.parametrize("failing_request", ["**/imports/start", "**/file?*", "**/finish"])
def test_an_ended_session_is_shown(page: Page, tmp_path: Path, failing_request: str) -> None:
    write_photos(tmp_path / "photos", range(1))

    def log_out_first(route: Any) -> None:
        Session.objects.all().delete()
        route.continue_()

    page.route(failing_request, log_out_first)
    page.locator("#choose-files").set_input_files(tmp_path / "photos" / "photo-000.jpg")
    expect(page.get_by_role("alert")).to_contain_text("log")
    assert not ImportBatch.objects.exclude(state="receiving").exists()


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("path", ["import/", "settings/", "members/", "export/", "models/", "special-photos/"])
def test_pages_fit_the_width_of_the_screen(
    open_page: Callable[..., Any], campaign: Campaign, path: str, size: tuple[int, int]
) -> None:
    page = open_page(f"/campaigns/watches/{path}", "ada", viewport={"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_member_is_removed_only_after_a_second_click(open_page: Callable[..., Any], campaign: Campaign) -> None:
    page = open_page("/campaigns/watches/members/", "ada")
    row = page.get_by_role("row", name="bob")
    expect(row.get_by_role("button", name="Remove from the campaign")).to_be_hidden()
    row.locator("summary").click()
    row.get_by_role("button", name="Remove from the campaign").click()
    expect(page.get_by_role("status")).to_contain_text("bob was removed from the campaign")
    assert not campaign.memberships.filter(user__username="bob").exists()
