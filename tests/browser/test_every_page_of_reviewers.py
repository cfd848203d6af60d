"""Every page for reviewers and admins fits each window, light and dark, and axe finds nothing; full and empty."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, ImportBatch, Membership, Role
from annotation.services.consensus import consensus_refresh
from annotation.services.figures_rows import row_make
from annotation.services.queue import counters_rebuild
from tests.browser.axe import axe_findings
from tests.browser.layout import SCREENS, folds_open, layout_findings, shift_findings
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, votes
from training.models import TrainingRun
from training.services.evaluations import evaluation_make
from training.services.stored_trends import TREND

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# axe reads the whole page, so it looks at a phone and at a desk only; the other screens have one of their layouts.
# In the dark, only the colours differ.
AXE_SCREENS = {"light": ("phone", "desktop"), "dark": ("desktop",)}
CAMPAIGN = (
    "", "calibration/", "calibration/?view=print", "calibration/?split=all&measure=watch", "annotator-quality/",
    "quality/", "methods/", "next/", "disputed/", "decisions/", "models/", "models/compare/", "gate/", "import/",
    "votes/", "export/",
    "special-photos/", "members/", "settings/", "comments/", "withdrawn/", "audit/",
)  # fmt: skip
SITE = ("/", "/users/", "/new-campaign/", "/plan-campaign/", "/admin/", "/api/", "/score/")
# Of the administration: a long table, one with filters, one with long words, an empty one, and one that can be changed.
TABLES = (
    "annotation/image",
    "annotation/annotation",
    "inference/modelversion",
    "training/promotion",
    "annotation/user",
)


@pytest.fixture
def full(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any], rng: Any) -> list[str]:
    """Return the addresses of the pages of a campaign with votes, two versions and a run."""
    people["ada"].is_superuser = people["ada"].is_staff = True
    people["ada"].save()
    batch = ImportBatch.objects.create(campaign=campaign, source="photos", state=ImportBatch.State.DONE, added=40)
    images = [make_image(seed, split="holdout", batch=batch) for seed in range(40)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    quality, watch = np.linspace(2, 9, 40), np.tile(["yes", "no"], 20)
    scores = np.rint(quality[:, None] + rng.normal(0, 1.2, (40, 3))).clip(1, 10)
    scores[3] = [1, 5, 10]
    votes(images, [people[name] for name in ("alice", "bob", "rita")], scores, np.stack([watch] * 3, 1))
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    first, second = version_make(campaign), version_make(campaign, 2, champion=False)
    for version, noise in ((first, 1.5), (second, 0.6)):
        means = (quality + rng.normal(0, noise, 40)).clip(1.5, 9.5)
        predictions_make(version, images, means, watch=np.where(watch == "yes", 0.8, 0.02))
    evaluation_make(version=first)
    evaluation_make(version=second, against=first)
    row_make(TREND.row(campaign=campaign), TREND)
    run = TrainingRun.objects.create(campaign=campaign, trigger="button", state="done", challenger=second)
    place = f"/campaigns/{campaign.slug}/"
    person = f"annotator-quality/?annotator={people['alice'].pk}"
    more = [f"disputed/{images[3].pk}/", "models/2/", "models/compare/?a=2&b=1", f"runs/{run.pk}/", person]
    more.append(f"imports/{batch.pk}/")
    rows = [
        f"annotation/{name}"
        for name in (f"campaign/{campaign.pk}", f"image/{images[0].pk}", f"user/{people['ada'].pk}")
    ]
    rows += [f"annotation/importbatch/{batch.pk}", f"inference/modelversion/{second.pk}"]
    tables = [f"/admin/{path}/" for path in (*TABLES, *(f"{row}/change" for row in rows), f"{rows[0]}/history")]
    return [*(place + path for path in (*CAMPAIGN, *more)), *SITE, *tables]


@pytest.fixture
def empty(people: dict[str, Any]) -> list[str]:
    """Return the addresses of the pages of a campaign that was just created: no photo, no vote, no model."""
    campaign = Campaign.objects.create(slug="new", name="New")
    Membership.objects.create(campaign=campaign, user=people["ada"], role=Role.ADMIN)
    return [f"/campaigns/new/{path}" for path in CAMPAIGN]


def problems(page: Page, paths: list[str], theme: Any) -> list[str]:
    """Return what is wrong with the pages, a line each. Every page is loaded once and looked at in each window."""
    root, found = page.url.rstrip("/"), []
    page.emulate_media(color_scheme=theme)
    for path in paths:
        page.set_viewport_size(dict(zip(("width", "height"), SCREENS["phone"], strict=True)))
        response = page.goto(root + path)
        found += [f"{path}, phone: {line}" for line in shift_findings(page)]
        if response is None or response.status != 200:
            found.append(f"{path}: {response and response.status}")
        for screen, (width, height) in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            lines = layout_findings(page) + (axe_findings(page) if screen in AXE_SCREENS[theme] else [])
            found += [f"{path}, {screen}: {line}" for line in lines]
        if theme == "light":  # the colours of what is folded are those of the rest
            folds_open(page)
            for screen in ("desktop", "phone"):
                page.set_viewport_size(dict(zip(("width", "height"), SCREENS[screen], strict=True)))
                found += [f"{path}, {screen}, folds open: {line}" for line in layout_findings(page)]
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", ["full", "empty"])
def test_every_page_fits_and_axe_finds_nothing(
    open_page: Callable[..., Page], request: pytest.FixtureRequest, people: dict[str, Any], state: str, theme: str
) -> None:
    paths = request.getfixturevalue(state)
    found = problems(open_page("/", "ada"), paths, theme)
    assert not found, "\n".join(found)


def test_an_empty_page_says_what_to_do_next(client_of: Callable[[str], Any], empty: list[str]) -> None:
    client = client_of("ada")
    for path, words in {
        "": "Import photos",
        "calibration/": "Check the workers",
        "annotator-quality/": "Invite people",
        "disputed/": "How many votes are missing",
        "models/": "A worker installs the shipped prior",
        "import/": "Choose files",
        "members/": "Create link",
    }.items():
        assert words in client.get(f"/campaigns/new/{path}").content.decode(), path


# What is wrong with the element that has the focus, as {"problem", "element"}; null at the end of the page.
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const rings = (part) => {
    const style = getComputedStyle(part);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  const label = one.labels?.[0], [box] = one.getClientRects(), problems = [];
  if (!rings(one) && !(label && rings(label))) problems.push("no focus ring");
  if (!box || box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) {
    problems.push("outside of the window");
  } else {
    const within = (value, most) => Math.min(Math.max(value, 1), most - 2);
    const x = within(box.left + Math.min(box.width, 40) / 2, innerWidth);
    const top = document.elementFromPoint(x, within(box.top + box.height / 2, innerHeight));
    const isPart = [one, label].some((part) => part && (part.contains(top) || top?.contains(part)));
    if (top && !isPart) problems.push(`below ${top.tagName} ${top.className}`);
  }
  return { problem: problems.join(", "), element: one.outerHTML.slice(0, 100) };
}"""
MOST_TABS = 60
WITH_FOCUS = (
    "/", "/users/", "/account/", "/new-campaign/", "/plan-campaign/", "/audit/", "/campaigns/watches/settings/",
    *(f"/campaigns/watches/{path}/" for path in ("calibration", "photos", "models", "members", "next", "disputed")),
)  # fmt: skip


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_the_keyboard_reaches_nothing_that_is_hidden(
    open_page: Callable[..., Page], full: list[str], screen: str
) -> None:
    """What has the focus has a ring and is in sight, not below a bar that stays at the bottom."""
    width, height = SCREENS[screen]
    page = open_page("/", "ada", viewport={"width": width, "height": height})
    root, found = page.url.rstrip("/"), set()
    for path in WITH_FOCUS:
        page.goto(root + path)
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUS)
            if stop is None:
                break
            if stop["problem"]:
                found.add(f"{path}: {stop['problem']}: {stop['element']}")
    assert found == set()


