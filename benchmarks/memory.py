"""The memory of a worker after many photos. It calls the worker's services in a process with the same imports."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks._campaign import images_make, temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._photos import photo_files

BUDGET_MIB = 1.2 * 1024


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure the memory after few and after many photos, and its peak. First install the prior, which loads torch."""
    few, large = (20, 1) if setting.tiny else (1000, 48)
    with temporary_campaign("memory") as (folder, campaign):
        import iqs_site.celery  # noqa: F401  # a worker loads it before its first task
        from inference.selectors import distortions_queue, features_queue
        from inference.services.backlog import work_enqueue
        from inference.services.distortions import distortions_compute
        from inference.services.features import features_compute
        from inference.services.versions import prior_install

        files = photo_files(setting, folder, 8 if setting.tiny else 256)
        prior_install(campaign=campaign)

        def resident_after(count: int) -> float:
            images_make(campaign, count, files=files)
            work_enqueue(queue=features_queue(campaign.backbone))
            assert features_compute(seconds=3600) == count
            return _mib("VmRSS")

        after_few = resident_after(few)
        after_many = resident_after(9 * few)
        images_make(campaign, large, files=[_large_photo(folder)])
        for queue in (features_queue(campaign.backbone), distortions_queue()):
            work_enqueue(queue=queue)
        features_compute(seconds=3600)
        distortions_compute(seconds=1 if setting.tiny else 20)
        peak = _mib("VmHWM")
    yield Claim(
        claim=f"Memory of a worker after {10 * few:,} photos: {after_many:.0f} MiB",
        value=after_few / after_many,
        unit="times as much memory",
        baseline=f"after {few:,} photos: {after_few:.0f} MiB",
        target=0.95,
    )
    yield Claim(
        claim=f"Peak memory of a worker, with distortions and photos of 12 megapixels: {peak:.0f} MiB",
        value=BUDGET_MIB / peak,
        unit="times as much memory",
        baseline=f"limit: {BUDGET_MIB / 1024:g} GiB",
        target=1.0,
    )


def _mib(key: str) -> float:
    """Return the current (VmRSS) or the peak (VmHWM) memory of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {key}")


def _large_photo(folder: Path) -> Path:
    """Return a photo of 12 megapixels."""
    import numpy as np
    from PIL import Image

    path = folder / "large.jpg"
    coarse = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC).save(path, quality=92)
    return path
