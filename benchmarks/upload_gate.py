"""The upload gate: the time from sending a photo to the answer, over HTTP, against the same work in one process.

A running instance has the web server, the broker and a worker. The baseline is the scorer of the same model version in
this process: it decodes the photo in the sandbox, measures the distortions and runs the network. Each photo is scored
both ways, one after the other, so that other load meets both.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._machine import machine
from benchmarks._photos import camera_photos, photo_files
from benchmarks._site import SLUG, site_running

PHOTOS, CAMERA_PHOTOS = 150, 40
MEGAPIXELS = 12.0
#: Milliseconds, p95 of the API.
LIMIT, CAMERA_LIMIT = 150, 1_000
_WARM_UP = 3


def measure(setting: Setting) -> Iterator[Claim]:
    """Send photos of the folder, or generated ones, and photos like those of a camera; then files that are no photo."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        files = photo_files(setting, folder, 6 if setting.tiny else PHOTOS)
        camera = camera_photos(folder, 0.5 if setting.tiny else MEGAPIXELS, 2)
        # The benchmark sends more photos than one user may send in an hour.
        os.environ |= {"IQS_SCORED_PHOTOS_PER_HOUR": "0", "IQS_SCORING_SECONDS_PER_HOUR": "0"}
        with site_running(folder / "var", files[:2], ["gate"]) as (url, _):
            yield from _claims(url, files, camera * (1 if setting.tiny else CAMERA_PHOTOS // 2), is_tiny=setting.tiny)


def _claims(url: str, files: list[Path], camera: list[Path], *, is_tiny: bool) -> Iterator[Claim]:
    import httpx

    from annotation.models import ApiToken, Campaign, User
    from annotation.services.tokens import token_create
    from inference.selectors import champion
    from inference.services.scoring_models import model_of
    from inference.services.versions import prior_install

    campaign = Campaign.objects.get(slug=SLUG)
    version = champion(campaign) or prior_install(campaign=campaign)
    version.campaign = campaign
    scorer = model_of(version).scorer()
    _, secret = token_create(
        user=User.objects.get(username="gate"), name="benchmark", scope=ApiToken.Scope.ANNOTATE, days=1
    )
    address = f"/api/campaigns/{SLUG}/gate"
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/octet-stream"}
    with httpx.Client(base_url=url, headers=headers, timeout=120) as client:

        def send(data: bytes, expected: int) -> None:
            answer = client.post(address, content=data)
            while answer.status_code == httpx.codes.ACCEPTED:  # longer than the request waits: it counts in full
                time.sleep(0.01)
                answer = client.get(f"{address}/{answer.json()['ticket']}")
            if answer.status_code != expected:
                raise RuntimeError(f"status {answer.status_code}: {answer.text}")

        def score(path: Path) -> None:
            for _ in scorer.rows([path], name=str, source=lambda one: one, batch=1):
                pass

        for path in files[:_WARM_UP]:  # the worker loads the model
            send(path.read_bytes(), 200)
            score(path)
        for what, photos, limit in (
            ("photos of the folder", files, LIMIT),
            (f"camera photos of {MEGAPIXELS:g} megapixels", camera, CAMERA_LIMIT),
        ):
            api, alone = [], []
            for path in photos:
                data = path.read_bytes()
                alone.append(1000 * seconds_of(lambda path=path: score(path)))
                api.append(1000 * seconds_of(lambda data=data: send(data, 200)))
            yield from _compared(what, api, alone, limit, is_tiny=is_tiny)
        junk = [1000 * seconds_of(lambda data=data: send(data, 422)) for data in _junk(files)]
        yield machine().seconds_claim(
            f"Upload gate, {len(junk)} files that are no photo: p95 of the refusal", _p(junk, 95), LIMIT, "ms"
        )


def _compared(what: str, api: list[float], alone: list[float], limit: float, *, is_tiny: bool) -> Iterator[Claim]:
    yield Claim(
        claim=f"Upload gate, {len(api)} {what}: p50 {_p(api, 50):.0f} ms, p95 {_p(api, 95):.0f} ms over HTTP",
        value=_p(alone, 95) / _p(api, 95),
        unit="times as fast",
        baseline=f"same model in one process: p50 {_p(alone, 50):.0f} ms, p95 {_p(alone, 95):.0f} ms",
        target=0.0 if is_tiny else 0.4,
    )
    if not is_tiny:
        yield machine().seconds_claim(f"Upload gate, {what}, p95", _p(api, 95), limit, "ms")


def _junk(files: list[Path]) -> list[bytes]:
    """Return cut photos and texts."""
    return [
        content
        for path in files[:20]
        for content in (path.read_bytes()[: path.stat().st_size // 2], b"no photo " * 500)
    ]


def _p(milliseconds: list[float], percent: float) -> float:
    return float(np.percentile(milliseconds, percent))
