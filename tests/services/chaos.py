"""Tests that no answer is lost while servers are killed: `python -m tests.services.chaos`, or `make chaos`.

The first part has no kills: many annotators at once, a few votes for each photo, and some answers that are sent twice
at the same time. The rounds follow. Each round kills one server with SIGKILL at a random moment, and the supervisor
restarts it. The seed decides which server. Each annotator behaves as the annotate page does: it stores an answer with a
UUID in its log, sends it until a receipt comes, and removes it from the log only then.

Checks after each part: every answer with a receipt is in the database, unchanged and once; every photo has exactly
the votes that it needs, from distinct annotators; the counters are right.

Progress goes to stderr, one JSON line to stdout; the exit status is 1 when a check failed.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from benchmarks._http_client import HttpClient, session_make
from iqs_site.instance.supervisor import Instance
from tests.services.kill_targets import KillTarget, kill

if TYPE_CHECKING:
    from annotation.models import Campaign

VOTES = 3
AHEAD = 5  # photos leased at a time, as the page does
SENT_TWICE = 0.05  # share of answers that are sent on two connections at the same time
_SHORTEST_WAIT, _LONGEST_WAIT = 0.05, 1.0  # seconds between two attempts
_PART_SECONDS = 120.0  # time limit of a part


@dataclass(frozen=True)
class Plan:
    """The size of a run. annotators, images: of each round. calm_*: of the part without kills."""

    rounds: int
    annotators: int
    images: int
    calm_annotators: int
    calm_images: int
    seed: int


SHORT = Plan(rounds=5, annotators=10, images=20, calm_annotators=10, calm_images=40, seed=1)
LONG = Plan(rounds=50, annotators=10, images=40, calm_annotators=50, calm_images=200, seed=1)


@dataclass
class Outcome:
    """The result of all parts. `wrong` has a sentence for each failed check."""

    receipts: int = 0
    sent_again: int = 0
    killed: dict[str, int] = field(default_factory=dict)
    longest_silence: float = 0.0
    """Longest time without a receipt after a kill, in seconds."""
    wrong: list[str] = field(default_factory=list)


@dataclass
class Log:
    """The annotators' record of one part. given, confirmed: {client_id: body of the request}."""

    wanted: int
    rng: random.Random
    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    confirmed: dict[str, dict[str, Any]] = field(default_factory=dict)
    confirmed_at: list[float] = field(default_factory=list)
    sent_again: int = 0
    refused: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """How often each request failed, and how: for the person who reads why a part did not end."""

    @property
    def is_done(self) -> bool:
        """Return whether all votes have a receipt, or a request was refused."""
        return len(self.confirmed) >= self.wanted or bool(self.refused)


class Annotator:
    """One annotator with one page and a second tab, for answers that are sent twice."""

    def __init__(self, url: str, slug: str, user_id: int, session_key: str, log: Log) -> None:
        self._page, self._other_tab = HttpClient(url, session_key), HttpClient(url, session_key)
        self._api = f"/api/campaigns/{slug}"
        self._user_id = user_id
        self._log = log
        self._unsent: dict[str, dict[str, Any]] = {}  # this browser's log

    async def work(self) -> None:
        """Rate photos until all photos of the campaign have their votes."""
        async with self._page, self._other_tab:
            while not self._log.is_done:
                known = [answer["image_id"] for answer in self._unsent.values()]
                claim = await self._until_answered("leases", {"count": AHEAD, "known": known})
                for lease in claim["leases"] if claim else []:
                    await self._rate(lease)
                if not (claim and claim["leases"]):
                    await asyncio.sleep(0.1)  # others have leased the last photos

    async def _rate(self, lease: Mapping[str, Any]) -> None:
        rng = self._log.rng
        answer = {
            "client_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "image_id": lease["image_id"],
            "lease_id": lease["lease_id"],
            "annotator_id": self._user_id,
            "watch": rng.choice(["yes", "no", "unsure"]),
            "score": rng.randint(1, 10),
            "milliseconds": 900,
            "viewing": {"input": "simulated"},
        }
        self._unsent[answer["client_id"]] = self._log.given[answer["client_id"]] = answer
        sending = [self._until_answered("annotations", answer)]
        if rng.random() < SENT_TWICE:
            sending.append(self._until_answered("annotations", answer, self._other_tab))
        receipts = await asyncio.gather(*sending)
        if receipts[0] is not None:
            del self._unsent[answer["client_id"]]
            self._log.confirmed[answer["client_id"]] = answer
            self._log.confirmed_at.append(time.monotonic())

    async def _until_answered(
        self, what: str, content: Mapping[str, Any], client: HttpClient | None = None
    ) -> dict[str, Any] | None:
        """Send until the server answers. Return None when it refuses with 4xx, which must never happen."""
        wait = _SHORTEST_WAIT
        while True:
            try:
                status, answer = await (client or self._page).post(f"{self._api}/{what}", content)
            except OSError as error:
                status, answer = 0, {"error": type(error).__name__}
            if status == 200 and answer is not None:
                return dict(answer)
            if 400 <= status < 500:
                self._log.refused.append(f"{what} of {self._user_id} was refused with {status}: {answer}")
                return None
            self._log.sent_again += 1
            self._log.failures[f"{what} {status} {answer}"] += 1
            await asyncio.sleep(wait * self._log.rng.uniform(0.8, 1.2))  # as the page does before it sends again
            wait = min(2 * wait, _LONGEST_WAIT)


