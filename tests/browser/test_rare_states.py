"""States that people seldom see: each fits five screens, light and dark, and axe finds nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image
from annotation.services.invitations import invitation_create
from annotation.services.passwords import password_link_create
from tests.browser.annotating import PATH, begin, press, rate
from tests.browser.keeping import block_answers, expect_unsent_count, open_panel
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
PHOTOS = 36
C = "/campaigns/watches/"
Look = Callable[[Page, str], None]


@pytest.fixture
def images(campaign: Campaign, make_image: Callable[..., Image]) -> list[Image]:
    images = [make_image(seed) for seed in range(PHOTOS)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    return images


@SCHEMES
def test_the_bar_with_prediction_and_others_and_all_that_waits_without_a_connection(
    open_page: Callable[..., Page],
    campaign: Campaign,
    people: dict[str, Any],
    images: list[Image],
    look: Look,
    scheme: str,
) -> None:
    predictions_make(version_make(campaign), images, list(np.linspace(1, 10, PHOTOS)), watch=[0.97] * PHOTOS)
    two = [people["bob"], people["rita"]]
    votes(images, two, [[1 + seed % 9, 10] for seed in range(PHOTOS)], [["yes", "no"]] * PHOTOS)
    page = open_page(PATH, "alice", color_scheme=scheme)
    begin(page)
    rate(page, "m", "0")
    expect(page.locator("#previous")).to_contain_text("others")
    look(page, "answer bar")
    press(page, "l")
    expect(page.locator("#last-list svg.drawing")).to_be_visible()
    look(page, "last answers")
    press(page, "Escape")
    block_answers(page.context)
    page.context.route("**/thumbnail", lambda route: route.abort())
    rate(page, "n", "3")
    rate(page, "w", "8")
    expect_unsent_count(page, 2)
    expect(page.locator("#trouble")).to_be_visible()
    look(page, "no connection")
    panel = open_panel(page)
    expect(panel).to_contain_text("2 answers are not on the server yet")
    panel.get_by_text("Answers given in this browser").click()
    look(page, "safety panel")
    press(page, "Escape")
    expect(page.locator("#saved")).to_be_focused()
    press(page, "l")
    expect(page.locator("#last-list .no-picture")).to_have_count(3)
    look(page, "last answers without pictures")


@SCHEMES
@pytest.mark.parametrize("state", ["paused", "closed", "answered", "no photos"])
def test_each_end_says_why_and_has_a_way_on(
    open_page: Callable[..., Page], campaign: Campaign, images: list[Image], look: Look, scheme: str, state: str
) -> None:
    if state in ("paused", "closed"):
        Campaign.objects.update(state=state)
    elif state == "answered":
        Image.objects.update(open_slots=0)
    else:
        Image.objects.all().delete()
    page = open_page(PATH, "alice", color_scheme=scheme)
    if page.get_by_role("button", name="Begin").is_visible():
        press(page, "Enter")
    expect(page.locator("#empty-title")).to_be_visible()
    expect(page.locator("#empty-reason")).not_to_be_empty()
    expect(page.get_by_role("link", name="Back to campaign")).to_be_visible()
    look(page, state)


@SCHEMES
def test_own_work_with_many_answers_and_a_change(
    open_page: Callable[..., Page], people: dict[str, Any], images: list[Image], look: Look, scheme: str
) -> None:
    scores = [[1 + seed % 10, 5] for seed in range(PHOTOS)]
    votes(images, [people["alice"], people["bob"]], scores, [["yes", "no"]] * PHOTOS)
    page = open_page(f"{C}mine/", "alice", color_scheme=scheme)
    expect(page.locator(".own-history li").nth(29)).to_be_attached()
    look(page, "many answers")
    page.get_by_role("link", name="Edit the answer to").first.click()
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    look(page, "editing")
    page.get_by_role("textbox", name="Comment for").fill("The watch is hidden by a sleeve, so I was not sure")
    page.locator('.own-history input[name="score"][value="2"]').check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".own-history").get_by_role("status")).to_contain_text("Saved")
    look(page, "saved")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    look(page, "undone")
    page.goto(f"{page.url.split('?')[0]}?score_from=9&score_to=9&name=nothing")
    look(page, "nothing found")


@SCHEMES
def test_refusals_and_pages_of_links(
    open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any], look: Look, scheme: str
) -> None:
    def link(places: int = 1) -> tuple[Any, str]:
        by = people["ada"]
        return invitation_create(campaign=campaign, by=by, role="annotator", note="", places=places, days=7)

    expired, expired_token = link()
    type(expired).objects.filter(pk=expired.pk).update(expires_at="2020-01-01T00:00Z")
    _, token = link()
    _, secret = password_link_create(user=people["bob"], by=people["ada"])
    page = open_page("/accounts/login/", "anonymous", color_scheme=scheme)
    root = page.url.split("/accounts")[0]
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password", exact=True).fill("wrong")
    press(page, "Enter")
    expect(page.get_by_text("Wrong user name or password")).to_be_visible()
    look(page, "wrong password")
    page.goto(f"{root}/join/{token}/")
    page.get_by_label("User name").fill("alice")
    page.get_by_role("button", name="Create account and join").click()
    expect(page.get_by_label("User name")).to_have_value("alice")
    look(page, "a name that is taken and no password")
    for path, name in {
        f"/join/{expired_token}/": "expired link",
        f"/password/{secret}/": "new password",
        "/password/wrong/": "wrong password link",
        "/offline/": "offline",
    }.items():
        page.goto(root + path)
        look(page, name)
    page = open_page(f"/join/{token}/", "alice", color_scheme=scheme)
    look(page, "link of a member")
    for path in (f"{C}models/evaluate", f"{C}photos/"):  # an address of forms, and a page of reviewers
        page.goto(root + path)
        look(page, path)
    page.goto(f"{root}/account/")
    page.get_by_role("button", name="Change password").click()
    look(page, "no password given")
    page = open_page(f"{C}photos/?order=none", "rita", color_scheme=scheme)
    expect(page.get_by_role("heading", name="The server did not understand this request")).to_be_visible()
    look(page, "bad address")


@SCHEMES
def test_a_rejected_form_of_a_campaign(
    open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any], look: Look, scheme: str
) -> None:
    people["ada"].is_staff = True
    people["ada"].save()
    page = open_page("/new-campaign/", "ada", color_scheme=scheme)
    page.get_by_role("button", name="Create campaign").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    look(page, "no name")
    root = page.url.split("/new-campaign")[0]
    page.goto(f"{root}{C}settings/")
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("alert").first).to_be_visible()
    look(page, "settings with an error")
