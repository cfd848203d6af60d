"""Whether ten times the photos take ten times as long: the service that workers call, on a real database."""

import time
from collections.abc import Iterator

from benchmarks._campaign import campaign_alone, images_make
from benchmarks._claims import Claim, Setting
from benchmarks._photos import photo_files


def measure(setting: Setting) -> Iterator[Claim]:
    """See and predict a few photos, then ten times as many behind them, then a few again."""
    few = 20 if setting.tiny else 1000
    with campaign_alone("growth") as (folder, campaign):
        from inference.selectors import features_queue
        from inference.services.backlog import work_enqueue
        from inference.services.features import features_compute
        from inference.services.versions import prior_install

        files = photo_files(setting, folder, 8 if setting.tiny else 256)
        prior_install(campaign=campaign)

        def photos_per_second(count: int) -> float:
            images_make(campaign, count, files=files)
            start = time.perf_counter()
            work_enqueue(queue=features_queue())
            assert features_compute(seconds=3600) == count
            return count / (time.perf_counter() - start)

        photos_per_second(few // 4)  # loads the network
        before = photos_per_second(few)
        many = photos_per_second(10 * few)
        after = photos_per_second(few)
    # Whatever else the machine does changes meanwhile: both ends count.
    small = (before + after) / 2
    yield Claim(
        claim=f"Scoring {10 * few:,} photos, {many:.0f} per second from the file to the stored prediction",
        value=many / small,
        unit="times as many photos per second",
        baseline=f"{few:,} photos, before and after: {before:.0f} and {after:.0f} per second",
        target=0.9,
    )
