"""Pages of a campaign with a million photos against the same pages with 1,000: the server's time in one process.

Each page has three claims: its p95 is at most three times that of the small campaign, its p95 is at most `LIMIT`, and
its first request, before a worker has counted what the page shows, takes at most `LIMIT` (calibration: `FIRST_PAINT`).
`IQS_BENCH_PHOTOS` makes the large campaign smaller. Filling a million photos takes 10 to 20 minutes and 6 GB in the
folder for temporary files.
"""

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._campaign import temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._machine import machine
from benchmarks._many_photos import HOLDOUT, VOTES, annotators_make, campaign_fill, seconds_told, statistics_update
from iqs_site.server.garbage import collector_set

if TYPE_CHECKING:
    from django.test import Client

    from annotation.models import Campaign

SMALL, LARGE = 1_000, 1_000_000
TIMES = 20
#: Milliseconds of a page of the large campaign, and of the first paint of the calibration page.
LIMIT, FIRST_PAINT = 300, 1_000
#: The large campaign's time may be so many times the small one's.
RATIO = 3

_CAMPAIGN = "/campaigns/{slug}/"
#: {name: address}. `photo` is a photo of the campaign, `rated` one that the calibration page compares.
PAGES = {
    "home": "/",
    "campaign overview": _CAMPAIGN,
    "gallery, first page": f"{_CAMPAIGN}photos/",
    "gallery, filter by class": f"{_CAMPAIGN}photos/?quality_class=accepted",
    "gallery, best predicted": f"{_CAMPAIGN}photos/?order=best",
    "gallery, highest MOS": f"{_CAMPAIGN}photos/?order=mos_best",
    "photo": f"{_CAMPAIGN}photos/{{photo}}/",
    "annotator quality": f"{_CAMPAIGN}annotator-quality/",
    "members": f"{_CAMPAIGN}members/",
    "disputed photos": f"{_CAMPAIGN}disputed/",
    "export": f"{_CAMPAIGN}export/",
    "models": f"{_CAMPAIGN}models/",
    "version": f"{_CAMPAIGN}models/2/",
    "next photos": f"{_CAMPAIGN}next/",
    "calibration": f"{_CAMPAIGN}calibration/",
    "calibration, one photo": f"{_CAMPAIGN}calibration/?photo={{rated}}",
}


def measure(setting: Setting) -> Iterator[Claim]:
    """Fill both campaigns, compute the stored figures as a worker does, and measure every page."""
    sizes = (60, 120) if setting.tiny else (SMALL, int(os.environ.get("IQS_BENCH_PHOTOS", LARGE)))
    with temporary_campaign("pages") as (_, large):
        from annotation.models import Campaign

        small = Campaign.objects.create(slug="small", name="Small")
        people = annotators_make()
        for campaign, size in ((small, sizes[0]), (large, sizes[1])):
            campaign_fill(campaign, people, size)
        statistics_update()
        yield from claims(small, large, times=2 if setting.tiny else TIMES, is_tiny=setting.tiny)


def claims(small: "Campaign", large: "Campaign", *, times: int = TIMES, is_tiny: bool = False) -> Iterator[Claim]:
    """Measure every page of two filled campaigns."""
    clients = {one.pk: _client(one) for one in (small, large)}
    for campaign in (small, large):
        figures_make(campaign)
    collector_set()  # as the web server does
    photos = large.images.count()
    about = f"{photos:,} photos, {VOTES * photos:,} votes, {photos // HOLDOUT:,} in the holdout"
    for name, address in PAGES.items():
        _, fast = _milliseconds(clients[small.pk], small, address, times)
        first, slow = _milliseconds(clients[large.pk], large, address, times)
        yield Claim(
            claim=f"{name}, {about}: p95 {slow:.0f} ms (first {first:.0f} ms)",
            value=fast / slow,
            unit=f"times as fast as with {small.images.count():,} photos",
            baseline=f"p95 {fast:.0f} ms",
            target=0.0 if is_tiny else round(1 / RATIO, 2),
        )
        if not is_tiny:
            yield machine().seconds_claim(f"{name}, p95", slow, LIMIT, "ms")
            limit = FIRST_PAINT if name == "calibration" else LIMIT
            yield machine().seconds_claim(f"{name}, first request", first, limit, "ms")


def figures_make(campaign: "Campaign") -> None:
    """Compute the stored figures of the pages, as a worker does when a page has asked for them."""
    from annotation.models import StoredFigures
    from annotation.services import counts, stored_figures
    from annotation.services.figures_rows import row_make
    from training.evaluation.calibration.filters import Filters
    from training.services import stored_calibrations
    from training.services.stored_trends import TREND

    counts.progress_ask()
    counts_make()
    version = campaign.model_versions.get(is_champion=True)
    row = stored_calibrations.calibration_row(campaign=campaign, version=version, filters=Filters())
    seconds_told(
        f"{campaign.slug}: figures of the calibration page", lambda: stored_calibrations.calibration_make(row=row)
    )
    trend = TREND.row(campaign=campaign)
    seconds_told(f"{campaign.slug}: versions over time", lambda: row_make(trend, TREND))
    raters, _ = StoredFigures.objects.get_or_create(campaign=campaign, kind=StoredFigures.Kind.RATERS)
    seconds_told(f"{campaign.slug}: annotator quality", lambda: stored_figures.figures_make(row=raters))


def counts_make() -> None:
    """Make the counts of large campaigns that pages or the sweep have asked for, as workers do."""
    from annotation.services.kept_counts import CLAIMS
    from annotation.tasks import stored_count_make

    for pk in CLAIMS.claimable_ids():
        if not stored_count_make(pk):
            raise RuntimeError("A count failed. See the log.")


def _client(campaign: "Campaign") -> "Client":
    """Return a client of an admin of this campaign only, because the home page shows all campaigns of a person."""
    from django.test import Client

    from annotation.models import Membership, Role, User

    client = Client()
    user, _ = User.objects.get_or_create(username=f"bench-{campaign.slug}")
    Membership.objects.get_or_create(campaign=campaign, user=user, defaults={"role": Role.ADMIN})
    client.force_login(user)
    return client


def _milliseconds(client: "Client", campaign: "Campaign", address: str, times: int) -> tuple[float, float]:
    """Return the time of the first request, and the 95th percentile of the later ones."""
    photos = campaign.images.order_by("pk")
    photo = photos.values_list("pk", flat=True)[photos.count() // 2]
    rated = photos.filter(split="holdout").values_list("pk", flat=True).first()
    path = address.format(slug=campaign.slug, photo=photo, rated=rated)
    taken = []
    for _ in range(times + 1):
        start = time.perf_counter()
        response = client.get(path)
        taken.append(1000 * (time.perf_counter() - start))
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}.")
        counts_make()
    return taken[0], float(np.percentile(taken[1:], 95))
