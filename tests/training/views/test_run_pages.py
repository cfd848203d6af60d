"""Pages and API of runs and models: permissions, content and numbers of queries."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import AuditRecord, Campaign
from annotation.services import counts, kept_counts
from annotation.tasks import stored_count_make
from inference.models import ModelVersion
from tests.opinions_and_predictions import vote
from training.evaluation.promotion_rule import Rule, description
from training.models import Promotion, TrainingRun
from training.services.evaluations import evaluation_make
from training.services.promotions import promotion_make
from training.services.runs import run_claim, run_finish, run_request, run_write
from training.tasks import versions_evaluate

State = TrainingRun.State
TIME = r"\d+ \w+ \d{4}, \d\d:\d\d UTC"
MODELS = "/campaigns/watches/models/"
REVIEWERS, ADMINS = {"rita", "ada"}, {"ada"}
EVERYBODY = ["anonymous", "mallory", "alice", "rita", "ada"]


@pytest.fixture
def run(campaign: Campaign) -> TrainingRun:
    return run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("get", "/campaigns/watches/models/", REVIEWERS),
        ("get", "/campaigns/watches/runs/{run}/", REVIEWERS),
        ("get", "/campaigns/watches/runs/{run}/live", REVIEWERS),
        ("get", "/api/campaigns/watches/runs/{run}", REVIEWERS),
        ("post", "/campaigns/watches/runs/start", ADMINS),
        ("post", "/campaigns/watches/runs/{run}/cancel", ADMINS),
        ("post", "/campaigns/watches/models/evaluate", ADMINS),
        ("get", "/campaigns/watches/runs/{run}/log", ADMINS),
        ("post", "/campaigns/watches/models/schedule", ADMINS),
        ("post", "/campaigns/watches/models/2/promote", ADMINS),
        ("post", "/campaigns/watches/models/1/rollback", ADMINS),
    ],
)
def test_permissions(
    client_of: Callable[[str], Any],
    make_version: Callable[..., Any],
    run: TrainingRun,
    name: str,
    method: str,
    path: str,
    allowed: set[str],
) -> None:
    make_version(1, champion=True)
    make_version(2)
    run.folder.mkdir(parents=True)
    run.log.write_text("Learning.")
    before = (Promotion.objects.count(), TrainingRun.objects.get(pk=run.pk).state)
    response = getattr(client_of(name), method)(path.format(run=run.pk))
    if name in allowed:
        assert response.status_code == (302 if method == "post" else 200)
        return
    after = (Promotion.objects.count(), TrainingRun.objects.get(pk=run.pk).state)
    assert after == before
    if name == "anonymous":
        assert response.status_code == 401 if path.startswith("/api") else "/login/" in response["Location"]
    else:
        assert response.status_code == (404 if name == "mallory" else 403)


@pytest.mark.parametrize(
    "path",
    ["runs/start", "runs/{run}/cancel", "models/evaluate", "models/schedule", "models/2/promote", "models/1/rollback"],
    ids=lambda path: path,
)
def test_changes_need_post(client_of: Callable[[str], Any], run: TrainingRun, path: str) -> None:
    assert client_of("ada").get(f"/campaigns/watches/{path.format(run=run.pk)}").status_code == 405


@pytest.mark.parametrize("path", ["runs/{run}/", "runs/{run}/live", "runs/{run}/cancel", "models/1/promote"])
def test_rows_of_another_campaign_are_not_found(
    client_of: Callable[[str], Any],
    people: dict[str, Any],
    run: TrainingRun,
    make_version: Callable[..., Any],
    path: str,
) -> None:
    from annotation.models import Membership, Role

    make_version(1)
    other = Campaign.objects.create(slug="clocks", name="Clocks")
    Membership.objects.create(campaign=other, user=people["ada"], role=Role.ADMIN)
    client = client_of("ada")
    send = client.post if path.endswith(("cancel", "promote")) else client.get
    assert send(f"/campaigns/clocks/{path.format(run=run.pk)}").status_code == 404


def test_a_second_click_on_the_button_opens_the_same_run(
    client_of: Callable[[str], Any], people: dict[str, Any]
) -> None:
    client = client_of("ada")
    first, second = (client.post("/campaigns/watches/runs/start")["Location"] for _ in range(2))
    run = TrainingRun.objects.get()
    assert first == second == f"/campaigns/watches/runs/{run.pk}/"
    assert (run.trigger, run.requested_by) == ("button", people["ada"])


def test_a_queued_run_explains_after_a_while_how_to_start_a_worker(
    client_of: Callable[[str], Any], run: TrainingRun
) -> None:
    page = f"/campaigns/watches/runs/{run.pk}/"
    fresh = client_of("rita").get(page).content.decode()
    assert "Waiting for a worker since" in fresh
    assert "celery -A" not in fresh
    TrainingRun.objects.update(created_at=timezone.now() - timedelta(seconds=11))
    assert "celery -A iqs_site worker -Q training" in client_of("rita").get(page).content.decode()


def test_the_live_part_is_updated_only_until_the_run_ends(
    client_of: Callable[[str], Any], run: TrainingRun, campaign: Campaign
) -> None:
    client, live = client_of("rita"), f"/campaigns/watches/runs/{run.pk}/live"
    attempt = run_claim(run_id=run.pk) or 0
    history = [{"epoch": epoch, "train": 0.2 - epoch / 100, "validation": 0.3 - epoch / 100} for epoch in range(4)]
    run_write(run_id=run.pk, attempt=attempt, progress=0.42, stage="Learning quality", history=history)
    content = client.get(live).content.decode()
    assert "every 1s" in content
    assert "42 %" in content
    assert "Learning quality" in content
    assert "<polyline" in content
    assert "Cancel" not in content  # rita is a reviewer
    run_finish(run_id=run.pk, attempt=attempt, state=State.FAILED, message="There is <nothing> to learn from.")
    content = client.get(live).content.decode()
    assert "every 1s" not in content
    assert "There is &lt;nothing&gt; to learn from." in content


def test_cancelling_from_the_page(client_of: Callable[[str], Any], run: TrainingRun) -> None:
    response = client_of("ada").post(f"/campaigns/watches/runs/{run.pk}/cancel", follow=True)
    assert "Cancelled by ada." in response.content.decode()
    again = client_of("ada").post(f"/campaigns/watches/runs/{run.pk}/cancel", follow=True)
    assert "has already ended" in again.content.decode()


def test_the_api_returns_the_state_of_a_run(
    client_of: Callable[[str], Any], run: TrainingRun, make_version: Callable[..., Any]
) -> None:
    attempt = run_claim(run_id=run.pk) or 0
    run_write(run_id=run.pk, attempt=attempt, progress=0.5, stage="Learning quality", challenger=make_version(3))
    assert client_of("rita").get(f"/api/campaigns/watches/runs/{run.pk}").json() == {
        "id": run.pk,
        "state": "running",
        "progress": 0.5,
        "stage": "Learning quality",
        "message": "",
        "annotations": 0,
        "histograms": 0,
        "labels": 0,
        "decisions": 0,
        "challenger": 3,
    }
    assert client_of("rita").get("/api/campaigns/watches/runs/999999").status_code == 404


def test_an_empty_campaign_has_a_models_page(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    content = client_of("ada").get("/campaigns/watches/models/").content.decode()
    assert "No model yet" in content
    assert "no version has learned from votes yet" in content
    assert "Train automatically" in content


def test_promotion_from_the_page_stores_its_reason(
    client_of: Callable[[str], Any],
    make_rated_images: Callable[..., Any],
    make_version: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    images = make_rated_images(holdout=30, votes=3)
    champion = make_version(1, champion=True, predict={image: (5.0 + image.pk % 3, 0.5) for image in images})
    challenger = make_version(2, predict={image: (image.quality, 0.5) for image in images})
    evaluation_make(version=challenger, against=champion)
    client = client_of("ada")
    assert "Promote version 2" in client.get("/campaigns/watches/models/").content.decode()
    content = client.post("/campaigns/watches/models/2/promote", follow=True).content.decode()
    assert "Version 2 is now the champion" in content
    assert "Roll back to version 1" in content
    assert "the rule agrees: Promote: Quality RPS −" in Promotion.objects.get().reason
    content = client.post("/campaigns/watches/models/1/rollback", follow=True).content.decode()
    assert "Version 1 is now the champion" in content
    assert ModelVersion.objects.get(is_champion=True) == champion


def test_a_damaged_version_is_refused_on_the_page(
    client_of: Callable[[str], Any], make_version: Callable[..., Any]
) -> None:
    make_version(1, champion=True)
    (make_version(2).path / "heads.onnx").write_bytes(b"damaged")
    promote = "/campaigns/watches/models/2/promote"
    content = client_of("ada").post(promote, {"reason": "Looks better."}, follow=True).content.decode()
    assert "has changed since it was stored" in content
    assert not Promotion.objects.exists()


def test_more_versions_runs_and_promotions_need_no_more_queries(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    make_rated_images: Callable[..., Any],
    make_version: Callable[..., Any],
    django_assert_num_queries: Callable[..., Any],
) -> None:
    images = make_rated_images(holdout=6)
    champion = make_version(1, champion=True, predict={image: (image.quality, 0.5) for image in images})
    client = client_of("ada")
    numbers = iter(range(2, 99))

    def add_versions(count: int) -> None:
        for number in (next(numbers) for _ in range(count)):
            version = make_version(number, predict={image: (image.quality, 0.4) for image in images})
            evaluation_make(version=version, against=champion)
            promotion_make(version=version, kind="manual")
            run = run_request(campaign=campaign, trigger="button")
            attempt = run_claim(run_id=run.pk) or 0
            run_write(run_id=run.pk, attempt=attempt, challenger=version)
            run_finish(run_id=run.pk, attempt=attempt, state=State.DONE)

    add_versions(2)
    client.get("/campaigns/watches/models/")
    # 25 for answers, imported histograms and labels, runs, drift, curve and promotions; 3 for the table: runs, exports,
    # schedule; 10 that read the stored charts over time and tell whether they are the newest, also by reported photos
    # and changes of splits; 1 for whether the campaign is large.
    with django_assert_num_queries(39, exact=False) as few:
        client.get("/campaigns/watches/models/")
    add_versions(5)
    with django_assert_num_queries(len(few.captured_queries)):
        client.get("/campaigns/watches/models/")
    with django_assert_num_queries(10, exact=False):
        client.get(f"/campaigns/watches/runs/{TrainingRun.objects.latest('pk').pk}/")


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_versions_measured_on_other_votes_are_not_compared_with_the_champion(
    client_of: Callable[[str], Any],
    people: dict[str, Any],
    make_rated_images: Callable[..., Any],
    make_version: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = make_rated_images(holdout=30, votes=3)
    champion = make_version(1, champion=True, predict={image: (5.0 + image.pk % 3, 0.5) for image in images})
    challenger = make_version(2, predict={image: (image.quality, 0.5) for image in images})
    evaluation_make(version=champion)
    evaluation_make(version=challenger, against=champion)
    client = client_of("ada")
    page = client.get(MODELS)
    assert "not comparable" not in text_of(page)
    assert 'class="number better"' in page.content.decode()
    assert re.search(rf"Version 2, measured {TIME} on 30 holdout photos with 90 votes\.", text_of(page))

    vote(images[0], people["ada"], 5)
    assert "The champion, version 1, was measured before 1 newer holdout vote." in text_of(client.get(MODELS))
    evaluation_make(version=champion)
    page = client.get(MODELS)
    assert "Measured on other votes than the champion (version 1): not comparable." in text_of(page)
    assert page.content.decode().count('class="stats not-comparable"') == 1
    assert "newer holdout" not in text_of(page)

    sent: list[Any] = []
    # There is no broker in tests, so the messages are collected here.
    monkeypatch.setattr(versions_evaluate, "apply_async", lambda args, **options: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{MODELS}evaluate")
    (arguments,) = sent
    versions_evaluate(*arguments)
    assert "not comparable" not in text_of(client.get(MODELS))


def test_a_verdict_against_a_former_champion_is_no_reason_to_promote(
    client_of: Callable[[str], Any], make_rated_images: Callable[..., Any], make_version: Callable[..., Any]
) -> None:
    images = make_rated_images(holdout=30, votes=3)
    first = make_version(1, champion=True, predict={image: (5.0 + image.pk % 3, 0.5) for image in images})
    second = make_version(2, predict={image: (image.quality, 0.5) for image in images})
    third = make_version(3, predict={image: (image.quality, 0.5) for image in images})
    for version in (second, third):
        evaluation_make(version=version, against=first)
    client = client_of("ada")
    client.post(f"{MODELS}2/promote")
    refused = client.post(f"{MODELS}3/promote", follow=True)
    assert "Give a reason for your decision." in text_of(refused)
    client.post(f"{MODELS}3/promote", {"reason": "  It ranks\nblurred photos better. "})
    newest, oldest = Promotion.objects.all()
    assert oldest.reason.startswith("Decided by an admin; the rule agrees: Promote: Quality RPS −")
    said = "“It ranks blurred photos better.” Decided by an admin, without a comparison with the champion."
    assert newest.reason == said
    assert AuditRecord.objects.filter(kind="promotion").latest("pk").after == {"version": 3, "reason": said}
    assert "Promote against version 1, look 1 at this holdout Quality RPS −" in text_of(client.get(MODELS))


def test_the_page_counts_the_answers_that_a_run_learns_from(
    client_of: Callable[[str], Any], people: dict[str, Any], make_rated_images: Callable[..., Any]
) -> None:
    images = make_rated_images(train=4, holdout=3, features=8)
    vote(images[0], people["ada"], 5, saw_prediction=True)
    client = client_of("ada")
    text = text_of(client.get(MODELS))
    assert "A run would learn from 8 answers; no version has learned from votes yet" in text
    assert "Left out: 6 answers to holdout photos; 1 given after seeing a prediction." in text
    assert description(Rule()) in text
    client.post("/campaigns/watches/runs/start", {"exposed_answers": "on"})
    run = TrainingRun.objects.get()
    assert run.recipe["exposed_answers"] is True
    run_finish(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0, state=State.FAILED)
    page = client.get(MODELS)
    assert "A run would learn from 9 answers" in text_of(page)
    assert 'name="exposed_answers" checked' in page.content.decode()


def test_the_run_page_shows_when_and_on_which_votes_its_figures_were_measured(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    make_rated_images: Callable[..., Any],
    make_version: Callable[..., Any],
) -> None:
    images = make_rated_images(holdout=6)
    champion = make_version(1, champion=True, predict=dict.fromkeys(images, (5.0, 0.5)))
    challenger = make_version(2, predict={image: (image.quality, 0.5) for image in images})
    run = run_request(campaign=campaign, trigger="button")
    attempt = run_claim(run_id=run.pk) or 0
    run_write(run_id=run.pk, attempt=attempt, challenger=challenger, fingerprint="f", annotation_count=8)
    evaluation_make(version=challenger, against=champion, run=run)
    run_finish(run_id=run.pk, attempt=attempt, state=State.DONE)
    page = f"/campaigns/watches/runs/{run.pk}/"
    text = text_of(client_of("rita").get(page))
    assert re.search(rf"Version 2, measured {TIME} on 6 holdout photos with 12 votes\.", text)
    assert "8 answers to train photos, without those given after seeing a prediction" in text
    assert "Automatic choice." in text
    vote(images[0], people["ada"], 5)
    assert "Measured before 1 newer holdout vote; the calibration page shows the current figures." in text_of(
        client_of("rita").get(page)
    )


def test_a_large_campaign_keeps_the_number_of_answers_and_says_when_it_was_counted(
    client_of: Callable[[str], Any],
    people: dict[str, Any],
    make_rated_images: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = make_rated_images(train=4, features=4)
    client = client_of("ada")
    assert "Counted" not in text_of(client.get(MODELS))
    monkeypatch.setattr(counts, "LARGE", 1)  # 50,000 photos would take minutes
    assert "A worker is counting the answers" in text_of(client.get(MODELS))
    for pk in kept_counts.CLAIMS.claimable_ids():
        assert stored_count_make(pk)
    first = client.get(MODELS)
    assert "A run would learn from 8 answers" in text_of(first)
    assert re.search(r"Counted \d+ \w+, \d\d:\d\d:\d\d UTC", text_of(first))
    vote(images[0], people["ada"], 5)
    assert "A run would learn from 8 answers" in text_of(client.get(MODELS))
    monkeypatch.setattr(counts, "LARGE", 50_000)
    assert "A run would learn from 9 answers" in text_of(client.get(MODELS))
