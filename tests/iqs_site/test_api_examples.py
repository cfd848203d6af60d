"""The examples of docs/how-to/use-the-api.md and check-uploads.md run as they are written."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from annotation.models import Annotation, ApiToken, Campaign, Image
from annotation.services.batches import batch_claim, batch_run
from annotation.services.tokens import token_create
from tests.conftest import photo_bytes
from tests.inference.tiny_models import tiny_models_place
from tests.inference.tiny_versions import BACKBONE, version_of
from training.models import TrainingRun

EXAMPLES = re.findall(
    r"^```(bash|python)\n(.*?)^```", (django_settings.BASE_DIR / "docs/how-to/use-the-api.md").read_text(), re.M | re.S
)


@pytest.mark.django_db(transaction=True)
def test_the_examples_run(
    live_server: Any,
    campaign: Campaign,
    people: dict[str, Any],
    make_image: Callable[..., Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def import_now(task: Any, batch_id: int) -> None:
        """Do what a worker does; there is none here."""
        batch = batch_claim(batch_id=batch_id)
        assert batch is not None
        batch_run(batch=batch)

    monkeypatch.setattr("annotation.api_imports.announce", import_now)
    monkeypatch.setattr("training.api.announce", lambda *args, **options: None)
    campaign.slug = "demo"
    campaign.save()
    image = make_image(1)
    _, secret = token_create(user=people["rita"], name="examples", scope=ApiToken.Scope.ANNOTATE, days=1)
    _, admins = token_create(user=people["ada"], name="examples", scope=ApiToken.Scope.ADMIN, days=1)
    environment = {**os.environ, "IQS_URL": live_server.url, "IQS_TOKEN": secret}
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "new.jpg").write_bytes(photo_bytes(2))

    def output(language: str, code: str) -> str:
        program = ["bash", "-c"] if language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, code], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert [language for language, _ in EXAMPLES] == ["bash", "bash", "bash", "python", "python"]
    progress, _, leases, answer = (output(language, code) for language, code in EXAMPLES[:4])
    assert json.loads(progress)["images"] == 1
    assert (tmp_path / "answers.csv").read_text().startswith("annotation,image,")
    assert json.loads(leases)["leases"][0]["image_id"] == image.pk
    assert answer == f"{image.byte_size} True\n"
    stored = Annotation.objects.get()
    assert (stored.annotator, stored.image, stored.score) == (people["rita"], image, 7)
    environment["IQS_TOKEN"] = admins
    assert output(*EXAMPLES[4]) == "done 1 []\nqueued\n"
    assert Image.objects.filter(name="new.jpg").exists()
    assert TrainingRun.objects.get().requested_by == people["ada"]


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_upload_gate_run(
    live_server: Any,
    campaign: Campaign,
    people: dict[str, Any],
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny_models_place(settings.MODELS_ROOT)
    campaign.slug, campaign.backbone = "demo", BACKBONE
    campaign.save()
    version_of(campaign, 1, champion=True)
    # Score each photo as soon as it is sent: no worker runs beside the tests.
    monkeypatch.setattr("inference.api_gate.announce", lambda task, *arguments: task(*arguments))
    _, secret = token_create(user=people["rita"], name="shop", scope=ApiToken.Scope.ANNOTATE, days=1)
    environment = {**os.environ, "IQS_URL": live_server.url, "IQS_TOKEN": secret}
    page = (django_settings.BASE_DIR / "docs/how-to/check-uploads.md").read_text()
    curl, python = (code for _, code in re.findall(r"^```(bash|python)\n(.*?)^```", page, re.M | re.S))

    def output(*program: str) -> str:
        done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "photo.jpg").write_bytes(photo_bytes(1))
    answer = json.loads(output("bash", "-c", curl))
    assert answer["version"] == 1
    assert output(sys.executable, "-c", python).splitlines() == [answer["decision"], *answer["reasons"]]
    (tmp_path / "photo.jpg").write_bytes(b"Dear Sir or Madam")
    assert output(sys.executable, "-c", python).startswith("refused: Not a photo")
