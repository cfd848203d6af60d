"""Simulated annotators at work: they use the site as a person's browser does, over HTTP only.

Each logs in through the form, leases photos, downloads their original bytes, judges what it sees
(`perception`, `panel`) and sends the answer with an id of its own. A lost connection or a server error makes it send
the same answer again under the same id, so that nothing is lost and nothing counts twice.
"""

import hashlib
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iqs_site.demo.panel import Judgement, Panel, SimulatedAnnotator
from iqs_site.demo.perception import Percept, photo_perceive
from iqs_site.demo.site_client import SiteClient, SiteError

LEASES = 5  # photos taken at a time
_EMPTY_TRIES = 3  # times that the site says why there is no photo, before an annotator goes home
_EMPTY_WAIT = 0.2  # seconds between two looks


@dataclass(frozen=True)
class Account:
    """An annotator with the password of their account."""

    annotator: SimulatedAnnotator
    password: str = field(repr=False)


@dataclass(frozen=True)
class PanelSession:
    """What a panel is asked to do.

    url: of the site, without the trailing slash. slug: of the campaign. lowest, highest: ends of its scale.
    truth: photo name → whether it shows a watch; annotators are unsure about photos that are not in it.
    limit: answers after which everybody stops; None: when the queue is empty.
    at_once: how many work at the same time.
    resend: share of answers that are sent twice, as after a response that got lost.
    hurry: how many times faster than their own pace they work; None: without any pause.
    patience: seconds for which a request is tried again, and a photo that others hold locked is waited for, before the
        annotator gives up.
    """

    url: str
    slug: str
    truth: Mapping[str, bool]
    lowest: int = 1
    highest: int = 10
    limit: int | None = None
    at_once: int = 8
    resend: float = 0.02
    hurry: float | None = None
    patience: float = 90.0


@dataclass(frozen=True)
class PanelReport:
    """What came of it.

    answers: that the site acknowledged, each counted once. repeated: acknowledged again for an id it knew.
    retries: requests tried again after a failure. by_annotator: answers of each user name.
    seconds: from the first login to the last answer.
    """

    answers: int
    repeated: int
    retries: int
    by_annotator: Mapping[str, int]
    seconds: float


class Eyes:
    """Looks at photos; one that was seen before is remembered by its bytes, whoever looks."""

    def __init__(self) -> None:
        self._seen: dict[str, Percept] = {}

    def look(self, data: bytes) -> tuple[str, Percept]:
        """Return the SHA-256 of the bytes and the measures. Raises SiteError when they are no photo."""
        digest = hashlib.sha256(data).hexdigest()
        percept = self._seen.get(digest)
        if percept is None:
            try:
                percept = photo_perceive(data)
            except OSError as error:
                raise SiteError(f"the site sent {len(data)} bytes that are no photo ({error}).") from error
            self._seen[digest] = percept
        return digest, percept


class Browser(SiteClient):
    """One annotator's logged-in connection to the site."""

    def __init__(self, session: PanelSession, account: Account) -> None:
        """Log in. Raises SiteError when the site refuses."""
        super().__init__(session.url, account.annotator.username, account.password, patience=session.patience)
        self.annotator = account.annotator
        self._api = f"/api/campaigns/{session.slug}"
        self._looks: Counter[str] = Counter()

    def leases(self) -> tuple[list[dict[str, Any]], str]:
        """Lease photos; when there are none for this annotator, also the site's sentence that says why.

        Without a sentence, a moment later there may be some: others have them locked.
        """
        claim = self.post_json(f"{self._api}/leases", {"count": LEASES})
        return claim["leases"], claim["empty_because"]

    def photo(self, lease: Mapping[str, Any]) -> bytes:
        """Download the original bytes of a leased photo."""
        return self.get(lease["url"]).content

    def look(self, photo: str) -> int:
        """Return the how manieth time the annotator sees this photo."""
        self._looks[photo] += 1
        return self._looks[photo]

    def answer(self, lease: Mapping[str, Any], client_id: uuid.UUID, judgement: Judgement) -> bool:
        """Send an answer; False when the site had it already."""
        sent = {
            "client_id": str(client_id),
            "image_id": lease["image_id"],
            "lease_id": lease["lease_id"],
            "watch": judgement.watch,
            "score": judgement.score,
            "milliseconds": judgement.milliseconds,
            "viewing": {"input": "simulated"},
        }
        return bool(self.post_json(f"{self._api}/annotations", sent)["created"])

    def give_back(self, image_ids: list[int]) -> None:
        """Return leases that will not be answered."""
        if image_ids:
            self.post_json(f"{self._api}/leases/return", {"image_ids": image_ids})


