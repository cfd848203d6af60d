"""The calibration page and the page of a photo in German, with all sections, charts, tables and hidden texts."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, User
from annotation.services.figures_rows import row_make
from annotation.services.queue import counters_rebuild
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, votes
from training.services.stored_trends import TREND

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/campaigns/watches/calibration/"
DESK = {"viewport": {"width": 1280, "height": 900}}
# Words of charts, statements and tables that no German sentence has.
ENGLISH = re.compile(
    r"\b(the|with|your|from|photos?|votes?|answers?|this|show|people|is|are|of|and|to|than|by|mean|scores?|share|points?|"
    r"model|predicted|threshold|odds|chance|rejected|pending|accepted|watch|watches|made|slices?|table|interval)\b",
    re.IGNORECASE,
)
# Names of files, of the campaign and of ImageNet classes, and terms that German has too.
NAMES = re.compile(r"\S+\.(jpg|png|webp)|digital watch|von Watches|analog clock|Ranked Probability Score|Log-Odds")
# All texts, in closed parts too, names for screen readers, hints, and the texts of the charts in their JSON.
TEXTS = """() => {
  for (const one of document.querySelectorAll('[lang=en], code, header, footer')) one.remove();
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!/SCRIPT|STYLE|TEMPLATE/.test(parent.tagName)) found.push(walker.currentNode.textContent.trim());
  }
  for (const name of ['aria-label', 'title', 'alt', 'data-title', 'data-label'])
    for (const one of document.querySelectorAll(`[${name}]`)) found.push(one.getAttribute(name));
  const texts = /"axis_label": ?"([^"]*)"|"label": ?\\{"type": ?"value", ?"value": ?"([^"]*)"\\}|\\["([^"@]*)", ?"@/g;
  for (const one of document.querySelectorAll('script[type="application/json"]'))
    for (const match of one.textContent.matchAll(texts)) found.push(match[1] || match[2] || match[3]);
  return found.filter(text => text);
}"""


@pytest.fixture
def images(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any], rng: np.random.Generator
) -> list[Image]:
    """48 holdout photos with three votes each, half of them watches, and predictions of two versions."""
    images = [make_image(seed, split="holdout") for seed in range(48)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    quality = np.linspace(2, 9, 48)
    scores = np.rint(quality[:, None] + rng.normal(0, 0.7, (48, 3))).clip(1, 10)
    raters = [people[name] for name in ("alice", "bob", "ada")]
    votes(images[:24], raters, scores[:24], "yes")
    votes(images[24:], raters, scores[24:], "no")
    means = quality + rng.normal(0, 0.4, 48)
    means[0] = 9.0
    probabilities = np.where(np.arange(48) < 24, 0.8, 0.2) + rng.normal(0, 0.15, 48)
    for number, noise in ((1, 1.0), (2, 0.0)):
        version = version_make(campaign, number, champion=number == 2)
        predictions_make(version, images, means + rng.normal(0, 1, 48) * noise, probabilities.clip(0.01, 0.99))
    counters_rebuild(campaign=campaign)
    User.objects.filter(username="rita").update(language="de")
    return images


def english(page: Page) -> str:
    """Return the texts, one a line, of the page that have an English word, without names of files."""
    texts = [NAMES.sub("", text) for text in page.evaluate(TEXTS)]
    return "\n".join(text for text in texts if ENGLISH.search(text))


def test_the_calibration_page_is_german(
    open_page: Callable[..., Page], campaign: Campaign, images: list[Image]
) -> None:
    row_make(TREND.row(campaign=campaign), TREND)
    page = open_page(PAGE, "rita", **DESK)
    root = page.url.split("/campaigns/")[0]
    expect(page.locator("html")).to_have_attribute("lang", "de")
    for part in ("#verdict", "#quality", "#classes", "#watch", "#slices", "#annotators", "#over-time", "#disagreement"):
        expect(page.locator(part)).to_be_visible()
    for path in ("", "?view=print", "?measure=rmse", "?measure=watch", "?metric=quality_rmse&by=votes", "?split=all"):
        page.goto(f"{root}{PAGE}{path}")
        assert english(page) == "", path


def test_the_page_of_a_photo_is_german(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page(f"/campaigns/watches/photos/{images[0].pk}/", "rita", **DESK)
    expect(page.locator("figure.histogram")).to_contain_text("Punktzahl der Bewertung")
    assert english(page) == ""
