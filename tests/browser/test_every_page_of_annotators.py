"""Every page of annotators and of the gallery, on five screens, light and dark: it fits, and axe finds nothing."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, PhotoMap
from annotation.services.invitations import invitation_create
from annotation.services.withdrawals import photo_withdraw
from tests.browser.annotating import PATH, press, rate
from tests.browser.layout import SCREENS, shift_findings
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import distortions_make, predictions_make, version_make, votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHOTOS = 12
FINGERPRINT = "f" * 64
C = "/campaigns/watches/"
GALLERY = f"{C}photos/"
PAGES = {
    "anonymous": ["/accounts/login/", "{join}", "/join/wrong/"],
    "alice": [
        *("/", C, f"{C}mine/", f"{C}mine/{{photo}}/", "/account/", "/docs/reference/metrics/"),
        *(f"{C}members/", "/no/"),  # refused and not found
    ],
    "rita": [
        *("/", C, f"{GALLERY}extremes/", f"{GALLERY}{{photo}}/", f"{GALLERY}map/", f"{GALLERY}bulk/"),
        *(f"{C}withdrawn/", "/score/"),
    ],
    "ada": ["/", f"{C}comments/"],
}


@pytest.fixture
def images(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> list[Image]:
    """Rated and predicted photos on a map, the longest name among them, one of them withdrawn."""
    from inference.services import photo_map

    names = ["a-very-long-name-of-a-photo-without-any-space-as-cameras-and-shops-make-them-20261101.jpg"]
    names += [f"photo-{seed}.jpg" for seed in range(1, PHOTOS)]
    images = [make_image(seed, name=name) for seed, name in enumerate(names)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    scores = [[1 + seed % 10, 1 + seed % 9] for seed in range(PHOTOS // 2)]
    votes(images[: PHOTOS // 2], [people["alice"], people["bob"]], scores, [["yes", "no"]] * (PHOTOS // 2))
    predictions_make(version_make(campaign), images, list(np.linspace(1, 9, PHOTOS)), watch=[0.9, 0.01] * (PHOTOS // 2))
    distortions_make(images, quality=50.0, blur=[0.5] * PHOTOS)
    monkeypatch.setattr(photo_map, "_fingerprint", lambda features: (FINGERPRINT, PHOTOS))
    PhotoMap.objects.create(
        campaign=campaign,
        fingerprint=FINGERPRINT,
        photos=PHOTOS,
        image_ids=np.array([image.pk for image in images], "<i8").tobytes(),
        places=np.stack([np.arange(PHOTOS) * 5000] * 2, 1).astype("<u2").tobytes(),
        clusters=np.zeros(PHOTOS, "u1").tobytes(),
        made_at="2026-11-01T12:00Z",
    )
    photo_withdraw(image=images[-1], reason="A person asked for it", by=people["rita"])
    return images


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_axe_finds_nothing(
    open_page: Callable[..., Page],
    campaign: Campaign,
    people: dict[str, Any],
    images: list[Image],
    look: Any,
    scheme: str,
) -> None:
    _, token = invitation_create(campaign=campaign, by=people["ada"], role="annotator", note="", places=1, days=7)
    for name, paths in PAGES.items():
        page = open_page("/docs/" if name != "anonymous" else "/accounts/login/", name, color_scheme=scheme)
        root = re.match(r"https?://[^/]+", page.url)
        assert root is not None
        for path in paths:
            page.set_viewport_size(dict(zip(("width", "height"), SCREENS["phone"], strict=True)))
            page.goto(root[0] + path.format(join=f"/join/{token}/", photo=images[0].pk))
            assert shift_findings(page) == [], path
            look(page, f"{name} {path}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gallery_with_its_menus_viewer_and_search_fits(
    open_page: Callable[..., Page], images: list[Image], look: Any, scheme: str
) -> None:
    page = open_page(GALLERY, "rita", color_scheme=scheme)
    expect(page.locator("#count-watch-yes")).not_to_be_empty()
    look(page, "grid")
    page.get_by_text("Views", exact=True).click()
    look(page, "saved views")
    page.keyboard.press("Escape")
    page.locator(".tick input").first.check()
    expect(page.get_by_role("region", name="Selected photos")).to_be_visible()
    look(page, "bulk bar")
    page.get_by_role("button", name="Withdraw").click()
    look(page, "bulk dialog")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".tile figure > a").first.click()
    expect(page.locator("#lightbox-name")).to_have_text(images[-2].name)
    look(page, "viewer")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("photo-1")
    expect(page.get_by_role("option", name="photo-1.jpg")).to_be_visible()
    look(page, "search")
    page.goto(page.url.split("?")[0] + "?name=nothing-like-this")
    look(page, "no results")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_of_the_annotate_page_fits(
    open_page: Callable[..., Page], campaign: Campaign, make_image: Callable[..., Image], look: Any, scheme: str
) -> None:
    campaign.instructions = "Look at the whole photo.\n\nThen answer both questions."
    campaign.save()
    make_image(20, role="practice", expected_score=2, expected_watch="no", guidance="Blurred from shaking.")
    for seed in range(2):
        make_image(seed)
    page = open_page(PATH, "alice", color_scheme=scheme)
    expect(page.get_by_role("button", name="Begin")).to_be_focused()
    look(page, "instructions")
    press(page, "Enter")
    expect(page.locator("#photo img")).to_be_visible()
    look(page, "practice")
    press(page, "n", "7")
    expect(page.locator(".feedback")).to_be_visible()
    look(page, "practice feedback")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Practice done")).to_be_visible()
    look(page, "practice done")
    press(page, "Enter")
    rate(page, "w", "9")
    expect(page.locator("#photo img")).to_be_visible()
    look(page, "rating")
    for key, name in {"?": "help", " ": "skip menu", "c": "comment", "l": "last answers", "p": "session"}.items():
        press(page, key)
        expect(page.get_by_role("dialog")).to_be_visible()
        look(page, name)
        press(page, "Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#saved").click()
    look(page, "safety panel")
    press(page, "Escape")
    press(page, "z")
    look(page, "zoom")
    press(page, "z")
    rate(page, "n", "4")
    expect(page.locator("#empty")).to_be_visible()
    look(page, "end")