class Chaos:
    """Runs a plan on a running instance. This process must be able to use its database."""

    def __init__(self, instance: Instance, plan: Plan, show: Callable[[float, str], None]) -> None:
        """`show` is called with the progress, 0 … 1, and a message."""
        self.outcome = Outcome()
        self._instance = instance
        self._plan = plan
        self._rng = random.Random(plan.seed)
        self._show = show
        self._people = self._people_make(max(plan.annotators, plan.calm_annotators))

    def run(self) -> Outcome:
        """Run the calm part and all rounds; return the result."""
        steps = self._plan.rounds + 1
        self._show(0, "part without kills")
        self._part("calm", self._plan.calm_annotators, self._plan.calm_images, None)
        # Every target occurs equally often; the seed decides the order.
        targets = [list(KillTarget)[number % len(KillTarget)] for number in range(self._plan.rounds)]
        self._rng.shuffle(targets)
        for number, target in enumerate(targets, 1):
            self._show(number / steps, f"round {number} of {self._plan.rounds}: {target}")
            self.outcome.killed[target] = self.outcome.killed.get(target, 0) + 1
            if not self._part(f"round-{number}", self._plan.annotators, self._plan.images, target):
                break
        self._show(1, "done")
        return self.outcome

    def _part(self, slug: str, annotators: int, images: int, target: KillTarget | None) -> bool:
        """Run one part and check its results; return whether the run can continue."""
        campaign = self._campaign_make(slug, self._people[:annotators], images)
        log = Log(wanted=images * VOTES, rng=random.Random(self._rng.getrandbits(64)))
        try:
            killed_at = asyncio.run(self._work(campaign, annotators, log, target))
        except TimeoutError:
            self._wrong(slug, target, f"only {len(log.confirmed)} of {log.wanted} receipts after {_PART_SECONDS:.0f} s")
            self._wrong(slug, target, f"failed requests: {dict(log.failures.most_common(5))}")
            self._wrong(slug, target, f"photos that lack votes: {_missing(campaign)}")
            return False
        if killed_at is not None:
            moments = [killed_at, *(at for at in log.confirmed_at if at > killed_at)]
            silences = (later - earlier for earlier, later in pairwise(moments))
            self.outcome.longest_silence = max(self.outcome.longest_silence, *silences)
        self.outcome.receipts += len(log.confirmed)
        self.outcome.sent_again += log.sent_again
        for sentence in [*log.refused, *_findings(campaign, log)]:
            self._wrong(slug, target, sentence)
        return True

    async def _work(self, campaign: "Campaign", annotators: int, log: Log, target: KillTarget | None) -> float | None:
        """Run the annotators; return the time of the kill (`time.monotonic`), None without a kill."""
        killed_at = None
        async with asyncio.timeout(_PART_SECONDS), asyncio.TaskGroup() as group:
            for user_id, session_key in self._people[:annotators]:
                page = Annotator(self._instance.url, campaign.slug, user_id, session_key, log)
                group.create_task(page.work())
            if target is not None:
                moment = log.wanted * self._rng.uniform(0.1, 0.8)
                while len(log.confirmed) < moment and not log.refused:
                    await asyncio.sleep(0.001)  # lets the annotators run
                await asyncio.sleep(self._rng.uniform(0, 0.02))  # at a random time within a request
                killed_at = time.monotonic()
                kill(target, self._instance, self._rng)
        return killed_at

    def _wrong(self, slug: str, target: KillTarget | None, sentence: str) -> None:
        self.outcome.wrong.append(f"{slug} ({target or 'no kill'}): {sentence}")

    def _people_make(self, count: int) -> list[tuple[int, str]]:
        """Create users and log them in; return their ids and session keys."""
        from annotation.models import User

        users = [User(username=f"sim-{number:02}", is_simulated=True) for number in range(1, count + 1)]
        for user in users:
            user.set_unusable_password()
            user.save()
        return [(user.pk, session_make(user)) for user in users]

    def _campaign_make(self, slug: str, people: list[tuple[int, str]], images: int) -> "Campaign":
        from django.db import connections

        from annotation.models import Campaign, Membership
        from benchmarks._campaign import images_make

        connections.close_all()  # the server may have been restarted since the last round
        campaign = Campaign.objects.create(slug=slug, name=slug, votes_per_image=VOTES, train_after=0)
        Membership.objects.bulk_create([Membership(campaign=campaign, user_id=user_id) for user_id, _ in people])
        images_make(campaign, images)
        return campaign


