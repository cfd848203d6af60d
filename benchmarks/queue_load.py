"""The queue under load: leases and saves over HTTP on the server of `make run`, and leases in a large campaign."""

import random
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from benchmarks import _plain_site
from benchmarks._campaign import temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._http_client import session_make
from benchmarks._load_campaign import VOTES, campaign_make, people_make, workers_await
from benchmarks._machine import machine
from benchmarks._raters import Timings, p95, rate_steadily, rate_without_pause

if TYPE_CHECKING:
    from annotation.models import Campaign, User

STEADY, AT_ONCE = 50, 10  # annotators
ALLOWED_MS, ALLOWED_CYCLE_MS, WANTED_RATE, ALLOWED_GROWTH = 30, 150, 100, 1.5
AHEAD = 5  # photos that the annotate page leases in advance
_WARM_UP_SECONDS = 3.0

_WRONG = """
SELECT count(*) FILTER (WHERE n > %(votes)s OR n > people) FROM (
  SELECT count(*) AS n, count(DISTINCT annotator_id) AS people
  FROM annotation_annotation WHERE campaign_id = %(campaign)s GROUP BY image_id
) photos
"""


def measure(setting: Setting) -> Iterator[Claim]:
    """Rate on a running instance and on the baseline site, then time the service in a small and a large campaign."""
    seconds = 1.0 if setting.tiny else 60.0
    few, many, most = (200, 400, 2000) if setting.tiny else (10_000, 100_000, 1_000_000)
    with temporary_campaign("load") as (folder, _campaign):
        # Imported here, because it loads the settings, which need DATABASE_URL.
        from iqs_site.instance.supervisor import Instance

        people = people_make(STEADY)
        sessions = [session_make(user) for user in people]
        with Instance(folder) as instance:
            campaign = campaign_make("without_pause", few, people)
            workers_await(campaign, instance)
            rate_without_pause(instance.url, campaign.slug, sessions[:AT_ONCE], seconds=min(seconds, _WARM_UP_SECONDS))
            without_pause = rate_without_pause(instance.url, campaign.slug, sessions[:AT_ONCE], seconds=seconds / 3)
            _check(campaign)
            campaign = campaign_make("steady", many, people)
            workers_await(campaign, instance)
            steady = rate_steadily(instance.url, campaign.slug, sessions, seconds=seconds, ahead=AHEAD)
            _check(campaign)
        with _plain_site_served() as url:
            _plain_site.tables_make(many)
            # It falls behind at once, so a short time is enough.
            plain = rate_steadily(url, "plain", sessions, seconds=seconds / 12, ahead=0)
        yield from _without_pause_claims(without_pause, few)
        yield from _steady_claims(steady, plain, many)
        yield _growth_claim(people, few, most, claims=5 if setting.tiny else 25)


def _without_pause_claims(ours: Timings, photos: int) -> Iterator[Claim]:
    yield machine().rate_claim(
        f"{AT_ONCE} annotators without a pause on {photos:,} photos: {ours.rate:.0f} ratings per second, "
        f"no answer stored twice (the load generator used {ours.generator_share:.0%} of a core)",
        ours.rate,
        WANTED_RATE,
        "per second",
    )
    yield machine().seconds_claim(
        f"{AT_ONCE} annotators without a pause, save and next lease, p95", p95(ours.cycles), ALLOWED_CYCLE_MS, "ms"
    )


def _steady_claims(ours: Timings, plain: Timings, photos: int) -> Iterator[Claim]:
    load = f"{STEADY} annotators with one rating per second each on {photos:,} photos"
    yield Claim(
        claim=f"{load}, lease: p95 {p95(ours.claims):.1f} ms (the load generator used {ours.generator_share:.0%} of a "
        "core)",
        value=p95(plain.claims) / p95(ours.claims),
        unit="times as fast",
        baseline="a simple site without login and leases, which counts the answers of every photo to find the next "
        f"one, under the same load: p95 {p95(plain.claims):.0f} ms",
        target=10.0,
    )
    for what, seconds in (("lease", ours.claims), ("save", ours.saves)):
        yield machine().seconds_claim(f"{load}, {what}, p95", p95(seconds), ALLOWED_MS, "ms")


def _growth_claim(people: list["User"], few: int, most: int, *, claims: int) -> Claim:
    """Lease photos one after the other, in a small and a large campaign in turn, for many annotators."""
    from annotation.services.queue import leases_claim
    from iqs_site.prepared_statements import statements_prepared

    campaigns = [campaign_make(f"claims-{count}", count, people) for count in (few, most)]
    durations: list[list[float]] = [[], []]
    rng = random.Random(1)
    for user in people:
        held: list[list[int]] = [[], []]
        for _ in range(claims):
            for place, campaign in enumerate(campaigns):
                start = time.perf_counter()
                with statements_prepared():  # as in a request of the annotate page
                    leases = leases_claim(campaign=campaign, annotator=user, count=1, known=held[place], rng=rng)
                durations[place].append(time.perf_counter() - start)
                held[place] += [lease.image_id for lease in leases]
    small, large = (1000 * statistics.median(times) for times in durations)
    return Claim(
        claim=f"Leasing one of {most:,} photos: {large:.2f} ms in the service, median of {len(durations[1]):,} leases",
        value=small / large,
        unit="times as fast",
        baseline=f"leasing one of {few:,} photos: {small:.2f} ms",
        target=round(1 / ALLOWED_GROWTH, 3),
    )


def _check(campaign: "Campaign") -> None:
    """Raise RuntimeError when a photo has too many answers, or two answers of one annotator."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_WRONG, {"campaign": campaign.pk, "votes": VOTES})
        if wrong := cursor.fetchone()[0]:
            raise RuntimeError(f"{wrong} photos of {campaign.slug} have too many answers, or two of one annotator")


@contextmanager
def _plain_site_served() -> Iterator[str]:
    """Run the baseline site with the web server and the options of `make run`; yield its address.

    Its worker class is gunicorn's own: the one of `make run` asks the settings of IQS for limits.
    """
    from iqs_site.instance.preflight import port_checked
    from iqs_site.instance.supervisor import programs

    port = port_checked("127.0.0.1", 0)
    others = {
        "iqs_site.wsgi:application": "benchmarks._plain_site:application",
        "iqs_site.server.worker.BufferingWorker": "gthread",
    }
    command = [others.get(word, word) for word in programs(host="127.0.0.1", port=port)["web"]]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            _listening_await(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _listening_await(port: int) -> None:
    """Wait until a server listens on the port. Raises ConnectionError after two minutes."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)  # polls another process
    raise ConnectionError(f"the plain site does not listen on port {port}")
