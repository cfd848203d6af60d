"""A campaign of rows without files, its raters, and waiting for workers, for benchmarks. Not a benchmark."""

import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from annotation.models import Campaign, User
    from iqs_site.instance.supervisor import Instance

VOTES = 3
_REST_SECONDS, _REST_PERCENT = 3.0, 15.0  # a worker that uses less of a core in this time is resting

# Rows without files: a lease does not read the file. Also for `benchmarks.priorities`.
PHOTO_ROWS = """
INSERT INTO annotation_image (campaign_id, name, sha256, suffix, byte_size, width, height, phash, "group", split,
  votes_needed, open_slots, vote_count, queue_position, role, expected_watch, guidance, problem, details, decoding,
  created_at)
SELECT %(campaign)s, number || '.jpg', md5(number::text) || md5(%(campaign)s || ' ' || number), '.jpg', 1, 640, 480,
  number, gen_random_uuid(), 'train', %(votes)s, %(votes)s, 0, random(), 'rated', '', '', '', '{}', %(decoding)s, now()
FROM generate_series(1, %(count)s) AS number
"""


def people_make(count: int) -> list["User"]:
    """Return new simulated raters."""
    from annotation.models import User

    users = [User(username=f"rater-{number:02}", is_simulated=True) for number in range(1, count + 1)]
    for user in users:
        user.set_unusable_password()
        user.save()
    return users


def campaign_make(slug: str, photos: int, people: list["User"]) -> "Campaign":
    """Return a new campaign of so many photos, of which workers process none."""
    from django.db import connection, transaction

    from annotation.models import Campaign, Membership
    from annotation.photos.decoding_version import DECODING_VERSION
    from inference.selectors import distortions_queue, features_queue
    from inference.services.backlog import work_cancel

    with transaction.atomic(), connection.cursor() as cursor:
        campaign = Campaign.objects.create(slug=slug, name=slug, votes_per_image=VOTES, train_after=0)
        Membership.objects.bulk_create([Membership(campaign=campaign, user=user) for user in people])
        values = {"campaign": campaign.pk, "votes": VOTES, "count": photos, "decoding": DECODING_VERSION}
        cursor.execute(PHOTO_ROWS, values)
        for work in (
            features_queue(campaign.backbone),
            distortions_queue(),
        ):  # without files, workers would fail on every photo
            work_cancel(queue=work, campaign=campaign)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE annotation_image")
    return campaign


def workers_await(campaign: "Campaign", instance: "Instance") -> None:
    """Wait until the inference worker rests.

    Once in the life of an instance it makes the first model and measures whether int8 or fp32 is faster here, which
    uses a core for some seconds. Raises TimeoutError after twenty minutes, because the machine may be busy.
    """
    from inference.models import ModelVersion

    worker = psutil.Process(instance.pids("worker-inference")[0])
    worker.cpu_percent()
    until = time.monotonic() + 1200
    while time.monotonic() < until:
        time.sleep(_REST_SECONDS)  # observes another process
        is_resting = worker.cpu_percent() < _REST_PERCENT
        if is_resting and ModelVersion.objects.filter(campaign=campaign, is_champion=True).exists():
            return
    raise TimeoutError(f"the workers did not finish their first work on {campaign.slug} within twenty minutes")
