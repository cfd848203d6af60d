"""Simulated annotators who rate over HTTP, at a steady pace or without a pause. Not a benchmark."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks._http_client import HttpClient


@dataclass
class Timings:
    """The waiting times of all raters in seconds. A cycle is a save and the claim after it."""

    claims: list[float] = field(default_factory=list)
    saves: list[float] = field(default_factory=list)
    cycles: list[float] = field(default_factory=list)
    seconds: float = 0.0
    processor_seconds: float = 0.0
    """Processor time of the load generator."""

    @property
    def rate(self) -> float:
        """Return the cycles per second of all raters together."""
        return len(self.cycles) / self.seconds

    @property
    def generator_share(self) -> float:
        """Return the share of one core that the load generator used, 0 … 1."""
        return self.processor_seconds / self.seconds


def p95(seconds: Sequence[float]) -> float:
    """Return the 95th percentile, in milliseconds."""
    return 1000 * float(np.percentile(seconds, 95))


class Rater:
    """One annotator, who has leased `ahead` photos beyond the one on the screen."""

    def __init__(self, client: HttpClient, slug: str, timings: Timings, *, ahead: int) -> None:
        self._client = client
        self._api = f"/api/campaigns/{slug}"
        self._timings = timings
        self._ahead = ahead
        self._photos: deque[dict[str, Any]] = deque()

    async def begin(self) -> None:
        """Lease the first photos; this is not measured."""
        await self._claim(self._ahead + 1)

    async def cycle(self, since: float) -> None:
        """Answer the photo on the screen and lease another one. `since`: time from which the wait is measured."""
        photo = self._photos.popleft()
        answer = {
            "client_id": str(uuid.uuid4()),
            "image_id": photo["image_id"],
            "lease_id": photo["lease_id"],
            "watch": "no",
            "score": 5,
            "milliseconds": 1000,
            "viewing": {"width": 1280, "height": 900, "pixel_ratio": 2, "zoom": 1, "input": "keyboard"},
        }
        await self._post("annotations", answer)
        saved = time.perf_counter()
        await self._claim(1)
        claimed = time.perf_counter()
        self._timings.saves.append(saved - since)
        self._timings.claims.append(claimed - saved)
        self._timings.cycles.append(claimed - since)

    async def _claim(self, count: int) -> None:
        known = [photo["image_id"] for photo in self._photos]
        while True:
            claim = await self._post("leases", {"count": count, "known": known})
            self._photos.extend(claim["leases"])
            if self._photos:
                return
            if claim["empty_because"]:
                raise RuntimeError(f"the raters ran out of photos: {claim['empty_because']}")
            await asyncio.sleep(0.02)  # other claims have locked the last photos for a moment, as the page knows

    async def _post(self, what: str, content: dict[str, Any]) -> Any:
        status, answer = await self._client.post(f"{self._api}/{what}", content)
        if status != 200:
            raise RuntimeError(f"{what} got the response {status}: {answer}")
        return answer


def rate_steadily(url: str, slug: str, sessions: Sequence[str], *, seconds: float, ahead: int) -> Timings:
    """Let each annotator give one rating per second, with start times spread over the first second.

    A wait is measured from the time at which the rating was due, so that the delay of a slow server adds up.
    """

    async def work(rater: Rater, offset: float) -> None:
        await rater.begin()
        due = time.perf_counter() + offset
        until = due + seconds
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await rater.cycle(due)
            due += 1.0

    return _measured(url, slug, sessions, ahead, lambda rater, place: work(rater, place / len(sessions)))


def rate_without_pause(url: str, slug: str, sessions: Sequence[str], *, seconds: float) -> Timings:
    """Let each annotator rate as fast as the site allows, one photo at a time."""

    async def work(rater: Rater) -> None:
        await rater.begin()
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until:
            await rater.cycle(now)

    return _measured(url, slug, sessions, 0, lambda rater, place: work(rater))


def _measured(url: str, slug: str, sessions: Sequence[str], ahead: int, work: Any) -> Timings:
    timings = Timings()

    async def work_all() -> None:
        clients = [HttpClient(url, session) for session in sessions]
        try:
            async with asyncio.TaskGroup() as group:
                for place, client in enumerate(clients):
                    group.create_task(work(Rater(client, slug, timings, ahead=ahead), place))
        finally:
            for client in clients:
                client.close()

    start, processor = time.perf_counter(), time.process_time()
    asyncio.run(work_all())
    timings.seconds = time.perf_counter() - start
    timings.processor_seconds = time.process_time() - processor
    return timings
