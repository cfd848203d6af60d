"""Pages of the gallery with many photos against the same pages with 1,000 photos: the server's time in one process.

Each claim is the median time of the small campaign divided by that of the large one: 1 is as fast, and at least a third
is wanted. The rows are drawn; no photo has a file. The pages of the small campaign include the counts beside the
filters; those of the large one ask for them afterwards, and that is a claim of its own.
"""

import statistics
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._campaign import images_make, temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._machine import machine

if TYPE_CHECKING:
    from django.test import Client

    from annotation.models import Campaign

SMALL, LARGE = 1_000, 200_000
PER_PAGE = 48
TIMES = 7
#: Milliseconds of a page of the large campaign.
LIMIT = 300


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure the first page, filters, orders, page 100 and the counts, in both campaigns."""
    sizes = (60, 120) if setting.tiny else (SMALL, LARGE)
    with temporary_campaign("gallery") as (_, campaign):
        from annotation.models import Campaign, User

        other = Campaign.objects.create(slug="small", name="Small")
        for one, size in ((other, sizes[0]), (campaign, sizes[1])):
            images_make(one, size)
            _fill(one)
        client = _client(User)
        for name, query in _pages(sizes).items():
            small, large = (_milliseconds(client, one, query[place]) for place, one in enumerate((other, campaign)))
            yield Claim(
                claim=f"Gallery of {sizes[1]:,} photos, {name}: {large:.0f} ms",
                value=small / large,
                unit=f"times as fast as with {sizes[0]:,} photos",
                baseline=f"{small:.0f} ms with {sizes[0]:,} photos",
                target=0.0 if setting.tiny or name == "counts beside the filters" else 0.33,
            )
            if name == "counts beside the filters":
                yield machine().seconds_claim("Counts, loaded after the photos", large, 2 * LIMIT, "ms")


def _pages(sizes: tuple[int, int]) -> dict[str, tuple[str, str]]:
    """Return {name: (address in the small campaign, in the large one)}."""
    same = {
        "first page": "",
        "filter by class": "?quality_class=accepted",
        "filter by class and watch": "?quality_class=rejected&watch=yes",
        "filter by votes": "?votes=none",
        "best predicted quality": "?order=best",
        "highest MOS": "?order=mos_best",
        "fewest votes": "?order=votes_fewest",
        "filter and order": "?order=mos_worst&quality_class=pending",
        "a tag of one photo in a hundred": "?tag=rare",
        "counts beside the filters": "counts/",
    }
    pages = {name: (address, address) for name, address in same.items()}
    deep = [f"?order=best&after={_score(min(100 * PER_PAGE, size // 2), size)!r}~0" for size in sizes]
    return pages | {"page 100": (deep[0], deep[1])}


def _score(place: int, size: int) -> float:
    """Return about the predicted mean of this place in the order of the best."""
    return float(1 + 9 * (1 - place / size))


def _fill(campaign: "Campaign") -> None:
    """Add a champion, predictions, distortions, MOS of a third of the photos, and tags."""
    from django.db import connection
    from django.utils import timezone

    from annotation.models import Image, PhotoConsensus, PhotoTag, Tag
    from inference.models import Distortion, ModelVersion, Prediction
    from inference.selectors import distortion_version

    rng = np.random.default_rng(campaign.pk)
    ids = list(Image.objects.filter(campaign=campaign).order_by("pk").values_list("pk", flat=True))
    version = ModelVersion.objects.create(
        campaign=campaign, number=1, backbone="none", folder="none", checksum="0" * 64, is_champion=True
    )
    means, watch = rng.uniform(1, 10, len(ids)), rng.beta(0.3, 2, len(ids))
    quality, rated = rng.uniform(0, 100, len(ids)), rng.random(len(ids)) < 1 / 3
    tag = Tag.objects.create(campaign=campaign, name="rare")
    size = 5_000
    for start in range(0, len(ids), size):
        rows = range(start, min(start + size, len(ids)))
        Prediction.objects.bulk_create(
            Prediction(
                image_id=ids[row],
                model_version=version,
                watch_probability=float(watch[row]),
                synset_probabilities=[],
                quality_mean=float(means[row]),
                quality_std=1.0,
                distribution=[],
            )
            for row in rows
        )
        Distortion.objects.bulk_create(
            Distortion(
                image_id=ids[row],
                version=distortion_version(),
                state="done",
                quality=float(quality[row]),
                quality_class="rejected" if quality[row] <= 10 else "pending" if quality[row] <= 60 else "accepted",
                blur=float(rng.random()),
            )
            for row in rows
        )
        PhotoConsensus.objects.bulk_create(
            PhotoConsensus(
                image_id=ids[row],
                campaign=campaign,
                votes=3,
                mos=float(round(3 * means[row]) / 3),
                low=1,
                high=10,
                corrected_mos=float(means[row]),
                corrected_error=0.5,
                updated_at=timezone.now(),
            )
            for row in rows
            if rated[row]
        )
        PhotoTag.objects.bulk_create(PhotoTag(tag=tag, image_id=ids[row]) for row in rows if row % 100 == 0)
    Image.objects.filter(campaign=campaign, consensus__isnull=False).update(vote_count=3, open_slots=0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _client(users: Any) -> "Client":
    from django.test import Client

    client = Client()
    client.force_login(users.objects.create_user(username="bench", password="bench-bench-1", is_superuser=True))
    return client


def _milliseconds(client: "Client", campaign: "Campaign", address: str) -> float:
    """Return the median time of a page, without its first call."""
    times = []
    for _ in range(TIMES + 1):
        start = time.perf_counter()
        response = client.get(f"/campaigns/{campaign.slug}/photos/{address}")
        times.append(1000 * (time.perf_counter() - start))
        assert response.status_code == 200, (address, response.status_code)
    return statistics.median(times[1:])
