"""The page of a version and the page that compares two: who may use them, what they show, and how many queries."""

import html
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import AuditRecord, Campaign, Membership, Role
from inference.models import ModelVersion
from training.models import Promotion, TrainingRun, VersionComparison, VersionExport
from training.services.evaluations import evaluation_make
from training.services.promotions import promotion_make
from training.services.version_comparisons import version_comparison_perform, version_comparison_request
from training.services.version_exports import version_export_request

MODELS = "/campaigns/watches/models"
EVERYBODY = ["anonymous", "mallory", "alice", "bob", "rita", "ada"]
REVIEWERS = {"rita", "ada"}


@pytest.fixture
def images(make_rated_images: Callable[..., Any]) -> list[Any]:
    return list(make_rated_images(holdout=40))


@pytest.fixture
def pair(images: list[Any], make_version: Callable[..., Any]) -> tuple[ModelVersion, ModelVersion]:
    good = make_version(
        1, champion=True, predict={image: (image.quality, 0.9 if image.is_watch else 0.01) for image in images}
    )
    return good, make_version(2, predict={image: (11 - image.quality, 0.3) for image in images})


def text_of(response: Any) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/2/", 200),
        ("get", "/2/card.md", 200),
        ("get", "/2/card.json", 200),
        ("get", "/2/export/live", 200),
        ("get", "/2/export.zip", 404),  # there is none yet
        ("get", "/compare/", 200),
        ("get", "/compare/?a=2&b=1", 200),
        ("get", "/compare/live?a=2&b=1", 200),
        ("post", "/2/note", 302),
        ("post", "/2/export", 302),
        ("post", "/compare/start", 302),
    ],
)
def test_permissions(
    client_of: Callable[[str], Any],
    make_version: Callable[..., Any],
    name: str,
    method: str,
    path: str,
    status: int,
) -> None:
    make_version(1, champion=True)
    make_version(2)
    response = getattr(client_of(name), method)(
        MODELS + path, {"a": 2, "b": 1, "note": "x"} if method == "post" else {}
    )
    changed = (
        VersionExport.objects.exists() or VersionComparison.objects.exists() or ModelVersion.objects.filter(note="x")
    )
    if name in REVIEWERS:
        assert response.status_code == status
        assert bool(changed) == (method == "post")
        return
    assert not changed
    if name == "anonymous":
        assert "/login/" in response["Location"]
    else:
        assert response.status_code == (404 if name == "mallory" else 403)


@pytest.mark.parametrize("path", ["/2/note", "/2/export", "/compare/start"])
def test_changes_need_post(client_of: Callable[[str], Any], make_version: Callable[..., Any], path: str) -> None:
    make_version(2)
    assert client_of("ada").get(MODELS + path).status_code == 405


@pytest.mark.parametrize("path", ["2/", "2/card.md", "2/export.zip", "2/note", "2/export", "compare/?a=2&b=1"])
def test_versions_of_another_campaign_are_not_found(
    client_of: Callable[[str], Any], people: dict[str, Any], make_version: Callable[..., Any], path: str
) -> None:
    make_version(1)
    make_version(2)
    other = Campaign.objects.create(slug="clocks", name="Clocks")
    Membership.objects.create(campaign=other, user=people["ada"], role=Role.ADMIN)
    client = client_of("ada")
    send = client.post if path.endswith(("note", "export")) else client.get
    assert send(f"/campaigns/clocks/models/{path}").status_code == 404


