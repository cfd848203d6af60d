"""How fast leases and saves are while workers train and predict all photos, against the same instance when idle."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._campaign import temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._http_client import session_make
from benchmarks._load_campaign import campaign_make, people_make, workers_await
from benchmarks._raters import Timings, rate_steadily
from iqs_site.instance import embedded

if TYPE_CHECKING:
    from annotation.models import Campaign
    from iqs_site.instance.supervisor import Instance

RATERS = 10
ALLOWED = 1.2
_POLL = 0.2  # seconds between two looks at what the workers have done


@dataclass
class Round:
    """Rating when the instance is idle, and just after that while workers learn.

    alone, beside: seconds that workers took to train and to predict all photos, without raters and beside them.
    """

    idle: Timings
    busy: Timings
    alone: float
    beside: float
    times: int


def measure(setting: Setting) -> Iterator[Claim]:
    """Rate with one answer a second and person on a running instance, in turn idle and while workers learn."""
    seconds, count, rounds = (2.0, 200, 1) if setting.tiny else (20.0, 20_000, 5)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iqs-broker-")))
        os.environ["REDIS_URL"] = stack.enter_context(embedded.valkey_running(place))
        folder, _campaign = stack.enter_context(temporary_campaign("learning-load"))
        # Imported here, because it loads the settings, which need DATABASE_URL.
        from iqs_site.instance.supervisor import Instance

        people = people_make(RATERS)
        sessions = [session_make(user) for user in people]
        with Instance(folder, 0, quiet=True) as instance:
            campaign = campaign_make("learning", count, people)
            _features_make(campaign)
            workers_await(campaign, instance)
            _predictions_await(campaign)

            def rated() -> Timings:
                return rate_steadily(instance.url, campaign.slug, sessions, seconds=seconds, ahead=0)

            rated()  # answers to learn from; it also warms up the server
            measured = []
            for _ in range(rounds):
                alone = _learning_seconds(campaign)
                workers_await(campaign, instance)
                measured.append(_round(campaign, instance, rated, alone))
    yield from _claims(measured, count)


def _round(campaign: "Campaign", instance: "Instance", rated: Callable[[], Timings], alone: float) -> Round:
    """Rate when the instance is idle and then while workers learn; end when they rest again."""
    idle = rated()
    stopped = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        learning = pool.submit(_learn, campaign, stopped)
        busy = rated()
        stopped.set()
        beside = learning.result()
    workers_await(campaign, instance)
    return Round(idle, busy, alone, beside[0], len(beside))


def _claims(rounds: list[Round], count: int) -> Iterator[Claim]:
    """Yield one claim for leases, for saves, and for the time of learning. The value is the median of the rounds."""
    times = sum(one.times for one in rounds)
    load = f"{RATERS} annotators with one rating per second each, while workers trained and predicted {count:,} photos"
    names = {"lease": "claims", "save": "saves"}
    for what in names:
        pairs = np.array([[_median(getattr(time, names[what])) for time in (one.busy, one.idle)] for one in rounds])
        ratios = pairs[:, 1] / pairs[:, 0]
        now, then = np.median(pairs, axis=0)
        yield Claim(
            claim=f"{load} {times} times: median {what} {now:.1f} ms; {len(rounds)} rounds, "
            f"{ratios.min():.2f} to {ratios.max():.2f} times the speed",
            value=float(np.median(ratios)),
            unit="times the speed",
            baseline=f"the same instance when idle, just before each round: {then:.1f} ms",
            target=round(1 / ALLOWED, 2),
        )
    alone, beside = (float(np.median([getattr(one, name) for one in rounds])) for name in ("alone", "beside"))
    yield Claim(
        claim=f"Training and predicting {count:,} photos beside {RATERS} annotators: {beside:.1f} s",
        value=alone / beside,
        unit="times the speed",
        baseline=f"without annotators: {alone:.1f} s",
        target=0.5,
    )


def _median(seconds: list[float]) -> float:
    """Return the median in milliseconds."""
    return 1000 * float(np.median(seconds))


def _features_make(campaign: "Campaign") -> None:
    """Store random features for all photos, and put one photo in ten into the holdout."""
    from django.db import connection

    from inference.networks.config import backbone_config

    size = backbone_config(campaign.backbone).feature_size
    vectors = np.abs(np.random.default_rng(1).normal(size=(256, size))).astype("<f2")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inference_feature SET state = 'done', vector = (%s::bytea[])[1 + image_id %% 256] "
            "WHERE image_id IN (SELECT id FROM annotation_image WHERE campaign_id = %s)",
            [[vector.tobytes() for vector in vectors], campaign.pk],
        )
        cursor.execute(
            "UPDATE annotation_image SET split = 'holdout' WHERE campaign_id = %s AND id %% 10 = 0", [campaign.pk]
        )
        cursor.execute("VACUUM ANALYZE annotation_image")


def _predictions_await(campaign: "Campaign") -> None:
    """Wait until workers have predicted all photos with the champion."""
    from annotation.tasks import announce
    from inference.models import Prediction
    from inference.tasks import sweep

    announce(sweep)
    until = time.monotonic() + 1200
    while time.monotonic() < until:
        predicted = Prediction.objects.filter(image__campaign=campaign, model_version__is_champion=True).count()
        if predicted == campaign.images.count():
            return
        time.sleep(_POLL)  # observes other processes
    raise TimeoutError("the workers did not predict all photos within twenty minutes")


def _learn(campaign: "Campaign", stopped: threading.Event) -> list[float]:
    """Train, promote and predict again and again until `stopped`; return the seconds that each time took."""
    seconds = []
    while not stopped.is_set():
        seconds.append(_learning_seconds(campaign))
    return seconds


def _learning_seconds(campaign: "Campaign") -> float:
    """Train, promote and predict all photos again; return how many seconds it took."""
    start = time.perf_counter()
    _version_new(campaign)
    _predictions_await(campaign)
    return time.perf_counter() - start


def _version_new(campaign: "Campaign") -> None:
    """Let workers train a version, and promote it if they did not. Raises RuntimeError if the run fails."""
    from annotation.tasks import announce
    from training.models import Promotion, TrainingRun
    from training.services.promotions import promotion_make
    from training.services.runs import run_request
    from training.tasks import run_execute

    run = run_request(campaign=campaign, trigger=TrainingRun.Trigger.BUTTON)
    announce(run_execute, run.pk)
    while run.state in TrainingRun.LIVE:
        time.sleep(_POLL)  # observes other processes
        run.refresh_from_db()
    if run.state not in (TrainingRun.State.DONE, TrainingRun.State.SKIPPED):
        raise RuntimeError(f"the run made no version: {run.message}")
    version = campaign.model_versions.latest("number")
    if not version.is_champion:
        promotion_make(version=version, kind=Promotion.Kind.MANUAL, reason="benchmark")
