"""The pages in German: chosen on the account page, whole, no wider than a phone, and usable by everybody."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture
from playwright.sync_api import Page, expect

from annotation.exchange.registry import READERS
from annotation.models import Campaign, Image, User, VoteImport
from annotation.services.batches import folder_import
from annotation.services.vote_imports import vote_import_begin, vote_import_run
from tests.browser.axe import axe_findings
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
PAGES = [
    "/",
    "/account/",
    "/new-campaign/",
    "/campaigns/watches/",
    "/campaigns/watches/photos/",
    "/campaigns/watches/models/",
    "/campaigns/watches/members/",
    "/campaigns/watches/mine/",
    "/campaigns/watches/quality/",
    "/campaigns/watches/annotator-quality/",
    "/campaigns/watches/disputed/",
    "/campaigns/watches/special-photos/",
    "/campaigns/watches/comments/",
    "/campaigns/watches/withdrawn/",
    "/campaigns/watches/settings/",
    "/campaigns/watches/export/",
    "/campaigns/watches/import/",
    "/campaigns/watches/votes/",
    "/campaigns/watches/gate/",
    "/campaigns/watches/photos/?votes=some&split=train&name=jpg",
    "/campaigns/watches/photos/map/",
    "/plan-campaign/",
    "/score/",
    "/users/",
    "/users/refused/",
    "/admin/",
    "/admin/annotation/user/",
    "/admin/annotation/image/",
    "/admin/annotation/annotation/",
]
# Names of files, columns and values, and references, which are the same in every language.
SAME = re.compile(
    r"\S+\.(jpg|png|webp|csv|jsonl)|\(or [a-z_, ]+\)|– [^:]+: [0-9,]+ photos.+ people\b|"
    r"\b(Image Name|Vote|file|score|watch|no-watch|yes, no|unsure|to score11)\b"
)
# Frequent words of the interface that no German sentence has.
ENGLISH = re.compile(
    r"\b(the|with|your|from|photos?|votes?|answers?|this|show|save|settings|people|of|is|are|and|to|for|by|not|than|"
    r"predicted|mean|each|points?|scores?|issues|missing|wrong|no|or)\b",
    re.IGNORECASE,
)


# Tabs and tables of which a part is out of sight.
HIDDEN_COLUMNS = """() => [...document.querySelectorAll('.nav-pages, .table-scroll')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)"""
# Name → table of votes with faults.
FAULTY = {
    "scores.csv": "annotator,file,score\nme,1.jpg,11\nme,1.jpg,7.5\nme,,3\nme,1.jpg,x\n",
    "header.csv": "a,b\n1,2\n",
    "cells.csv": "annotator,file,score,given_at\nme,1.jpg,5\nme,1.jpg,5,yesterday\n",
    "unknown.csv": "annotator,file,score\nme,nowhere.jpg,5\n",
    "empty.csv": "",
}


@pytest.fixture
def images(campaign: Campaign, make_image: Callable[..., Any]) -> list[Image]:
    images = [make_image(seed) for seed in range(4)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    return images


@pytest.fixture
def rated(images: list[Image], people: dict[str, User]) -> list[Image]:
    """Return the photos with answers of two people, some of which differ much."""
    votes(images, [people["alice"], people["bob"]], [[2, 8], [5, 5], [9, 3], [7, 6]], "no")
    return images


def _tiny() -> bytes:
    """Return a photo that is too small to rate."""
    file = io.BytesIO()
    Picture.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


def _words(page: Page) -> str:
    """Return what the page shows and says of its charts, without names of files and what is marked as English."""
    page.evaluate("for (const one of document.querySelectorAll('main [lang=en], select, code')) one.remove()")
    said = page.eval_on_selector_all("main svg[aria-label]", "all => all.map((one) => one.getAttribute('aria-label'))")
    return SAME.sub("", "\n".join([page.inner_text("body"), *said]))


def test_german_is_chosen_on_the_account_page_and_stays(open_page: Callable[..., Page]) -> None:
    page = open_page("/account/", "ada")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_role("button", name="Einstellungen speichern")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert User.objects.get(username="ada").language == "de"


def test_the_login_page_follows_the_browser(open_page: Callable[..., Page]) -> None:
    german = open_page("/accounts/login/", "anonymous", locale="de-AT")
    expect(german.get_by_role("button", name="Anmelden")).to_be_visible()
    other = open_page("/accounts/login/", "anonymous", locale="fr-FR")
    expect(other.get_by_role("button", name="Log in")).to_be_visible()


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["390", "1280"])
def test_pages_are_german_fit_and_axe_finds_nothing(
    open_page: Callable[..., Page], rated: list[Image], screen: dict[str, Any]
) -> None:
    User.objects.filter(username="ada").update(language="de", is_staff=True, is_superuser=True)
    page = open_page("/", "ada", **screen)
    root = page.url.removesuffix("/")
    for path in PAGES:
        page.goto(root + path)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"], path
        if screen is DESK:
            assert page.evaluate(HIDDEN_COLUMNS) == [], path
        assert axe_findings(page) == [], path
        assert [line for line in _words(page).splitlines() if ENGLISH.search(line)] == [], path


def test_what_is_wrong_in_imports_is_german(
    open_page: Callable[..., Page], images: list[Image], tmp_path: Path
) -> None:
    """Workers store it in English, because they know no reader."""
    ada = User.objects.get(username="ada")
    User.objects.filter(pk=ada.pk).update(language="de")
    campaign = images[0].campaign
    for name, table in FAULTY.items():
        path = tmp_path / name
        path.write_text(table)
        vote_import = vote_import_begin(
            campaign=campaign, reader=READERS["votes-csv"], source=name, by=ada, state=VoteImport.State.RUNNING
        )
        vote_import_run(vote_import=vote_import, path=path)
    folder = tmp_path / "kaputt"
    folder.mkdir()
    whole = photo_bytes(900)
    for name, data in {"cut.jpg": whole[:-40], "empty.jpg": b"", "text.jpg": b"no photo", "tiny.png": _tiny()}.items():
        (folder / name).write_bytes(data)
    batch = folder_import(campaign=campaign, source=folder)
    page = open_page("/", "ada", **DESK)
    root = page.url.removesuffix("/")
    imports = [f"/campaigns/watches/votes/{one.pk}/" for one in VoteImport.objects.all()]
    for path in [*imports, f"/campaigns/watches/imports/{batch.pk}/"]:
        page.goto(root + path)
        assert [line for line in _words(page).splitlines() if ENGLISH.search(line)] == [], path
    expect(page.locator(".rejections tbody tr")).to_have_count(4)


def test_a_photo_is_rated_in_german(open_page: Callable[..., Page], images: list[Image]) -> None:
    User.objects.filter(username="alice").update(language="de")
    page = open_page("/campaigns/watches/annotate/", "alice")
    page.get_by_role("button", name="Beginnen").click()
    expect(page.locator("#photo img")).to_be_visible()
    page.get_by_role("button", name="Keine Uhr").click()
    page.keyboard.press("7")
    expect(page.locator("#session-count")).to_contain_text("1 bewertet")
    expect(page.locator("#saved")).to_have_text("Gespeichert")
