"""The demo campaign: created only once, and only in an empty database. Its simulated annotators are marked."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from annotation.models import Annotation, Campaign, Image, ImportBatch, User
from annotation.selectors.progress import has_practised, practice_photos
from iqs_site.demo.accounts import accounts_file, demo_logins, password_get_or_make, passwords
from iqs_site.demo.campaign import DemoError, demo_annotate, demo_prepare, panel_accounts
from iqs_site.demo.panel import Panel
from iqs_site.demo.photos import DemoPhoto, photos_write
from iqs_site.instance.models_install import STATE_VARIABLE, state_begin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _temporary_var(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path


@pytest.fixture
def demo(settings: Any) -> Campaign:
    demo_prepare(lambda line: None, count=2)
    return Campaign.objects.get(slug="demo")


def test_the_demo_has_photos_users_with_roles_and_settings(demo: Campaign):
    roles = dict(demo.memberships.values_list("user__username", "role"))

    assert Image.objects.filter(campaign=demo).count() == 2
    assert {name: roles[name] for name in ("annotator", "reviewer", "admin")} == {
        "annotator": "annotator",
        "reviewer": "reviewer",
        "admin": "admin",
    }
    assert sum(role == "annotator" for role in roles.values()) == 11
    assert demo.promote_automatically
    assert demo.train_after == 200
    assert "watch" in demo.instructions
    for image in Image.objects.filter(campaign=demo):
        assert set(image.details) == {"degradation", "grade", "watch", "kind"}
        assert image.details["watch"] is bool(image.details["kind"])


@pytest.mark.slow
def test_practice_photos_go_from_worst_to_best_and_expected_watch_answers_are_correct(settings: Any):
    demo_prepare(lambda line: None, count=120)
    special = Image.objects.filter(campaign__slug="demo").exclude(role=Image.Role.RATED)
    assert sorted(special.values_list("role", flat=True)) == ["example"] * 3 + ["gold"] * 3 + ["practice"] * 5
    scores = [photo.expected_score for photo in practice_photos(Campaign.objects.get(slug="demo"))]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] >= 3
    for photo in special:
        assert photo.split == Image.Split.TRAIN
        assert (photo.expected_watch == "yes") == photo.details["watch"]


def test_simulated_annotators_are_marked_and_people_are_not(demo: Campaign):
    simulated = User.objects.filter(is_simulated=True)

    assert sorted(simulated.values_list("username", flat=True)) == [f"sim-{number:02d}" for number in range(1, 11)]
    assert set(simulated.values_list("first_name", flat=True)) == {"Simulated"}
    assert not simulated.filter(is_staff=True).exists()
    assert not User.objects.get(username="admin").is_simulated
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["admin"]


def test_passwords_are_in_a_file_that_only_its_owner_can_read_and_are_valid(demo: Campaign):
    assert stat.S_IMODE(accounts_file().stat().st_mode) == 0o600
    assert set(demo_logins()) == {"annotator", "reviewer", "admin"}
    for name, password in demo_logins().items():
        assert authenticate(username=name, password=password) is not None
    assert len(set(passwords().values())) == 13
    accounts = panel_accounts(Panel())
    assert [account.annotator.username for account in accounts] == [f"sim-{number:02d}" for number in range(1, 11)]
    assert accounts[0].password not in repr(accounts[0])


def test_preparing_twice_changes_nothing(demo: Campaign):
    before, known_passwords = list(Image.objects.values_list("pk", "name")), passwords()
    lines: list[str] = []

    demo_prepare(lines.append, count=2)

    assert list(Image.objects.values_list("pk", "name")) == before
    assert passwords() == known_passwords
    assert lines == []


def test_a_second_call_completes_an_interrupted_first_one(demo: Campaign):
    Image.objects.filter(name="photo-002.jpg").delete()
    demo.memberships.filter(user__username="sim-03").delete()

    demo_prepare(lambda line: None, count=2)

    assert set(Image.objects.values_list("name", flat=True)) == {f"photo-{number:03d}.jpg" for number in (1, 2)}
    assert demo.memberships.filter(user__username="sim-03").exists()


def test_a_database_with_another_campaign_gets_no_demo(campaign: Campaign):
    demo_prepare(lambda line: None, count=2)

    assert list(Campaign.objects.values_list("slug", flat=True)) == ["watches"]
    assert passwords() == {}


def test_an_existing_account_keeps_its_password(make_user: Any):
    make_user("reviewer")

    demo_prepare(lambda line: None, count=2)

    assert User.objects.get(username="reviewer").check_password("pass-word-1")
    assert "reviewer" not in demo_logins()


def test_passwords_are_made_once_and_differ():
    made = {name: password_get_or_make(name) for name in ("a", "b", "c")}

    assert password_get_or_make("b") == made["b"]
    assert passwords() == made
    assert len(set(made.values())) == 3
    assert all(len(password) == 14 for password in made.values())


def test_annotating_without_a_demo_does_nothing(campaign: Campaign):
    demo_annotate("http://127.0.0.1:9", lambda line: None, wait_seconds=0)


def test_annotating_says_which_predictions_are_missing(demo: Campaign):
    with pytest.raises(DemoError, match=r"2 of 2 demo photos have no prediction yet; is a worker running\?"):
        demo_annotate("http://127.0.0.1:9", lambda line: None, wait_seconds=0)


def test_the_command_prepares_the_demo(campaign: Campaign, capsys: pytest.CaptureFixture[str]):
    call_command("seed_demo")  # there is another campaign, so the command does nothing

    assert capsys.readouterr().out == ""


def test_the_first_photos_can_be_rated_before_the_others_are_there():
    lines: list[str] = []
    demo_prepare(lines.append, count=5, first=2)
    assert Image.objects.filter(campaign__slug="demo", role=Image.Role.RATED, open_slots__gt=0).count() == 2
    demo_prepare(lines.append, count=5, first=2)
    assert Image.objects.count() == 2
    demo_prepare(lines.append, count=5)
    assert sorted(Image.objects.values_list("name", flat=True)) == [f"photo-{number:03d}.jpg" for number in range(1, 6)]
    assert {Path(batch.source).name for batch in ImportBatch.objects.all()} == {"demo-photos"}
    assert lines[1:] == ["demo: 2 of 5 photos are there", "demo: 5 of 5 photos are there"]


def test_photos_are_imported_while_others_are_still_drawn(monkeypatch: pytest.MonkeyPatch):
    """A start that is killed meanwhile loses the photos that are being drawn, and the next one goes on."""
    monkeypatch.setattr("iqs_site.demo.campaign._TOGETHER", 2)
    written = []

    def stops(folder: Path, plan: list[DemoPhoto]) -> Iterator[tuple[Path, DemoPhoto]]:
        for number, found in enumerate(photos_write(folder, plan)):
            if written and number:
                raise KeyboardInterrupt
            yield found
        written.append(len(plan))

    with monkeypatch.context() as patch:
        patch.setattr("iqs_site.demo.campaign.photos_write", stops)
        with pytest.raises(KeyboardInterrupt):
            demo_prepare(lambda line: None, count=5)
    assert Image.objects.count() == 2
    demo_prepare(lambda line: None, count=5)
    assert Image.objects.count() == 5


@pytest.mark.slow
def test_a_rated_photo_does_not_become_special_and_its_annotator_needs_no_practice():
    demo_prepare(lambda line: None, count=120, first=12)
    campaign, annotator = Campaign.objects.get(slug="demo"), User.objects.get(username="annotator")
    rated = list(campaign.images.all())
    for image in rated:
        Annotation.objects.create(
            campaign=campaign, image=image, annotator=annotator, watch="no", score=5, client_id=uuid4()
        )
    demo_prepare(lambda line: None, count=120)
    assert campaign.images.filter(role=Image.Role.PRACTICE).count() == 5
    assert not campaign.images.filter(pk__in=[image.pk for image in rated]).exclude(role=Image.Role.RATED).exists()
    assert has_practised(campaign, annotator)
    assert not has_practised(campaign, User.objects.get(username="sim-01"))


def test_the_annotators_wait_as_long_as_the_models_are_being_installed(
    demo: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    state = tmp_path / "models-install.json"
    monkeypatch.setenv(STATE_VARIABLE, str(state))
    state_begin(state)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            state.unlink()

    monkeypatch.setattr("iqs_site.demo.campaign.time.sleep", wait)  # nothing is running that could be waited for
    with pytest.raises(DemoError, match="no prediction yet"):
        demo_annotate("http://127.0.0.1:9", lambda line: None, wait_seconds=0)
    assert len(waits) >= 3
