"""Fixtures for all tests: a real PostgreSQL, users with roles, a campaign with photos.

The names are fixed: alice is an annotator, bob another, rita the reviewer, ada the admin of `campaign`;
mallory has an account but no membership.
"""

import io
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from PIL import Image as PillowImage

from tests.browser.chromium import BANNER, WITHOUT_CHROMIUM

# No limit that depends on time: machines differ in speed, and other programs run at the same time.
TOO_SLOW = [HealthCheck.too_slow]
hypothesis_settings.register_profile("iqs", deadline=None, suppress_health_check=TOO_SLOW)
hypothesis_settings.register_profile(
    "api-check", hypothesis_settings.get_profile("iqs"), max_examples=100
)  # `make api-check`
hypothesis_settings.load_profile("iqs")

pytest.register_assert_rewrite("tests.browser.keeping")  # so that a failed assert there shows both values


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Generator[None, None, None]:
    """Print at the end that the browser tests did not run, because a list of skipped tests is easy to miss."""
    yield
    if any(WITHOUT_CHROMIUM in str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(BANNER, red=True, bold=True)


@pytest.fixture(autouse=True)
def _temporary_folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MODELS_ROOT = tmp_path / "models"
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for speed; tests have no secrets


@pytest.fixture(autouse=True)
def _precision_not_measured(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Serve int8 where it is shipped, because tests must not depend on which file is faster on this machine."""
    from inference.serving import precision

    settings.IQS_PRECISION = "auto"  # tests/database.py fixes it for the programs that tests start
    monkeypatch.setattr(precision, "precision_settle", lambda *args, **options: None)


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    from annotation.models import User

    def make(username: str, **fields: Any) -> User:
        return User.objects.create_user(username=username, password="pass-word-1", **fields)

    return make


@pytest.fixture
def campaign(db: None) -> Any:
    from annotation.models import Campaign

    # All photos at random, so that tests of other things need no priorities.
    shares = {"random": 1.0}
    return Campaign.objects.create(slug="watches", name="Watches", holdout_fraction=0.2, lane_shares=shares)


@pytest.fixture
def people(campaign: Any, make_user: Callable[..., Any]) -> dict[str, Any]:
    """Return {name: user} for alice, bob, rita, ada, mallory, and 'anonymous'."""
    from annotation.models import Membership, Role

    roles = {"alice": Role.ANNOTATOR, "bob": Role.ANNOTATOR, "rita": Role.REVIEWER, "ada": Role.ADMIN, "mallory": None}
    users: dict[str, Any] = {"anonymous": AnonymousUser()}
    for name, role in roles.items():
        users[name] = make_user(name)
        if role:
            Membership.objects.create(campaign=campaign, user=users[name], role=role)
    return users


@pytest.fixture
def client_of(people: dict[str, Any]) -> Callable[[str], Any]:
    """Return a function from a name (or 'anonymous') to a django.test.Client, which is logged in with that name."""
    from django.test import Client

    def make(name: str) -> Client:
        client = Client()
        if name != "anonymous":
            client.force_login(people[name])
        return client

    return make


def photo_bytes(seed: int, *, width: int = 96, height: int = 64, kind: str = "JPEG") -> bytes:
    """Return the bytes of a small picture that looks like a photo. Each seed gives a different one."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (4, 6, 3), dtype=np.uint8)
    picture = PillowImage.fromarray(coarse).resize((width, height), PillowImage.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def photo_path(image: Any) -> Path:
    """Return the path of a photo's original file, for tests that read or damage it."""
    from django.core.files.storage import storages

    return Path(storages["photos"].path(image.photo_name))


def thumbnail_path(image: Any) -> Path:
    """Return the path of a photo's thumbnail."""
    from django.core.files.storage import storages

    return Path(storages["photos"].path(image.thumbnail_name))


@pytest.fixture
def make_image(campaign: Any, settings: Any) -> Callable[..., Any]:
    """Return a function that stores a small photo and its row; `make_image(7, split='holdout', …)`."""
    import hashlib

    from annotation.models import Image

    def make(seed: int = 0, **fields: Any) -> Image:
        data = photo_bytes(seed)
        photo_campaign = fields.pop("campaign", campaign)
        image = Image(
            **{
                "campaign": photo_campaign,
                "name": f"photo-{seed}.jpg",
                "sha256": hashlib.sha256(data).hexdigest(),
                "suffix": ".jpg",
                "byte_size": len(data),
                "width": 96,
                "height": 64,
                "phash": seed,
                "queue_position": (seed * 0.618034) % 1.0,
                "votes_needed": photo_campaign.votes_per_image,
                "open_slots": photo_campaign.votes_per_image,
                **fields,
            }
        )
        photo_path(image).parent.mkdir(parents=True, exist_ok=True)
        photo_path(image).write_bytes(data)
        image.save()
        return image

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
