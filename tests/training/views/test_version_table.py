"""The table of versions on one holdout, the trend, and the dialog of a promotion."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from annotation.services.figures_rows import row_make
from inference.models import ModelVersion
from tests.opinions_and_predictions import vote
from training.models import Promotion, TrainingRun
from training.services.evaluations import evaluation_make
from training.services.promotions import REASON_LENGTH
from training.services.stored_trends import TREND

MODELS = "/campaigns/watches/models/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def images(make_rated_images: Callable[..., Any]) -> list[Any]:
    return list(make_rated_images(holdout=30, votes=3))


@pytest.fixture
def versions(images: list[Any], make_version: Callable[..., Any]) -> list[ModelVersion]:
    """Return a champion that guesses, a good challenger and one that is worse, all on the same votes."""
    champion = make_version(1, champion=True, predict={image: (5.0 + image.pk % 3, 0.5) for image in images})
    good = make_version(2, predict={image: (image.quality, 0.5) for image in images})
    bad = make_version(3, predict={image: (11 - image.quality, 0.5) for image in images})
    evaluation_make(version=champion)
    for version in (good, bad):
        evaluation_make(version=version, against=champion)
    return [champion, good, bad]


def rows_of(client: Any) -> dict[int, Any]:
    return {row.version.number: row for row in client.get(MODELS).context["rows"]}


def test_every_version_is_in_the_table(client_of: Any, versions: list[ModelVersion], make_version: Any) -> None:
    make_version(4)  # not evaluated
    client = client_of("rita")
    rows = rows_of(client)
    assert list(rows) == [4, 3, 2, 1]
    assert [rows[number].is_common for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert [rows[number].cells[0][0] is not None for number in (1, 2, 3, 4)] == [True, True, True, False]
    text = text_of(client.get(MODELS))
    assert "All figures are from one holdout: 30 photos with 90 votes" in text
    assert "not measured" in text
    assert "Promote version 2" not in text  # rita is a reviewer


def test_figures_of_other_votes_are_not_in_the_table(
    client_of: Any, versions: list[ModelVersion], images: list[Any], people: dict[str, Any]
) -> None:
    vote(images[0], people["ada"], 5)
    evaluation_make(version=versions[0])
    client = client_of("ada")
    rows = rows_of(client)
    assert [rows[number].is_common for number in (1, 2, 3)] == [True, False, False]
    assert rows[2].cells == [(None, None)] * 4
    assert "2 versions were measured on other votes or settings" in text_of(client.get(MODELS))


def trends_of(client: Any, **query: str) -> dict[str, Any]:
    return {one.metric.name: one for one in client.get(MODELS, query).context["trends"]}


def test_the_charts_over_time_come_from_a_worker(client_of: Any, versions: list[ModelVersion], campaign: Any) -> None:
    client = client_of("rita")
    first = client.get(MODELS)
    assert first.context["trends"] == []
    assert "Waiting for a worker to measure all versions" in text_of(first)
    row_make(TREND.row(campaign=campaign), TREND)
    srcc = trends_of(client)["quality_srcc"]
    assert [number for number, _, _ in srcc.rows] == [3, 2, 1]
    assert re.fullmatch(r"Quality SRCC −?\d\.\d+ \(.*\) with version 1", srcc.title)  # the champion is the oldest
    assert srcc.chart.count('class="whisker"') == 9  # three lines for each of three versions
    text = text_of(client.get(MODELS))
    assert "which all of them have predicted: 30 with a MOS, 30 with a watch label" in text
    assert "Waiting for a worker" not in text


def test_the_charts_by_answers_leave_out_versions_without_a_number(
    client_of: Any, versions: list[ModelVersion], campaign: Any
) -> None:
    run = TrainingRun.objects.create(campaign=campaign, trigger="button", state="done", annotation_count=120)
    TrainingRun.objects.filter(pk=run.pk).update(challenger=versions[1])
    row_make(TREND.row(campaign=campaign), TREND)
    response = client_of("rita").get(MODELS, {"by": "votes"})
    srcc = next(one for one in response.context["trends"] if one.metric.name == "quality_srcc")
    assert srcc.chart.count("<circle") == 1
    assert "Version 2" in srcc.chart
    assert "answers that the version has learned from" in text_of(response)


def test_one_version_has_no_charts_over_time(client_of: Any, make_version: Callable[..., Any]) -> None:
    make_version(1, champion=True)
    response = client_of("rita").get(MODELS)
    assert response.context["trends"] == []
    assert "Over time" not in text_of(response)


def test_the_dialog_shows_the_comparison_and_what_the_rule_says(client_of: Any, versions: list[ModelVersion]) -> None:
    page = client_of("ada").get(MODELS).content.decode()
    good = page[page.index('id="promote-2"') : page.index("</dialog>", page.index('id="promote-2"'))]
    bad = page[page.index('id="promote-3"') : page.index("</dialog>", page.index('id="promote-3"'))]
    assert "The rule says: promote." in good
    assert "Reason (optional)" in good
    assert " required" not in good
    assert "Quality SRCC" in good
    assert "The rule says: refuse." in bad
    assert " required" in bad


def test_a_decision_against_the_rule_needs_a_reason_that_is_stored(
    client_of: Any, versions: list[ModelVersion]
) -> None:
    client = client_of("ada")
    assert "Give a reason for your decision." in text_of(client.post(f"{MODELS}3/promote", follow=True))
    too_long = client.post(f"{MODELS}3/promote", {"reason": "x" * (REASON_LENGTH + 1)}, follow=True)
    assert f"at most {REASON_LENGTH}" in text_of(too_long)
    assert not Promotion.objects.exists()
    client.post(f"{MODELS}3/promote", {"reason": "Only for a demonstration."})
    reason = Promotion.objects.get().reason
    assert reason.startswith("“Only for a demonstration.” Decided by an admin; the rule does not agree: Refuse:")
    assert reason in text_of(client.get(MODELS))


def test_a_bundle_is_downloaded_from_the_table(client_of: Any, versions: list[ModelVersion]) -> None:
    from django.utils import timezone

    from training.models import VersionExport

    export = VersionExport.objects.create(version=versions[1], requested_at=timezone.now(), made_at=timezone.now())
    client = client_of("rita")
    assert not rows_of(client)[2].has_file
    export.path.parent.mkdir(parents=True)
    export.path.write_bytes(b"zip")
    assert rows_of(client)[2].has_file
    assert 'href="/campaigns/watches/models/2/export.zip" download' in client.get(MODELS).content.decode()


def test_a_rollback_shows_both_versions_on_the_common_holdout(client_of: Any, versions: list[ModelVersion]) -> None:
    client = client_of("ada")
    client.post(f"{MODELS}2/promote")
    evaluation_make(version=versions[0])
    page = client.get(MODELS).content.decode()
    dialog = page[page.index('id="rollback-1"') : page.index("</dialog>", page.index('id="rollback-1"'))]
    assert "Both on the common holdout" in dialog
    assert dialog.count('<th scope="row">') == 4
    assert "Reason (optional)" in dialog
