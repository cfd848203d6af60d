"""The page Decide for me: who may open it, what it says in each state, its form, and the table of all photos."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.measures.figures_text import figures_text
from annotation.models import Annotation, Campaign
from inference.decisions.calibration import Achieved, Checked, Statement, Tolerances
from inference.models import DecisionCheck, DecisionRule, DecisionRun
from inference.services.decision_rules import decision_rule_set
from training.services.model_decisions import decisions_update

PAGE = "/campaigns/watches/decisions/"
TABLE = "/campaigns/watches/export/decisions-csv"
REVIEWERS, ADMINS = {"rita", "ada"}, {"ada"}
FORM = {"is_on": "on", "accepted": "20", "score_share": "90", "confidence": "90", "panel": "1"}
ALLOWED = Tolerances(accepted=0.2, rejected=None, watch=None, missed=0.1, score_points=None, confidence=0.9)


@pytest.fixture
def deciding_run(
    campaign: Campaign, make_rated_images: Callable[..., Any], make_version: Callable[..., Any], people: dict[str, Any]
) -> DecisionRun:
    """Return a calibration on 100 holdout photos with scores from 1 to 10, on which people and the champion agree."""
    images = make_rated_images(holdout=100, votes=1)
    for number, image in enumerate(images):
        Annotation.objects.filter(image=image).update(score=number % 10 + 1)
    make_version(1, champion=True, predict={image: (n % 10 + 1, 0.2) for n, image in enumerate(images)})
    decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=ALLOWED)
    run = decisions_update(campaign=campaign)
    assert run is not None
    return run


def text_of(client: Any) -> str:
    """Return the page, with plain spaces before percent signs."""
    page: str = client.get(PAGE).text
    return page.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada"])
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("get", PAGE, REVIEWERS), ("get", TABLE, REVIEWERS), ("post", f"{PAGE}rule", ADMINS)],
)
def test_permissions(
    campaign: Campaign, client_of: Callable[[str], Any], name: str, method: str, path: str, allowed: set[str]
) -> None:
    response = getattr(client_of(name), method)(path, FORM)
    if name in allowed:
        assert response.status_code == (302 if method == "post" else 200)
        return
    assert not DecisionRule.objects.exists()
    if name == "anonymous":
        assert "/login/" in response["Location"]
    else:
        assert response.status_code == (404 if name == "mallory" else 403)


def test_before_a_rule_people_decide_and_only_admins_see_the_form(
    campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    page = text_of(client_of("rita"))
    assert "People decide. The model decides nothing." in page
    assert "An admin of the campaign can switch it on." in page
    assert 'name="accepted"' not in page
    assert 'name="accepted" value="5"' in client_of("ada").get(PAGE).text


def test_the_verdict_says_what_is_decided_and_each_statement_how_it_holds(
    deciding_run: DecisionRun, client_of: Callable[[str], Any]
) -> None:
    page = text_of(client_of("rita"))
    assert "The model decides the quality of 40 % of 100 photos." in page
    assert "At most 20 % of the photos that it accepts are not acceptable." in page
    assert "score from 7.00" in page
    assert "0 of 40 audit photos wrong" in page
    assert "It misses at most 10 % of the watches." in page
    assert "none yet" in page


def test_too_few_votes_say_how_many_are_needed(
    campaign: Campaign, make_version: Callable[..., Any], client_of: Callable[[str], Any], people: dict[str, Any]
) -> None:
    make_version(1, champion=True)
    decision_rule_set(campaign=campaign, by=people["ada"], is_on=True, tolerances=ALLOWED)
    assert "A worker looks at the audit votes." in client_of("rita").get(PAGE).text
    decisions_update(campaign=campaign)
    assert "Cannot tell: the audit votes do not support any limit" in client_of("rita").get(PAGE).text


def test_a_pause_says_why_with_numbers_and_the_trend_is_drawn(
    deciding_run: DecisionRun, client_of: Callable[[str], Any]
) -> None:
    for days, wrong, low in ((2, 1, 0.01), (0, 12, 0.45)):
        figures = Checked(20, (Achieved(Statement.ACCEPTED, 0.2, 20, wrong, low, 0.8),))
        DecisionCheck.objects.create(
            run=deciding_run, made_at=timezone.now() - timedelta(days=days), figures=figures_text(figures)
        )
    deciding_run.pause, deciding_run.paused_at = "broken", timezone.now()
    deciding_run.save()
    page = text_of(client_of("rita"))
    assert "Deciding is paused. People decide." in page
    assert "12 of 20 fresh audit photos were wrong (45–80 %), and 20 % are allowed." in page
    assert "Errors among fresh audit photos, from 5.0 %" in page


def test_the_form_stores_the_rule_and_refuses_what_is_out_of_range(
    campaign: Campaign, client_of: Callable[[str], Any]
) -> None:
    ada = client_of("ada")
    assert ada.post(f"{PAGE}rule", FORM | {"accepted": "80"}).status_code == 400
    assert ada.post(f"{PAGE}rule", FORM | {"accepted": ""}).status_code == 400
    assert not DecisionRule.objects.filter(is_on=True).exists()
    assert ada.post(f"{PAGE}rule", FORM).status_code == 302
    rule = DecisionRule.objects.get()
    assert (rule.is_on, rule.accepted, rule.confidence, rule.missed) == (True, 0.2, 0.9, None)


def test_the_table_says_who_said_so(deciding_run: DecisionRun, client_of: Callable[[str], Any]) -> None:
    content = b"".join(client_of("rita").get(TABLE).streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len(rows) == 100
    # The consensus of people is not computed in this test.
    assert {(row["quality"], row["quality_by"]) for row in rows} == {("accepted", "model"), ("", "nobody")}
    assert [row["quality_by"] for row in rows].count("model") == 40


def test_the_page_takes_few_queries(
    deciding_run: DecisionRun, client_of: Callable[[str], Any], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    ada = client_of("ada")
    ada.get(PAGE)
    with django_assert_max_num_queries(10):
        ada.get(PAGE)
