"""The health checks of the containers find out whether their program works, in every documented set-up."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from iqs_site.container_health import Unhealthy, beat_check, main, web_check, worker_check

ROOT = Path(django_settings.BASE_DIR)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("hosts", ["photos.example.org", ".example.org", "127.0.0.1,localhost", "*"])
def test_the_web_server_is_healthy(
    live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, https: bool, hosts: str
) -> None:
    settings.ALLOWED_HOSTS = hosts.split(",")
    settings.SECURE_SSL_REDIRECT = https
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if https else None
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    web_check(port=live_server.thread.port)


@pytest.mark.django_db(transaction=True)
def test_a_web_server_that_refuses_the_host_is_unhealthy(
    live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_HOSTS = ["another.example.org"]
    monkeypatch.setenv("ALLOWED_HOSTS", "photos.example.org")
    with pytest.raises(Unhealthy, match="answers 400"):
        web_check(port=live_server.thread.port)


def test_a_web_server_that_does_not_answer_is_unhealthy() -> None:
    with pytest.raises(Unhealthy, match="does not answer"):
        web_check(port=1)


def test_a_worker_without_a_broker_is_unhealthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", f"unix://{tmp_path / 'none.sock'}")
    with pytest.raises(Unhealthy, match="the worker does not answer"):
        worker_check("inference")


@pytest.fixture
def database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    found = connection.settings_dict
    login = f"{quote(str(found['USER']))}:{quote(str(found['PASSWORD']))}"
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{login}@{quote(str(found['HOST']), safe='')}/{found['NAME']}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("database_url")
class TestBeat:
    def sweep_sent(self, seconds: int) -> None:
        schedule, _ = IntervalSchedule.objects.get_or_create(every=15, period="seconds")
        sent = timezone.now() - timedelta(seconds=seconds)
        PeriodicTask.objects.create(name="training sweep", task="sweep", interval=schedule, last_run_at=sent)

    def test_a_recent_sweep_is_healthy(self) -> None:
        self.sweep_sent(seconds=200)  # beat writes every three minutes
        beat_check()

    def test_an_old_sweep_is_unhealthy(self) -> None:
        self.sweep_sent(seconds=600)
        with pytest.raises(Unhealthy, match=r"60\d s old"):
            beat_check()

    def test_rare_sweeps_may_be_older(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IQS_SWEEP_SECONDS", "300")
        self.sweep_sent(seconds=900)
        beat_check()

    def test_no_sweep_is_unhealthy(self) -> None:
        with pytest.raises(Unhealthy, match="no sweep was sent yet"):
            beat_check()


def test_a_database_that_does_not_answer_is_unhealthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://iqs@{quote(str(tmp_path), safe='')}/iqs")
    with pytest.raises(Unhealthy, match="the database does not answer"):
        beat_check()


def test_unhealthy_is_one_sentence_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "1")
    assert main(["web"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["something"]) == 2


def test_the_check_starts_as_in_the_containers_without_loading_django() -> None:
    command = [sys.executable, "-P", "-X", "importtime", "iqs_site/container_health.py", "web"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PORT": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "unhealthy: the web server does not answer" in done.stderr
    assert "django" not in done.stderr