def _missing(campaign: "Campaign") -> list[dict[str, Any]]:
    """Return the photos that lack votes, with their counters and the number of their leases."""
    from django.db import connections
    from django.db.models import Count, Q

    from annotation.models import Assignment

    connections.close_all()
    leases = Count("assignments", Q(assignments__state=Assignment.State.LEASED))
    lacking = campaign.images.filter(vote_count__lt=VOTES).annotate(leases=leases)
    return list(lacking.values("pk", "vote_count", "open_slots", "problem", "leases"))


def _findings(campaign: "Campaign", log: Log) -> list[str]:
    """Return a sentence for each difference between the campaign's rows and the annotators' log."""
    from django.db import connections

    from annotation.models import Annotation, Assignment
    from annotation.services.queue import counters_rebuild

    connections.close_all()
    sentences = []
    rows = list(Annotation.objects.filter(campaign=campaign))
    stored = {str(row.client_id): row for row in rows}
    lost = [client_id for client_id in log.confirmed if client_id not in stored]
    if lost:
        sentences.append(f"{len(lost)} answers with a receipt are not in the database")
    if unsent := log.given.keys() - stored.keys():
        sentences.append(f"{len(unsent)} answers never arrived")
    for client_id, row in stored.items():
        sent = log.given.get(client_id, {})
        expected = (sent.get("annotator_id"), sent.get("image_id"), sent.get("watch"), sent.get("score"))
        if expected != (row.annotator_id, row.image_id, row.watch, row.score):
            sentences.append(f"answer {client_id} was changed")
    votes: dict[int, list[int]] = {image_id: [] for image_id in campaign.images.values_list("pk", flat=True)}
    for row in rows:
        votes[row.image_id].append(row.annotator_id)
    if doubled := sum(len(people) != len(set(people)) for people in votes.values()):
        sentences.append(f"{doubled} photos have two answers of one annotator")
    if uneven := sum(len(people) != VOTES for people in votes.values()):
        sentences.append(f"{uneven} photos have more or fewer than {VOTES} votes")
    if surplus := sum(row.surplus for row in rows):
        sentences.append(f"{surplus} answers are marked as surplus")
    if left := Assignment.objects.filter(campaign=campaign, state=Assignment.State.LEASED).count():
        sentences.append(f"{left} leases are left over")
    if wrong := counters_rebuild(campaign=campaign):
        sentences.append(f"the counters of {wrong} photos were wrong")
    return sentences


def progress_bar(out: TextIO) -> Callable[[float, str], None]:
    """Return a function that prints the progress: on a terminal in one line, elsewhere line by line."""

    def show(share: float, message: str) -> None:
        bar = "█" * round(30 * share)
        line = f"chaos [{bar:<30}] {share:4.0%}  {message}"
        print(f"\r{line:<100}" if out.isatty() else line, end="" if out.isatty() and share < 1 else "\n", file=out)
        out.flush()

    return show


def run(folder: Path, plan: Plan, show: Callable[[float, str], None]) -> Outcome:
    """Start an instance in the folder, run the plan and stop the instance."""
    for name in ("DATABASE_URL", "REDIS_URL", "IQS_MEDIA", "IQS_MODELS"):  # kill only servers of this instance
        os.environ.pop(name, None)
    # The photos are rows without a file. The background check would take them out of the queue when a part takes long.
    os.environ["IQS_CHECK_MB_PER_MINUTE"] = "0"
    show(0, "starting an instance")
    with Instance(folder) as instance:
        os.environ |= instance.environment
        import django

        django.setup()
        return Chaos(instance, plan, show).run()


def main() -> int:
    """Read the command line, run, and print the result as one line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.services.chaos", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--short", action="store_true", help="the short run of `make test`")
    parser.add_argument("--rounds", type=int, help=f"number of rounds, with one kill each (default: {LONG.rounds})")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="seed, to repeat a run"
    )
    options = parser.parse_args()
    plan = SHORT if options.short else LONG
    rounds = plan.rounds if options.rounds is None else options.rounds
    plan = Plan(**asdict(plan) | {"rounds": rounds, "seed": options.seed})
    folder, outcome, start = Path(tempfile.mkdtemp(prefix="iqs-chaos-")), None, time.monotonic()
    print(f"chaos: seed {plan.seed}", file=sys.stderr, flush=True)
    try:
        outcome = run(folder, plan, progress_bar(sys.stderr))
    finally:
        if outcome is not None and not outcome.wrong:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"chaos: the instance's files are kept in {folder}", file=sys.stderr)
    line = {"ok": not outcome.wrong, **asdict(plan), **asdict(outcome), "seconds": round(time.monotonic() - start, 1)}
    print(json.dumps(line | {"longest_silence": round(outcome.longest_silence, 2)}))
    return 0 if not outcome.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
