"""Pages about models in German have no English word but what is marked as English."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import AuditRecord, Campaign, User
from inference.decisions.calibration import Tolerances
from inference.models import ModelVersion
from inference.services.decision_rules import decision_rule_set
from tests.conftest import photo_bytes, thumbnail_path
from tests.training.conftest import make_rated_images, make_version  # noqa: F401  # fixtures
from training.learning.registry import DEFAULT_RECIPE, LearningPlan
from training.models import Evaluation, LearningCurve, Promotion, TrainingRun
from training.selectors.verdicts import verdict_of
from training.services.evaluations import evaluation_make
from training.services.promotions import promotion_by_admin
from training.services.schedules import Schedule, schedule_set
from training.services.version_comparisons import version_comparison_perform, version_comparison_request

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CAMPAIGN = "/campaigns/watches/"
ALLOWED = Tolerances(accepted=0.2, rejected=None, watch=None, missed=0.1, score_points=None, confidence=0.9)
# Words of the interface that no German sentence has. Names such as 'manage.py train' stand in <code>.
ENGLISH = re.compile(
    r"\b(the|with|your|from|photos?|votes?|answers?|this|that|show|save|settings|people|of|is|are|and|to|for|than|by"
    r"|score|scores|predicted|mean|no|not|model|each|all|points?|better|worse|learned|learning|measured|promoted?"
    r"|decided|skipped|every|unknown|quality|rule)\b",
    re.IGNORECASE,
)
# What elements say without showing it, and texts inside closed <details>.
EVERYTHING = """() => {
  for (const one of document.querySelectorAll('[lang=en]:not(html), code, script, style, template')) one.remove();
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) found.push(walker.currentNode.textContent.trim().replace(/\\s+/g, ' '));
  for (const one of document.querySelectorAll('[aria-label], [title], [alt], [data-label], [data-unit], [data-title]'))
    for (const name of ['aria-label', 'title', 'alt', 'data-label', 'data-unit', 'data-title'])
      if (one.getAttribute(name)) found.push(one.getAttribute(name));
  return found.filter(Boolean);
}"""


def english(page: Page) -> list[str]:
    """Return what a page says in English, without names of files and of a measure."""
    texts = (
        re.sub(r"\S+\.(jpg|png|webp|md|json|csv)|Ranked Probability Score", "", text)
        for text in page.evaluate(EVERYTHING)
    )
    return [text for text in texts if ENGLISH.search(text)]


@pytest.fixture
def versions(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> list[ModelVersion]:  # noqa: F811  # fixtures
    """Return a champion with random predictions and two challengers: a better one and one without an evaluation."""
    images = make_rated_images(train=4, holdout=40, votes=3, features=8)
    for image in images:
        thumbnail_path(image).parent.mkdir(parents=True, exist_ok=True)
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    champion = make_version(
        1, champion=True, predict={image: (4.0 + image.pk % 4, 0.2 + 0.1 * (image.pk % 5)) for image in images}
    )
    challenger = make_version(2, predict={image: (image.quality, 0.8 * image.is_watch) for image in images})
    evaluation_make(version=champion)
    evaluation_make(version=challenger, against=champion)
    return [champion, challenger, make_version(3)]


@pytest.fixture
def run(campaign: Campaign, versions: list[ModelVersion]) -> TrainingRun:
    """Return a finished run that made version 2, with its steps, its losses and the verdict of the rule."""
    evaluation = Evaluation.objects.select_related("against", "look", "model_version__campaign").get(
        model_version=versions[1]
    )
    verdict = verdict_of(evaluation)
    assert verdict is not None
    now = timezone.now()
    run = TrainingRun.objects.create(
        campaign=campaign,
        trigger=TrainingRun.Trigger.BUTTON,
        state=TrainingRun.State.DONE,
        requested_by=User.objects.get(username="ada"),
        recipe=LearningPlan.of(DEFAULT_RECIPE).as_json(),
        fingerprint="0" * 64,
        annotation_count=12,
        challenger=versions[1],
        message=f"{verdict.text} An admin of the campaign decides about the promotion.",
        steps=[
            {"name": name, "at": now.isoformat()}
            for name in ("Freezing the data", "Comparing recipes: Ridge regression", "Evaluating on the holdout")
        ],
        history=[{"epoch": epoch, "train": 0.2 / (1 + epoch), "validation": 0.2 / (1 + epoch)} for epoch in range(4)],
        started_at=now,
        finished_at=now,
        attempt=1,
    )
    Evaluation.objects.filter(pk=evaluation.pk).update(run=run)
    return run


@pytest.fixture
def page(open_page: Callable[..., Page], run: TrainingRun) -> Page:
    User.objects.filter(username="ada").update(language="de")
    return open_page("/", "ada")


def _go(page: Page, path: str) -> None:
    page.goto(re.sub(r"^(https?://[^/]+).*", rf"\1{CAMPAIGN}{path}", page.url))
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_the_pages_of_models_are_german(page: Page, campaign: Campaign, run: TrainingRun) -> None:
    LearningCurve.objects.create(
        campaign=campaign,
        state=LearningCurve.State.DONE,
        message="Not enough answers to tell: a learning curve needs 300 answers to train photos of 40 groups of "
        "near-duplicates, given without seeing a prediction. There are 12 answers to photos of 4 groups.",
        finished_at=timezone.now(),
    )
    TrainingRun.objects.create(campaign=campaign, state=TrainingRun.State.SKIPPED, message="Cancelled.")
    for path in ("models/", "models/1/", "models/2/", "models/3/", f"runs/{run.pk}/", "next/"):
        _go(page, path)
        assert english(page) == [], path
    _go(page, f"runs/{run.pk}/")
    text = page.inner_text("main")
    assert "Daten festhalten" in text
    assert "Rezepte vergleichen: Ridge-Regression" in text
    assert "Der Validierungsverlust ist um 75% gesunken" in text
    assert "Über die Beförderung entscheidet ein Admin der Kampagne." in text
    assert "RPS der Qualität" in text


def test_a_promotion_is_stored_in_english_and_shown_in_german(
    page: Page, campaign: Campaign, versions: list[ModelVersion]
) -> None:
    _go(page, "models/")
    page.get_by_role("button", name="Version 2 befördern").click()
    page.get_by_role("dialog").get_by_role("button", name="Befördern", exact=True).click()
    expect(page.get_by_text("Von einem Admin entschieden; die Regel stimmt zu: Befördern")).to_be_visible()
    assert english(page) == []
    stored = Promotion.objects.get().reason
    assert stored.startswith("Decided by an admin; the rule agrees: Promote: Quality RPS")
    # The rule has changed since, so its sentence cannot be made anew.
    campaign.promotion_margin = 0.5
    campaign.save()
    page.reload()
    expect(page.locator(".reason [lang=en]")).to_have_text(stored)


def test_a_reason_in_own_words_stays_as_it_was_written(page: Page, versions: list[ModelVersion]) -> None:
    promotion_by_admin(
        version=versions[2], kind=Promotion.Kind.MANUAL, by=User.objects.get(username="ada"), reason="Nur ein Versuch."
    )
    _go(page, "models/")
    expect(
        page.get_by_text("„Nur ein Versuch.“ Von einem Admin entschieden, ohne Vergleich mit dem Champion.")
    ).to_be_visible()


def test_the_comparison_of_two_versions_is_german(page: Page, campaign: Campaign, versions: list[ModelVersion]) -> None:
    comparison = version_comparison_request(campaign=campaign, first=versions[1], second=versions[0], by=None)
    version_comparison_perform(comparison_id=comparison.pk)
    _go(page, "models/compare/?a=2&b=1")
    expect(page.get_by_text("Qualität: Version 2 ist besser als Version 1.")).to_be_visible()
    assert english(page) == []


def test_the_schedule_is_german_and_its_audit_english(page: Page, campaign: Campaign) -> None:
    schedule_set(campaign=campaign, schedule=Schedule(at=timezone.now().time().replace(second=0), weekday=2))
    _go(page, "models/")
    expect(page.locator("#id_when option:checked")).to_have_text("jeden Mittwoch")
    page.locator("#id_when").select_option("0")
    page.locator("form.schedule").get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Gespeichert. Das Training läuft jeden Montag um")).to_be_visible()
    record = AuditRecord.objects.filter(campaign=campaign, kind="settings_changed").first()
    assert record is not None
    assert record.after["training schedule"].startswith("every Monday at ")


def test_the_page_of_decisions_is_german(page: Page, campaign: Campaign) -> None:
    _go(page, "decisions/")
    assert english(page) == []
    decision_rule_set(campaign=campaign, by=User.objects.get(username="ada"), is_on=True, tolerances=ALLOWED)
    _go(page, "decisions/")
    assert english(page) == []
