"""The waiting time between two photos with prefetching, compared with one photo at a time."""

import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks._claims import Claim, Setting
from benchmarks._photos import photo_files
from benchmarks._site import SLUG, site_running

VIEWING_SECONDS = 0.15  # time for which the annotator views a photo; people take about ten times as long


def measure(setting: Setting) -> Iterator[Claim]:
    """Answer the photos of a real instance in both ways, one annotator each."""
    count = 3 if setting.tiny else 60
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        files = photo_files(setting, folder, count)
        url, passwords = stack.enter_context(site_running(folder, files, ["ahead", "waiting"]))

        # Imported here, because the package loads the settings, which need DATABASE_URL.
        from iqs_site.demo.site_client import SiteClient

        ahead, waiting = (
            stack.enter_context(SiteClient(url, username, password)) for username, password in passwords.items()
        )
        # Nobody notices less than a millisecond; without this minimum the ratio could be meaninglessly large.
        ours, theirs = max(_prefetched(ahead, count), 0.001), _one_at_a_time(waiting, count)
    yield Claim(
        claim=f"Waiting time from an answer to the next photo: {1000 * ours:.0f} ms",
        value=theirs / ours,
        unit="times as fast",
        baseline=f"save the answer, then lease a photo, then load it, on the same machine: {1000 * theirs:.0f} ms",
        target=5.0,
    )


def _answer(client: Any, lease: dict[str, Any]) -> None:
    answer = {"client_id": str(uuid.uuid4()), "image_id": lease["image_id"], "watch": "no", "score": 5}
    client.post_json(f"/api/campaigns/{SLUG}/annotations", answer)


def _leases(client: Any, count: int, known: list[int]) -> list[dict[str, Any]]:
    claim = {"count": count, "known": known}
    leases: list[dict[str, Any]] = client.post_json(f"/api/campaigns/{SLUG}/leases", claim)["leases"]
    return leases


def _prefetched(client: Any, count: int) -> float:
    """Return the mean wait in seconds when answers are sent in the background and five photos are leased at a time."""
    waits = []
    with ThreadPoolExecutor(1) as loader, ThreadPoolExecutor(1) as outbox:

        def load_ahead(held: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bytes]:
            if not held:
                held = _leases(client, 5, [lease["image_id"] for lease in shown[-1:]])
            return held, client.get(held[0]["url"]).content if held else b""

        shown: list[dict[str, Any]] = []
        following = loader.submit(load_ahead, [])
        for _ in range(count):
            start = time.perf_counter()
            leases, photo = following.result()
            waits.append(time.perf_counter() - start)
            if not photo:
                break
            shown.append(leases[0])
            following = loader.submit(load_ahead, leases[1:])
            time.sleep(VIEWING_SECONDS)
            outbox.submit(_answer, client, leases[0])
    return sum(waits[1:]) / len(waits[1:])  # the first photo is loaded with the page


def _one_at_a_time(client: Any, count: int) -> float:
    """Return the mean wait in seconds when nothing is sent or loaded while the annotator views a photo."""
    waits = []
    lease = _leases(client, 1, [])[0]
    while lease and len(waits) < count - 1:
        time.sleep(VIEWING_SECONDS)
        start = time.perf_counter()
        _answer(client, lease)
        following = _leases(client, 1, [])
        if not following:
            break
        lease = following[0]
        client.get(lease["url"])
        waits.append(time.perf_counter() - start)
    return sum(waits) / len(waits)
