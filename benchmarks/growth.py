"""Whether scoring becomes slower with ten times the photos. Calls the workers' service on a real database."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks._campaign import images_make, temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._photos import photo_files


def measure(setting: Setting) -> Iterator[Claim]:
    """Score a few photos, then ten times as many, then a few again."""
    few = 20 if setting.tiny else 1000
    with temporary_campaign("growth") as (folder, campaign):
        from inference.selectors import features_queue
        from inference.services.backlog import work_enqueue
        from inference.services.features import features_compute
        from inference.services.versions import prior_install

        files = photo_files(setting, folder, 8 if setting.tiny else 256)
        prior_install(campaign=campaign)

        def photos_per_second(count: int) -> float:
            images_make(campaign, count, files=files)
            start = _processor_seconds()
            work_enqueue(queue=features_queue(campaign.backbone))
            assert features_compute(seconds=3600) == count
            return count / (_processor_seconds() - start)

        photos_per_second(few // 4)  # loads the network
        before = photos_per_second(few)
        many = photos_per_second(10 * few)
        after = photos_per_second(few)
    small = (before + after) / 2
    yield Claim(
        claim=f"Scoring {10 * few:,} photos, from file to stored prediction: {many:.0f} photos per second of processor "
        "time",
        value=many / small,
        unit="times as many photos per second",
        baseline=f"{few:,} photos, before and after it: {before:.0f} and {after:.0f} photos per second",
        target=0.9,
    )


def _processor_seconds() -> float:
    """Return the processor time of this process and its database process in seconds. Other load changes it little."""
    from django.db import connection

    connection.ensure_connection()
    fields = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