def test_a_note_is_saved_shown_and_audited(
    client_of: Callable[[str], Any], people: dict[str, Any], make_version: Callable[..., Any]
) -> None:
    make_version(1, champion=True)
    client = client_of("rita")
    client.post(f"{MODELS}/1/note", {"note": "  Good on <dark> photos.\r\nSecond line. "})
    assert ModelVersion.objects.get().note == "Good on <dark> photos.\nSecond line."
    record = AuditRecord.objects.get(kind="model_note")
    assert (record.by, record.before, record.what) == (people["rita"], {"note": ""}, "version 1")
    assert "Good on &lt;dark&gt; photos." in client.get(f"{MODELS}/").content.decode()
    assert "Good on &lt;dark&gt; photos." in client.get(f"{MODELS}/1/").content.decode()
    assert "> Good on \\<dark\\> photos.\n> Second line." in client.get(f"{MODELS}/1/card.md").content.decode()
    client.post(f"{MODELS}/1/note", {"note": "x" * 4001})
    assert ModelVersion.objects.get().note.startswith("Good")
    client.post(f"{MODELS}/1/note", {"note": "Good on <dark> photos.\nSecond line."})
    assert AuditRecord.objects.filter(kind="model_note").count() == 1  # nothing has changed


def test_the_card_and_the_lineage_say_where_a_version_comes_from(
    client_of: Callable[[str], Any], people: dict[str, Any], pair: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = pair
    run = TrainingRun.objects.create(
        campaign=first.campaign, trigger="button", state="done", challenger=second, annotation_count=80, seed=5
    )
    evaluation_make(version=second, against=first, run=run)
    promotion_make(version=second, kind=Promotion.Kind.MANUAL, by=people["ada"])
    client = client_of("rita")
    page = text_of(client.get(f"{MODELS}/2/"))
    assert f'by <a href="/campaigns/watches/runs/{run.pk}/">run {run.number}</a>' in page
    assert 'Compared with <a href="/campaigns/watches/models/1/">version 1</a>' in page
    assert "by ada, in place of version 1" in page
    assert "on 40 holdout photos with 80 votes" in page
    card = json.loads(client.get(f"{MODELS}/2/card.json").content)
    assert card["lineage"] | {"became_champion": []} == {
        "parent": None,
        "run": run.number,
        "seed": 5,
        "compared_with": 1,
        "became_champion": [],
    }
    figures = {one["name"]: one for one in card["holdout"]["figures"]}
    assert figures["quality_srcc"]["n"] == 40
    assert figures["quality_srcc"]["low"] <= figures["quality_srcc"]["value"] <= figures["quality_srcc"]["high"]
    markdown = client.get(f"{MODELS}/2/card.md")
    assert markdown["Content-Disposition"] == 'attachment; filename="watches-v2.md"'
    assert f"* Made by training run {run.number} with the seed 5." in markdown.content.decode()


def test_the_page_says_how_a_version_stands_and_lets_admins_promote_it(
    client_of: Callable[[str], Any], pair: tuple[ModelVersion, ModelVersion]
) -> None:
    champion, challenger = pair
    evaluation_make(version=champion)
    unmeasured = client_of("ada").get(f"{MODELS}/2/")
    assert "Not compared with the present champion yet" in text_of(unmeasured)
    assert "It has not been measured on the holdout yet." in text_of(unmeasured)
    assert f'action="{MODELS}/evaluate"' in unmeasured.text
    evaluation_make(version=challenger, against=champion)
    page = client_of("ada").get(f"{MODELS}/2/")
    assert "The promotion rule says:" in text_of(page)
    assert "vs v1: worse" in text_of(page)
    assert 'data-opens="promote-2"' in page.text
    assert 'id="promote-2"' in page.text
    assert f'action="{MODELS}/evaluate"' not in page.text
    for name, number in (("rita", 2), ("ada", 1)):  # a reviewer does not promote, and nobody promotes the champion
        page = client_of(name).get(f"{MODELS}/{number}/")
        assert "data-opens" not in page.text
        assert '<dialog class="own-dialog promotion"' not in page.text
    assert "Its predictions are on all pages" in text_of(client_of("rita").get(f"{MODELS}/1/"))


def test_an_export_shows_its_progress_and_is_downloaded(
    client_of: Callable[[str], Any], people: dict[str, Any], make_version: Callable[..., Any]
) -> None:
    version = make_version(1, champion=True)
    client = client_of("rita")
    assert "Make the export" in text_of(client.get(f"{MODELS}/1/"))
    client.post(f"{MODELS}/1/export")
    export = VersionExport.objects.get()
    VersionExport.objects.update(progress=0.4, stage="Joining backbone and heads")
    live = text_of(client.get(f"{MODELS}/1/export/live"))
    assert "Joining backbone and heads" in live
    assert "40 %" in live
    export.path.parent.mkdir(parents=True)
    export.path.write_bytes(b"zip")
    VersionExport.objects.update(made_at=export.requested_at, byte_size=3)
    assert "hx-get" not in text_of(client.get(f"{MODELS}/1/export/live"))
    response = client.get(f"{MODELS}/1/export.zip")
    assert b"".join(response.streaming_content) == b"zip"
    assert response["Content-Disposition"] == 'attachment; filename="watches-v1.zip"'
    assert AuditRecord.objects.filter(kind="export", what="model version 1", by=people["rita"]).count() == 1
    export.path.unlink()
    assert client.get(f"{MODELS}/1/export.zip").status_code == 404
    assert version_export_request(version=version, by=None).is_live


def test_a_comparison_shows_figures_verdicts_charts_and_photos(
    client_of: Callable[[str], Any], pair: tuple[ModelVersion, ModelVersion]
) -> None:
    client = client_of("rita")
    address = f"{MODELS}/compare/?a=2&b=1"
    assert "Compare version 2 with version 1" in text_of(client.get(address))
    assert client.post(f"{MODELS}/compare/start", {"a": 2, "b": 1})["Location"] == address
    live = client.get(f"{MODELS}/compare/live?a=2&b=1")
    assert "Waiting for a worker" in text_of(live)
    assert "HX-Refresh" not in live
    version_comparison_perform(comparison_id=VersionComparison.objects.get().pk)
    assert client.get(f"{MODELS}/compare/live?a=2&b=1")["HX-Refresh"] == "true"
    page = text_of(client.get(address))
    assert "Quality: version 1 is better than version 2." in page
    assert "on 40 holdout photos that neither version has learned from" in page
    for name in ("scatter-first", "scatter-second", "reliability-first", "reliability-second"):
        assert f'id="{name}-data"' in page
    assert page.count('<tr><td><a class="row" href="/campaigns/watches/photos/') == 12
    assert "Watch decisions differ on" in page


@pytest.mark.parametrize("query", ["a=1&b=1", "a=1&b=9", "a=1", "b=x"])
def test_other_pairs_are_not_found(
    client_of: Callable[[str], Any], pair: tuple[ModelVersion, ModelVersion], query: str
) -> None:
    assert client_of("rita").get(f"{MODELS}/compare/?{query}").status_code == 404


def test_one_version_cannot_be_compared(client_of: Callable[[str], Any], make_version: Callable[..., Any]) -> None:
    make_version(1, champion=True)
    assert "Only one version" in text_of(client_of("rita").get(f"{MODELS}/compare/"))


def queries_of(client: Any, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_the_number_of_queries_does_not_grow(
    client_of: Callable[[str], Any],
    make_rated_images: Callable[..., Any],
    make_version: Callable[..., Any],
    pair: tuple[ModelVersion, ModelVersion],
) -> None:
    client = client_of("rita")
    paths = [f"{MODELS}/1/", f"{MODELS}/compare/?a=2&b=1"]

    def compare_again() -> None:
        row = version_comparison_request(campaign=pair[0].campaign, first=pair[1], second=pair[0], by=None)
        version_comparison_perform(comparison_id=row.pk)

    compare_again()
    before = [queries_of(client, path) for path in paths]
    more = make_rated_images(holdout=30, seed=1)
    make_version(3, predict=dict.fromkeys(more, (5.0, 0.5)))
    make_version(4)
    compare_again()
    assert [queries_of(client, path) for path in paths] == before
    assert max(before) <= 20
