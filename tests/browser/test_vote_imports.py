"""The page Import votes: the upload bar, errors in place, a finished import, on a desktop and a phone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from annotation.models import AggregatedVotes, Annotation, Campaign, VoteImport
from annotation.tasks import votes_import
from tests.opinions_and_predictions import images_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATH = "/campaigns/watches/votes/"
WIDTHS = [pytest.param(1280, 900, id="desktop"), pytest.param(390, 844, id="phone")]
VOTES = "annotator,file,score,watch\n" + "".join(
    f"person {person},photo-{photo}.jpg,{1 + (person + photo) % 10},{'yes' if photo % 2 else 'no'}\n"
    for person in range(4)
    for photo in range(5)
)
HISTOGRAMS = "file," + ",".join(str(score) for score in range(1, 11)) + "\n"
HISTOGRAMS += "".join(f"photo-{photo}.jpg,0,1,2,{photo},5,3,2,1,0,0\n" for photo in range(5))


@pytest.fixture
def page(open_page: Callable[..., Any], campaign: Campaign) -> Page:
    images_make(campaign, 5)
    return open_page(PATH, "ada")


def send(page: Page, path: Path, form: str, text: str) -> None:
    path.write_text(text)
    page.get_by_label("Format", exact=True).select_option(form)
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Import", exact=True).click()


def run_import() -> VoteImport:
    """Run the queued import, as a worker does."""
    queued = VoteImport.objects.get(state="queued")
    votes_import(queued.pk)
    queued.refresh_from_db()
    return queued


def test_a_file_is_sent_imported_and_shown_without_a_reload(page: Page, tmp_path: Path) -> None:
    send(page, tmp_path / "votes.csv", "votes-csv", VOTES)
    page.wait_for_url(re.compile(r"/votes/\d+/$"))
    expect(page.locator("#batch")).to_contain_text("Waiting for a worker")
    page.evaluate("window.same = true")
    assert run_import().rows == 20
    expect(page.locator("#batch")).to_have_attribute("data-state", "done")
    expect(page.locator("#batch")).to_contain_text("4annotators, who cannot log in")
    assert page.evaluate("window.same"), "the page was loaded again"
    assert Annotation.objects.count() == 20
    page.get_by_role("link", name="Campaign quality").first.click()
    page.wait_for_url("**/quality/")


def test_the_bar_shows_the_upload_and_the_button_cannot_send_twice(page: Page, tmp_path: Path) -> None:
    sent: list[Request] = []
    waiting: list[Route] = []

    def hold(route: Route, request: Request) -> None:
        if request.method == "POST":
            sent.append(request)
            waiting.append(route)
        else:
            route.continue_()

    page.route(f"**{PATH}", hold)
    bar, button = page.get_by_role("progressbar"), page.get_by_role("button", name="Import", exact=True)
    expect(bar).to_be_hidden()
    send(page, tmp_path / "votes.csv", "votes-csv", VOTES)
    expect(bar).to_be_visible()
    expect(button).to_be_disabled()
    waiting[0].continue_()
    page.wait_for_url(re.compile(r"/votes/\d+/$"))
    assert len(sent) == 1
    assert VoteImport.objects.count() == 1


def test_an_error_in_the_form_appears_in_place_and_the_form_works_again(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Format", exact=True).select_option("votes-csv")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was imported.")
    assert not VoteImport.objects.exists()
    expect(page.get_by_label("Format", exact=True)).to_have_value("votes-csv")
    send(page, tmp_path / "votes.csv", "votes-csv", VOTES)
    page.wait_for_url(re.compile(r"/votes/\d+/$"))
    assert run_import().state == "done"


def test_wrong_lines_are_listed_with_their_numbers(page: Page, tmp_path: Path) -> None:
    send(page, tmp_path / "wrong.csv", "votes-csv", VOTES + "person 9,photo-1.jpg,11,yes\n")
    page.wait_for_url(re.compile(r"/votes/\d+/$"))
    assert run_import().state == "failed"
    expect(page.get_by_role("alert")).to_contain_text("1 line is wrong, so nothing was imported.")
    expect(page.get_by_role("heading", name="Wrong lines")).to_be_visible()
    expect(page.get_by_role("row", name="22")).to_be_visible()
    assert not Annotation.objects.exists()


def test_a_connection_that_breaks_is_explained_by_the_browser(page: Page, tmp_path: Path) -> None:
    """The form is then sent without the script."""
    lost: list[str] = []

    def lose_once(route: Route, request: Request) -> None:
        if request.method == "POST" and not lost:
            lost.append(request.url)
            route.abort()
        else:
            route.continue_()

    page.route(f"**{PATH}", lose_once)
    send(page, tmp_path / "votes.csv", "votes-csv", VOTES)
    page.wait_for_url(re.compile(r"/votes/\d+/$"))
    assert len(lost) == 1
    assert run_import().rows == 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_form_and_label_analysis_are_readable(
    campaign: Campaign, open_page: Callable[..., Page], tmp_path: Path, width: int, height: int, scheme: str
) -> None:
    images_make(campaign, 5)
    page = open_page(PATH, "ada", viewport={"width": width, "height": height}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    send(page, tmp_path / "histograms.csv", "histogram-csv", HISTOGRAMS)
    page.wait_for_url(re.compile(r"/votes/\d+/$"))
    run_import()
    expect(page.locator("#batch")).to_have_attribute("data-state", "done")
    assert AggregatedVotes.objects.count() == 5
    for name in ("Votes by score", "Photos by MOS", "Quality classes, share of photos before and after balancing"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    expect(page.get_by_role("heading", name="of the photos are in the middle of the scale")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
