"""A temporary campaign with many photos, for benchmarks of the workers' services. Not a benchmark."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connections

from iqs_site.instance import embedded

THREADS = 2

if TYPE_CHECKING:
    from annotation.models import Campaign


@contextmanager
def temporary_campaign(prefix: str) -> Iterator[tuple[Path, "Campaign"]]:
    """Yield an empty folder, which becomes IQS_VAR, and a campaign in a new database in it."""
    with tempfile.TemporaryDirectory(prefix=f"iqs-{prefix}-") as name:
        folder = Path(name)
        os.environ |= {"IQS_VAR": name, "DATABASE_URL": embedded.postgres_attach(folder), "IQS_THREADS": str(THREADS)}
        # Most photos here are rows without a file. The background check would take them out of the queue.
        os.environ["IQS_CHECK_MB_PER_MINUTE"] = "0"
        try:
            django.setup()
            call_command("migrate", verbosity=0)
            from annotation.models import Campaign

            yield folder, Campaign.objects.create(slug="bench", name="Benchmark")
        finally:
            connections.close_all()
            embedded.postgres_detach(folder)


def images_make(campaign: "Campaign", count: int, *, files: list[Path] | None = None) -> None:
    """Add `count` photos to the campaign: rows only or, with `files`, links to these files in turn."""
    from django.core.files.storage import storages

    from annotation.models import Image

    first = campaign.images.count()
    images = [
        Image(
            campaign=campaign,
            name=f"{number}.jpg",
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            suffix=".jpg",
            byte_size=1,
            width=640,
            height=480,
            phash=number,
            queue_position=(number * 0.618034) % 1.0,
        )
        for number in range(first, first + count)
    ]
    for number, image in enumerate(images if files else []):
        assert files
        path = Path(storages["photos"].path(image.photo_name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(files[number % len(files)].resolve())
    Image.objects.bulk_create(images, batch_size=5000)