def test_what_does_not_fit_is_found(open_page: Callable[..., Page], people: dict[str, Any]) -> None:
    page = open_page("/", "ada")
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
          `<p id="far">far</p><p id="clipped">clipped text in a small box</p>
           <select id="narrow"><option>a long choice</option></select>
           <div class="table-scroll" id="table"><table><tr><td>column</td></tr></table></div>`)"""
    )
    page.evaluate(
        """() => { const style = (id, rules) => Object.assign(document.getElementById(id).style, rules);
          style("far", { position: "absolute", left: "2000px" });
          style("clipped", { width: "40px", overflow: "hidden", whiteSpace: "nowrap" });
          style("narrow", { width: "50px", minWidth: "0" });
          style("table", { width: "30px" }); }"""
    )
    found = "\n".join(layout_findings(page))
    for words in ("scrolls sideways", "outside of the window", "cut off in its box", "a choice", "hides columns"):
        assert words in found


def test_a_reviewer_comes_from_home_to_the_verdict_with_one_click(
    open_page: Callable[..., Page], full: list[str]
) -> None:
    page = open_page("/", "rita")
    page.get_by_role("main").get_by_role("link", name="Watches", exact=True).first.click()
    verdict = page.locator("#verdict-title")
    expect(verdict).to_be_in_viewport()
    expect(verdict).to_contain_text("Version 1")
