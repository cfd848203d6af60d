"""The page of a version, its export, and the comparison of two versions in the browser."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import AuditRecord
from inference.models import ModelVersion
from tests.conftest import photo_bytes, thumbnail_path
from tests.training.conftest import make_rated_images, make_version  # noqa: F401  # fixtures
from training.models import VersionComparison, VersionExport
from training.services.evaluations import evaluation_make
from training.services.version_comparisons import version_comparison_perform

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MODELS = "/campaigns/watches/models/"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
DARK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}
DEVICES = pytest.mark.parametrize("device", [DARK, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def versions(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> list[ModelVersion]:  # noqa: F811  # fixtures
    """Return a champion with random predictions and a challenger with correct ones."""
    images = make_rated_images(train=4, holdout=40, votes=3)
    for image in images:
        thumbnail_path(image).parent.mkdir(parents=True, exist_ok=True)
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    champion = make_version(
        1, champion=True, predict={image: (4.0 + image.pk % 4, 0.2 + 0.1 * (image.pk % 5)) for image in images}
    )
    challenger = make_version(2, predict={image: (image.quality, 0.8 * image.is_watch) for image in images})
    evaluation_make(version=champion)
    evaluation_make(version=challenger, against=champion)
    return [champion, challenger]


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@DEVICES
def test_a_note_is_written_and_an_export_followed_to_its_download(
    open_page: Callable[..., Page], versions: list[ModelVersion], device: dict[str, Any]
) -> None:
    page = open_page(MODELS, "rita", **device)
    page.get_by_role("link", name="Version 2", exact=True).click()
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("Learned from the first week.")
    page.get_by_role("button", name="Save the note").click()
    expect(page.get_by_text("The note was saved.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Learned from the first week.")
    assert AuditRecord.objects.filter(kind="model_note").count() == 1
    page.get_by_role("button", name="Make the export").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    VersionExport.objects.update(progress=0.6, stage="Comparing its scores with those of IQS")
    expect(page.get_by_text("Comparing its scores with those of IQS")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress of the export")).to_have_attribute("value", "60")
    export = VersionExport.objects.get()
    export.path.parent.mkdir(parents=True)
    export.path.write_bytes(b"zip")
    VersionExport.objects.update(made_at=timezone.now(), byte_size=3)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the zip").click()
    assert download.value.suggested_filename == "watches-v2.zip"
    assert no_sideways_scroll(page)


@DEVICES
def test_two_versions_are_compared(
    open_page: Callable[..., Page], versions: list[ModelVersion], device: dict[str, Any]
) -> None:
    page = open_page(MODELS, "rita", **device)
    page.get_by_role("link", name="Compare two versions").click()
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name="Compare version 2 with version 1").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    version_comparison_perform(comparison_id=VersionComparison.objects.get().pk)
    # The page loads itself again when the comparison is finished.
    expect(page.get_by_text("Quality: version 2 is better than version 1.")).to_be_visible()
    expect(page.locator(".chart:has(canvas)")).to_have_count(4)
    expect(page.get_by_role("row").filter(has_text="Quality SRCC")).to_contain_text("better")
    assert no_sideways_scroll(page)
