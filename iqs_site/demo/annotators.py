"""Simulated annotators that use the site over HTTP only, as a person's browser does.

Each annotator logs in through the form, leases photos, downloads their original bytes, computes an answer
(`photo_measures`, `panel`) and sends it with a new id. After a lost connection or a server error the annotator sends
the same answer again with the same id, so that no answer is lost or counted twice.
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

from iqs_site.demo.panel import Panel, SimulatedAnnotator, SimulatedAnswer
from iqs_site.demo.photo_measures import PhotoMeasures, photo_measure
from iqs_site.demo.site_client import SiteClient, SiteError

LEASES = 5  # photos leased at a time
_EMPTY_TRIES = 3  # an annotator stops after the site has said this often why there is no photo
_EMPTY_WAIT = 0.2  # seconds between two requests for photos


@dataclass(frozen=True)
class Account:
    """A simulated annotator with the password of their account."""

    annotator: SimulatedAnnotator
    password: str = field(repr=False)


@dataclass(frozen=True)
class PanelSession:
    """The settings of one run of a panel.

    url: address of the site, without a trailing slash. slug: of the campaign. lowest, highest: ends of its scale.
    truth: photo name → whether it shows a watch; annotators are unsure about photos that are not in it.
    limit: number of answers after which all annotators stop; None: they stop when the queue is empty.
    at_once: how many annotators work at the same time.
    resend: share of answers that are sent twice, as if the response had been lost, 0 … 1.
    speed_factor: how many times faster than their own pace they work; None: without any pause.
    retry_seconds: an annotator gives up after a request has failed, or all photos have been locked, for this long.
    """

    url: str
    slug: str
    truth: Mapping[str, bool]
    lowest: int = 1
    highest: int = 10
    limit: int | None = None
    at_once: int = 8
    resend: float = 0.02
    speed_factor: float | None = None
    retry_seconds: float = 90.0


@dataclass(frozen=True)
class PanelReport:
    """The result of one run of a panel.

    answers: number that the site stored, each counted once. repeated: number that the site received a second time.
    retries: requests sent again after a failure. by_annotator: user name → number of answers.
    seconds: from the first login to the last answer.
    """

    answers: int
    repeated: int
    retries: int
    by_annotator: Mapping[str, int]
    seconds: float


class PhotoMeasureCache:
    """Measures each photo once, for all annotators. The key is the SHA-256 of its bytes."""

    def __init__(self) -> None:
        self._known: dict[str, PhotoMeasures] = {}

    def measure(self, data: bytes) -> tuple[str, PhotoMeasures]:
        """Return the SHA-256 of the bytes and the measures. Raises SiteError when the bytes are not a photo."""
        digest = hashlib.sha256(data).hexdigest()
        measures = self._known.get(digest)
        if measures is None:
            try:
                measures = photo_measure(data)
            except OSError as error:
                raise SiteError(f"the site sent {len(data)} bytes that are not a photo ({error}).") from error
            self._known[digest] = measures
        return digest, measures


class Browser(SiteClient):
    """One annotator's logged-in connection to the site."""

    def __init__(self, session: PanelSession, account: Account) -> None:
        """Log in. Raises SiteError when the site refuses."""
        super().__init__(session.url, account.annotator.username, account.password, retry_seconds=session.retry_seconds)
        self.annotator = account.annotator
        self._api = f"/api/campaigns/{session.slug}"
        self._viewings: Counter[str] = Counter()

    def leases(self) -> tuple[list[dict[str, Any]], str]:
        """Return leased photos and, when there are none for this annotator, the site's reason.

        No photos and no reason means that other annotators' requests have them locked: try again a moment later.
        """
        claim = self.post_json(f"{self._api}/leases", {"count": LEASES})
        return claim["leases"], claim["empty_because"]

    def photo(self, lease: Mapping[str, Any]) -> bytes:
        """Download the original bytes of a leased photo."""
        return self.get(lease["url"]).content

    def viewing_count(self, photo: str) -> int:
        """Count one more viewing of the photo by this annotator; return the new count."""
        self._viewings[photo] += 1
        return self._viewings[photo]

    def answer_send(self, lease: Mapping[str, Any], client_id: uuid.UUID, answer: SimulatedAnswer) -> bool:
        """Send an answer; return False when the site already had it."""
        sent = {
            "client_id": str(client_id),
            "image_id": lease["image_id"],
            "lease_id": lease["lease_id"],
            "watch": answer.watch,
            "score": answer.score,
            "milliseconds": answer.milliseconds,
            "viewing": {"input": "simulated"},
        }
        return bool(self.post_json(f"{self._api}/annotations", sent)["created"])

    def leases_return(self, image_ids: list[int]) -> None:
        """Return leases that the annotator will not answer."""
        if image_ids:
            self.post_json(f"{self._api}/leases/return", {"image_ids": image_ids})


class PanelRun:
    """One run of a panel; call `run` once."""

    def __init__(
        self,
        session: PanelSession,
        panel: Panel,
        accounts: list[Account],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """`progress` is called after each answer with the number of answers so far, from any thread."""
        self._session = session
        self._panel = panel
        self._progress = progress
        self._measured = PhotoMeasureCache()
        self._ready: queue.SimpleQueue[Browser | Account] = queue.SimpleQueue()
        for account in accounts:
            self._ready.put(account)
        self._counts = {account.annotator.username: 0 for account in accounts}
        self._begun = self._repeated = self._retries = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def run(self) -> PanelReport:
        """Run all annotators until the queue is empty or the limit is reached.

        Raises SiteError when the site refuses a request of one annotator; the others then stop too.
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
        """Take the annotator who has waited longest, answer a few photos, and repeat until no annotator waits."""
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
        """Lease a few photos and answer them; return False when nothing is left for this annotator."""
        reasons, until = 0, time.monotonic() + self._session.retry_seconds
        while True:
            leases, because = browser.leases()
            if leases:
                break
            reasons += bool(because)
            if reasons == _EMPTY_TRIES or time.monotonic() > until or self._stop.wait(_EMPTY_WAIT):
                return False
        for place, lease in enumerate(leases):
            if not self._may_begin():
                browser.leases_return([left["image_id"] for left in leases[place:]])
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
        photo, measures = self._measured.measure(browser.photo(lease))
        answer = self._panel.answer(
            annotator,
            measures,
            photo,
            watch=session.truth.get(lease["name"]),
            lowest=session.lowest,
            highest=session.highest,
            viewing=browser.viewing_count(photo),
        )
        if session.speed_factor is not None:
            self._stop.wait(answer.milliseconds / 1000 / session.speed_factor)
        client_id = uuid.uuid4()
        browser.answer_send(lease, client_id, answer)
        again = np.random.default_rng(client_id.int % 2**64).random() < session.resend
        repeated = again and not browser.answer_send(lease, client_id, answer)
        with self._lock:
            self._counts[annotator.username] += 1
            self._repeated += repeated
            answers = sum(self._counts.values())
        if self._progress:
            self._progress(answers)