class PanelAtWork:
    """Plays one session; made for one call of `run`."""

    def __init__(
        self,
        session: PanelSession,
        panel: Panel,
        accounts: list[Account],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """`progress` is called with the answers so far, from any thread, after each."""
        self._session = session
        self._panel = panel
        self._progress = progress
        self._eyes = Eyes()
        self._ready: queue.SimpleQueue[Browser | Account] = queue.SimpleQueue()
        for account in accounts:
            self._ready.put(account)
        self._counts = {account.annotator.username: 0 for account in accounts}
        self._begun = self._repeated = self._retries = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def run(self) -> PanelReport:
        """Let everybody work until the queue is empty or the limit reached.

        Raises SiteError when the site refuses one of them; the others stop too.
        """
        start = time.monotonic()
        with ThreadPoolExecutor(self._session.at_once) as pool:
            for turn in [pool.submit(self._take_turns) for _ in range(self._session.at_once)]:
                turn.result()
        return PanelReport(
            answers=sum(self._counts.values()),
            repeated=self._repeated,
            retries=self._retries,
            by_annotator=dict(self._counts),
            seconds=time.monotonic() - start,
        )

    def _take_turns(self) -> None:
        """Work as whoever waits longest, a few photos at a time, until nobody waits."""
        try:
            while not self._stop.is_set():
                try:
                    waiting = self._ready.get_nowait()
                except queue.Empty:
                    return
                browser = waiting if isinstance(waiting, Browser) else Browser(self._session, waiting)
                if self._work(browser):
                    self._ready.put(browser)
                else:
                    self._retries += browser.retries
                    browser.close()
        except BaseException:
            self._stop.set()
            raise

    def _work(self, browser: Browser) -> bool:
        """Answer one handful of leases; False when there is nothing left to do for this annotator."""
        reasons, until = 0, time.monotonic() + self._session.patience
        while True:
            leases, because = browser.leases()
            if leases:
                break
            reasons += bool(because)
            if reasons == _EMPTY_TRIES or time.monotonic() > until or self._stop.wait(_EMPTY_WAIT):
                return False
        for place, lease in enumerate(leases):
            if not self._may_begin():
                browser.give_back([left["image_id"] for left in leases[place:]])
                return False
            self._answer(browser, lease)
        return True

    def _may_begin(self) -> bool:
        with self._lock:
            if self._stop.is_set() or (self._session.limit is not None and self._begun >= self._session.limit):
                return False
            self._begun += 1
            return True

    def _answer(self, browser: Browser, lease: Mapping[str, Any]) -> None:
        annotator, session = browser.annotator, self._session
        photo, percept = self._eyes.look(browser.photo(lease))
        judgement = self._panel.judge(
            annotator,
            percept,
            photo,
            watch=session.truth.get(lease["name"]),
            lowest=session.lowest,
            highest=session.highest,
            occasion=browser.look(photo),
        )
        if session.hurry is not None:
            self._stop.wait(judgement.milliseconds / 1000 / session.hurry)
        client_id = uuid.uuid4()
        browser.answer(lease, client_id, judgement)
        again = np.random.default_rng(client_id.int % 2**64).random() < session.resend
        repeated = again and not browser.answer(lease, client_id, judgement)
        with self._lock:
            self._counts[annotator.username] += 1
            self._repeated += repeated
            answers = sum(self._counts.values())
        if self._progress:
            self._progress(answers)
