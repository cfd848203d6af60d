"""A real worker imports a file of votes and counts the figures of a page, found by the sweep without a message."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from iqs_site.instance.supervisor import Instance
from tests.waiting import SECONDS, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]

QUEUE = """
import uuid
from annotation.exchange.registry import READERS
from annotation.models import Campaign, Image, StoredFigures
from annotation.services.vote_imports import upload_path, vote_import_begin

campaign = Campaign.objects.create(slug="watches", name="Watches")
Image.objects.bulk_create(
    Image(campaign=campaign, name=f"{n}.jpg", sha256=uuid.uuid4().hex * 2, suffix=".jpg", byte_size=1, width=9,
          height=9, phash=n, queue_position=n / 30)
    for n in range(30)
)
queued = vote_import_begin(campaign=campaign, reader=READERS["votes-csv"], source="votes.csv")
path = upload_path(queued)
path.parent.mkdir(parents=True)
lines = [f"p{p},{n}.jpg,{1 + (n + p) % 10}" for p in range(3) for n in range(30)]
path.write_text("\\n".join(["annotator,file,score", *lines]) + "\\n")
"""
FIGURES = """
from annotation.models import Campaign, StoredFigures
StoredFigures.objects.create(campaign=Campaign.objects.get(), kind="agreement", state="queued")
"""
STATE = """
import json
from annotation.models import Annotation, Image, StoredFigures, VoteImport
found = VoteImport.objects.get()
stored = StoredFigures.objects.first()
print(json.dumps({"state": found.state, "message": found.message, "votes": Annotation.objects.count(),
    "counted": Image.objects.filter(vote_count=3).count(), "figures": stored.votes if stored else 0,
    "fingerprint": stored.fingerprint if stored else ""}))
"""


@pytest.fixture(autouse=True)
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("IQS_SWEEP_SECONDS", "2")  # short, because the test waits until the sweep finds the work


def test_a_worker_imports_votes_and_counts_figures(tmp_path: Path) -> None:
    with Instance(tmp_path / "var") as instance:

        def shell(code: str) -> str:
            done = subprocess.run(
                [sys.executable, str(Path(django_settings.BASE_DIR) / "manage.py"), "shell", "-v", "0", "-c", code],
                env=os.environ | instance.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        def state() -> dict[str, object]:
            return json.loads(shell(STATE).splitlines()[-1])

        shell(QUEUE)
        wait_for(lambda: state()["state"] not in ("queued", "running"), "the import did not end", seconds=SECONDS)
        assert state() | {"figures": 0, "fingerprint": ""} == {
            "state": "done",
            "message": "",
            "votes": 90,
            "counted": 30,
            "figures": 0,
            "fingerprint": "",
        }
        shell(FIGURES)
        wait_for(lambda: state()["figures"] == 90, "the figures were not counted", seconds=SECONDS)
        assert len(str(state()["fingerprint"])) == 64
