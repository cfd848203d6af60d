"""What an annotator waits between two photos: leased and loaded ahead, against one photo at a time."""

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

LOOKING = 0.15  # seconds that the annotator looks at a photo; people take some ten times that


def measure(setting: Setting) -> Iterator[Claim]:
    """Answer the photos of a real instance both ways, as two annotators who do not meet."""
    count = 3 if setting.tiny else 60
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        files = photo_files(setting, folder, count)
        url, passwords = stack.enter_context(site_running(folder, files, ["ahead", "waiting"]))

        # Only now do settings know where the database is.
        from iqs_site.demo.site_client import SiteClient

        ahead, waiting = (
            stack.enter_context(SiteClient(url, username, password)) for username, password in passwords.items()
        )
        # No eye sees less than a millisecond; without this floor the ratio would be a large number without meaning.
        ours, theirs = max(_ahead(ahead, count), 0.001), _one_at_a_time(waiting, count)
    yield Claim(
        claim=f"From an answer to the next photo, {1000 * ours:.0f} ms of waiting",
        value=theirs / ours,
        unit="times less waiting",
        baseline="save, then ask for one photo, then load it, each waited for, on the same machine: "
        f"{1000 * theirs:.0f} ms",
        target=5.0,
    )


def _answer(client: Any, lease: dict[str, Any]) -> None:
    answer = {"client_id": str(uuid.uuid4()), "image_id": lease["image_id"], "watch": "no", "score": 5}
    client.post_json(f"/api/campaigns/{SLUG}/annotations", answer)


def _leases(client: Any, count: int, known: list[int]) -> list[dict[str, Any]]:
    claim = {"count": count, "known": known}
    leases: list[dict[str, Any]] = client.post_json(f"/api/campaigns/{SLUG}/leases", claim)["leases"]
    return leases


def _ahead(client: Any, count: int) -> float:
    """Return the mean wait in seconds when answers leave in the background and five photos are leased at a time."""
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
            time.sleep(LOOKING)
            outbox.submit(_answer, client, leases[0])
    return sum(waits[1:]) / len(waits[1:])  # the first photo is loaded with the page


def _one_at_a_time(client: Any, count: int) -> float:
    """Return the mean wait in seconds when nothing happens while the annotator looks."""
    waits = []
    lease = _leases(client, 1, [])[0]
    while lease and len(waits) < count - 1:
        time.sleep(LOOKING)
        start = time.perf_counter()
        _answer(client, lease)
        following = _leases(client, 1, [])
        if not following:
            break
        lease = following[0]
        client.get(lease["url"])
        waits.append(time.perf_counter() - start)
    return sum(waits) / len(waits)
