"""An admin's way from nothing to the first rating, and the other things that admins do on their pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Image, ImportBatch, PhotoChange, VoteImport
from annotation.tasks import batch_import, photos_change, votes_import
from tests.annotation.bad_files import write_photos
from tests.browser.annotating import DESKTOP, PHONE, begin, expect_saved, rate
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
MOST_CLICKS = 12
COUNT_CLICKS = """addEventListener("pointerdown", (event) => {
  if (event.isTrusted) sessionStorage.setItem("clicks", 1 + Number(sessionStorage.getItem("clicks") ?? 0));
}, true);"""


@pytest.fixture
def staff(people: dict[str, Any]) -> Any:
    ada = people["ada"]
    ada.is_staff = True
    ada.save()
    return ada


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def run_import() -> ImportBatch:
    """Do what the workers do: import the queued photos, then their labels."""
    batch = ImportBatch.objects.get(state="queued")
    batch_import(batch.pk)
    for import_id in VoteImport.objects.filter(state="queued").values_list("pk", flat=True):
        votes_import(import_id)
    batch.refresh_from_db()
    return batch


@SIZES
def test_a_newcomer_gets_from_nothing_to_the_first_rating(
    open_page: Callable[..., Page], staff: Any, tmp_path: Path, size: dict[str, Any]
) -> None:
    write_photos(tmp_path / "photos", range(4))
    page = open_page("/", "ada", **size)
    page.context.add_init_script(COUNT_CLICKS)
    page.goto(page.url)
    page.get_by_role("link", name="New campaign").first.click()
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.click()
    name.fill("Pocket watches")
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="Create campaign").click()
    page.on("filechooser", lambda _chooser: None)  # Playwright handles dialogs from here on, not from the click on
    page.wait_for_url("**/campaigns/pocket-watches/import/")  # no rejected form
    with page.expect_file_chooser() as chooser:
        page.locator("label", has_text="Choose files").click()
    chooser.value.set_files(sorted((tmp_path / "photos").iterdir()))
    page.wait_for_url("**/imports/*/")
    run_import()
    page.get_by_role("link", name="Annotate", exact=True).last.click()
    begin(page)
    clicks = int(page.evaluate("sessionStorage.getItem('clicks')"))
    rate(page, "w", "7")  # two keys, or two clicks
    expect_saved(page)
    assert clicks + 2 <= MOST_CLICKS
    made = Campaign.objects.get(slug="pocket-watches")
    assert Annotation.objects.get(campaign=made).score == 7
    assert (made.mode, made.votes_per_image, made.reject_at) == ("reveal", 3, 5)


@SIZES
def test_what_follows_from_a_choice_is_shown(open_page: Callable[..., Page], staff: Any, size: dict[str, Any]) -> None:
    page = open_page("/new-campaign/", "ada", **size)
    advanced = page.locator("#advanced")
    expect(advanced.locator("[name=votes_per_image]")).to_be_hidden()
    page.get_by_role("textbox", name="Name", exact=True).fill("Uhren für Ältere")
    page.locator(".purpose", has_text="Measure what people see").click()
    page.locator(".pill", has_text="1 to 5").click()
    advanced.locator("summary").first.click()
    expect(advanced.locator("[name=votes_per_image]")).to_have_value("10")
    expect(advanced.get_by_role("radio", name="blind")).to_be_checked()
    expect(advanced.locator("[name=reject_at]")).to_have_attribute("placeholder", "2.75")
    expect(advanced.locator("[name=slug]")).to_have_attribute("placeholder", "uhren-fur-altere")
    advanced.locator("[name=votes_per_image]").fill("7")
    page.locator(".purpose", has_text="Teach a model").click()
    expect(advanced.locator("[name=votes_per_image]")).to_have_value("7")  # typed
    expect(advanced.get_by_role("radio", name="reveal")).to_be_checked()
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="Create campaign").click()
    page.wait_for_url("**/import/")
    made = Campaign.objects.get(slug="uhren-fur-altere")
    assert (made.votes_per_image, made.mode, made.scale_max) == (7, "reveal", 5)


@SIZES
def test_classes_are_chosen_by_their_names(
    open_page: Callable[..., Page], campaign: Campaign, size: dict[str, Any]
) -> None:
    page = open_page("/campaigns/watches/settings/", "ada", **size)
    picker = page.locator(".class-picker")
    expect(picker.get_by_role("button", name="Remove digital watch")).to_be_visible()
    search = picker.get_by_role("searchbox")
    search.fill("hourgl")
    search.press("Enter")
    expect(picker.get_by_role("button", name="Remove hourglass")).to_be_visible()
    picker.get_by_role("button", name="Remove stopwatch").click()
    search.fill("zzzz")
    expect(picker.get_by_role("status")).to_have_text("0 matches")
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    campaign.refresh_from_db()
    assert campaign.synsets == [409, 530, 531, 892, 604]


def test_all_problems_are_listed_and_lead_to_their_fields(open_page: Callable[..., Page], staff: Any) -> None:
    page = open_page("/new-campaign/", "ada")
    page.locator("#advanced summary").first.click()
    page.locator("[name=holdout_fraction]").fill("5")
    page.locator("[name=votes_per_image]").fill("0")
    page.get_by_role("button", name="Create campaign").click()
    errors = page.locator("#errors")
    expect(errors).to_be_focused()
    expect(errors.get_by_role("listitem")).to_have_count(3)
    expect(page.locator("#advanced")).to_have_attribute("open", "")
    errors.get_by_role("link", name="Votes per photo").click()
    expect(page.locator("[name=votes_per_image]")).to_be_focused()


@SIZES
def test_labels_come_with_the_photos(
    open_page: Callable[..., Page], campaign: Campaign, people: Any, tmp_path: Path, size: dict[str, Any]
) -> None:
    write_photos(tmp_path, range(3))
    (tmp_path / "labels.csv").write_text("annotator,file,score\nann,photo-000.jpg,7\nann,photo-009.jpg,3\n")
    page = open_page("/campaigns/watches/import/", "ada", **size)
    page.locator("#choose-files").set_input_files(sorted(tmp_path.iterdir()))
    page.wait_for_url("**/imports/*/")
    run_import()
    expect(page.locator(".label-import")).to_contain_text("1 vote of 1 person on 1 photo")  # without a reload
    expect(page.locator(".label-import")).to_contain_text("1 left out")
    expect(page.get_by_role("link", name="Invite people")).to_be_visible()
    assert no_sideways_scroll(page)
    page.get_by_role("link", name="Annotate", exact=True).last.click()
    page.wait_for_url("**/annotate/")
    assert Annotation.objects.get().score == 7


@SIZES
def test_an_import_is_deleted_after_a_dialog(
    open_page: Callable[..., Page], campaign: Campaign, people: Any, make_image: Any, size: dict[str, Any]
) -> None:
    batch = ImportBatch.objects.create(campaign=campaign, source="upload", state="done", added=3, total=3)
    images = [make_image(seed, batch=batch) for seed in range(3)]
    votes(images[:1], [people["alice"]], [[5]], [["yes"]])
    page = open_page(f"/campaigns/watches/imports/{batch.pk}/", "ada", **size)
    page.get_by_role("button", name="Delete …").click()
    dialog = page.get_by_role("dialog", name="Delete 3 photos?")
    expect(dialog).to_contain_text("1 answer no longer counts")
    assert no_sideways_scroll(page)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Delete …").click()
    dialog.get_by_label("Why?").fill("The wrong folder")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    photos_change(PhotoChange.objects.get().pk)
    expect(page.get_by_text("2 deleted for good, 1 withdrawn with their answers")).to_be_visible()
    assert Image.objects.get() == images[0]


@SIZES
def test_a_campaign_is_duplicated(
    open_page: Callable[..., Page], campaign: Campaign, staff: Any, size: dict[str, Any]
) -> None:
    page = open_page("/campaigns/watches/settings/", "ada", **size)
    page.get_by_role("button", name="Duplicate …").click()
    dialog = page.get_by_role("dialog", name="Duplicate Watches")
    expect(dialog.get_by_label("Name of the new campaign")).to_have_value("Watches (copy)")
    dialog.get_by_label("Members with their roles").check()
    assert no_sideways_scroll(page)
    dialog.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_text("Watches (copy) was created with the settings of Watches.")).to_be_visible()
    assert Campaign.objects.get(slug="watches-copy").memberships.count() == 4


@SIZES
def test_a_role_changes_at_once_and_is_taken_back(
    open_page: Callable[..., Page], campaign: Campaign, size: dict[str, Any]
) -> None:
    page = open_page("/campaigns/watches/members/", "ada", **size)
    role = page.get_by_role("combobox", name="Role of bob")
    role.select_option("reviewer")
    expect(page.get_by_text("bob now has the role reviewer.")).to_be_visible()
    assert campaign.memberships.get(user__username="bob").role == "reviewer"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("bob now has the role annotator.")).to_be_visible()
    expect(role).to_have_value("annotator")
    assert no_sideways_scroll(page)


@SIZES
def test_practice_photos_are_chosen_from_a_grid(
    open_page: Callable[..., Page], campaign: Campaign, people: Any, make_image: Any, size: dict[str, Any]
) -> None:
    for image in [make_image(seed) for seed in range(6)]:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    page = open_page("/campaigns/watches/special-photos/", "ada", **size)
    page.get_by_role("link", name="Choose practice photos").click()
    page.get_by_role("link", name="Show the newest photos").click()
    tiles = page.locator(".picker li")
    tiles.nth(0).locator("img").click()
    tiles.nth(1).get_by_role("spinbutton").fill("3")  # an answer chooses its photo
    expect(page.locator("#picked")).to_have_text("2 chosen")
    tiles.nth(0).get_by_role("spinbutton").fill("8")
    for place in (0, 1):
        tiles.nth(place).get_by_role("combobox").select_option("yes")
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="Use as practice photos").click()
    expect(page.get_by_text("2 photos added.")).to_be_visible()
    assert sorted(campaign.images.filter(role="practice").values_list("expected_score", flat=True)) == [3, 8]


@SIZES
def test_exports_are_downloaded_from_one_page(
    open_page: Callable[..., Page], campaign: Campaign, people: Any, make_image: Any, size: dict[str, Any]
) -> None:
    votes([make_image(1)], [people["alice"]], [[5]], [["yes"]])
    page = open_page("/campaigns/watches/export/", "rita", **size)
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet of votes").click()
    assert download.value.suggested_filename == "watches-votes.parquet"
    assert no_sideways_scroll(page)
    # A long export shows its progress. The estimate of its size makes this one long.
    page.locator('[data-name="Answers"]').first.evaluate("(link) => { link.dataset.bytes = '3000000'; }")
    with page.expect_download() as download:
        page.locator('[data-name="Answers"]').first.click()
    assert download.value.suggested_filename == "watches-answers.csv"
    expect(page.get_by_text("watches-answers.csv is complete")).to_be_visible()
