"""The steps of the smoke run, from import to rollback, on a running instance."""

import os
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from annotation.exchange.labels import labels_match
from annotation.models import Image, ImportBatch, Role, User
from annotation.selectors.progress import campaign_progress
from annotation.services.campaigns import campaign_create
from annotation.services.members import member_set, user_create
from inference.models import ModelVersion
from inference.selectors import backlog, champion
from inference.services.near_duplicates import photos_to_compare
from iqs_site.demo.annotators import Account, PanelRun, PanelSession
from iqs_site.demo.panel import Panel, SimulatedAnnotator
from iqs_site.demo.site_client import SiteClient
from iqs_site.instance.supervisor import Instance
from iqs_site.smoke import results
from iqs_site.smoke.plan import SmokePlan
from iqs_site.smoke.report import Report
from iqs_site.smoke.upload import folder_upload
from training.models import Promotion, TrainingRun

SLUG = "smoke"
ADMIN = "smoke-admin"
ANNOTATORS, AT_ONCE = 10, 8
STALL_SECONDS = 180.0  # a step fails after this time without progress
_POLL_SECONDS = 0.05  # short, because a worker must be killed while it works, at hundreds of photos per second
WORKERS = ("worker-inference", "worker-training")


class StalledError(RuntimeError):
    """A step made no progress for STALL_SECONDS; the message says which."""


class SmokeRun:
    """One run on one instance. Each step adds to `metrics`, so a failed run still has those of its earlier steps."""

    def __init__(self, plan: SmokePlan, instance: Instance, report: Report) -> None:
        """`instance`: not started yet; `run` starts and stops it."""
        self.metrics: dict[str, Any] = {}
        self._plan = plan
        self._instance = instance
        self._report = report
        self._panel = Panel(seed=plan.seed)
        self._killed: list[str] = []

    def run(self) -> None:
        """Run all steps. Raises StepError at the first one that cannot be finished."""
        with ExitStack() as stack:
            self._start(stack)
            self._import()
            self._predict()
            self._annotate()
            self._retrain()
            self._evaluate()
            self._promote()
            self._roll_back()
            self._check()

    def _start(self, stack: ExitStack) -> None:
        with self._report.step("start") as facts:
            stack.enter_context(self._instance)
            password = secrets.token_urlsafe(16)
            admin = user_create(username=ADMIN, password=password)
            self._campaign = campaign_create(
                by=admin,
                slug=SLUG,
                name="Smoke run",
                holdout_fraction=self._plan.holdout_fraction,
                seed=self._plan.seed,
                train_after=0,  # no automatic training: the run uses the button
            )
            self._accounts = [self._account(annotator) for annotator in self._panel.annotators(ANNOTATORS)]
            self._admin = stack.enter_context(SiteClient(self._instance.url, ADMIN, password))
            facts["url"] = self._instance.url

    def _import(self) -> None:
        with self._report.step("import") as facts:
            batch_id = folder_upload(self._admin, SLUG, self._plan.photos, self._report.say)

            def imported() -> tuple[bool, str]:
                batch = ImportBatch.objects.get(pk=batch_id)
                ended = batch.state in (ImportBatch.State.DONE, ImportBatch.State.FAILED)
                return ended, f"{batch.done} of {batch.total} files imported"

            self._wait(imported, self._kill_inference)
            batch = ImportBatch.objects.get(pk=batch_id)
            images = Image.objects.filter(campaign=self._campaign)
            holdout = images.filter(split=Image.Split.HOLDOUT).count()
            facts |= {"added": batch.added, "duplicates": batch.duplicates, "rejected": batch.rejected}
            self.metrics["images"] = facts["images"] = images.count()
            facts["holdout"] = holdout
            self._report.check(batch.state == ImportBatch.State.DONE, f"The import failed: {batch.message}")
            self._report.check(batch.done == batch.total, f"Only {batch.done} of {batch.total} files were processed.")
            self._report.check(batch.added == images.count() > 0, f"{batch.added} added, {images.count()} images.")

    def _predict(self) -> None:
        with self._report.step("predict") as facts:
            self._wait(self._predicted, self._kill_inference)
            # Near-duplicates that are found now can move photos to the holdout, whose photos need more votes.
            self._wait(self._compared)
            self.metrics["predicted"] = facts["predicted"] = self._predicted_count()
            prior = champion(self._campaign)
            self._report.check(prior is not None, "The campaign has no champion.")
            self._report.check(
                facts["predicted"] == self.metrics["images"],
                f"{facts['predicted']} of {self.metrics['images']} images have a prediction.",
            )
            if prior is not None:
                self._prior = prior
                auc = results.watch_roc_auc(prior, self._plan.labels)
                self.metrics["watch_roc_auc"] = facts["watch_roc_auc"] = auc
                if auc is not None:
                    self._report.check(auc >= results.MIN_ROC_AUC, f"The watch ROC AUC is {auc}.")

    def _annotate(self) -> None:
        with self._report.step("annotate") as facts:
            names = Image.objects.filter(campaign=self._campaign).values_list("name", flat=True)
            session = PanelSession(
                url=self._instance.url,
                slug=SLUG,
                truth=labels_match(self._plan.labels, names, by_file_name=True).found,
                at_once=AT_ONCE,
            )
            wanted = campaign_progress(self._campaign).votes_wanted

            def show(answers: int) -> None:
                if answers % 100 == 0:
                    self._report.say(f"{answers} of {wanted} answers given")

            done = PanelRun(session, self._panel, self._accounts, show).run()
            votes = results.votes(self._campaign)
            self.metrics |= {
                "annotations_sent": done.answers,
                "annotations_stored": votes.stored,
                "duplicates": votes.duplicates,
                "over_collected": votes.over_collected,
            }
            facts |= {"sent": done.answers, "sent_twice": done.repeated, "retries": done.retries, "at_once": AT_ONCE}
            facts["per_second"] = round(done.answers / done.seconds, 1)
            self._report.check(votes.stored == done.answers, f"{done.answers} sent, {votes.stored} stored.")
            self._report.check(votes.duplicates == 0, f"{votes.duplicates} answers were stored twice.")
            self._report.check(votes.over_collected == 0, f"{votes.over_collected} answers more than needed.")
            self._report.check(done.answers == wanted, f"{done.answers} of {wanted} votes were given.")

    def _retrain(self) -> None:
        with self._report.step("retrain") as facts:
            self._admin.post_form(f"/campaigns/{SLUG}/runs/start", {})
            run_id = TrainingRun.objects.filter(campaign=self._campaign).values_list("pk", flat=True).latest("pk")
            path = f"/api/campaigns/{SLUG}/runs/{run_id}"

            def trained() -> tuple[bool, str]:
                state = self._admin.get_json(path)
                return state["state"] not in TrainingRun.LIVE, f"training: {state['state']}, {state['stage']}"

            def kill() -> None:
                running = self._admin.get_json(path)
                self._kill_once("worker-training", running["state"] == "running" and running["progress"] > 0)

            self._wait(trained, kill)
            run = TrainingRun.objects.select_related("challenger").get(pk=run_id)
            facts |= {"state": run.state, "attempts": run.attempt, "annotations": run.annotation_count}
            if run.state != TrainingRun.State.DONE or run.challenger is None:
                raise StalledError(f"Training run {run_id} ended as {run.state}: {run.message or run.stage}")
            self._challenger: ModelVersion = run.challenger

    def _evaluate(self) -> None:
        with self._report.step("evaluate") as facts:
            quality = results.quality(self._prior, self._challenger)
            self.metrics |= {
                "quality_srcc_before": quality.before,
                "quality_srcc_after": quality.after,
                "quality_srcc_difference": quality.difference,
            }
            facts |= {"holdout_images": quality.image_count, "holdout_votes": quality.vote_count}
            facts["watch_roc_auc_after"] = results.watch_roc_auc(self._challenger, self._plan.labels)
            if quality.image_count >= results.MIN_HOLDOUT_PHOTOS:
                self._report.check(
                    (quality.rps_difference["high"] or 0) < 0,
                    f"The quality RPS did not fall significantly: {quality.rps_difference}.",
                )

    def _promote(self) -> None:
        with self._report.step("promote") as facts:
            if champion(self._campaign) != self._challenger:
                # The page asks for a reason where the rule does not say so, as on the small holdout of this run.
                page = f"/campaigns/{SLUG}/models/{self._challenger.number}/promote"
                self._admin.post_form(page, {"reason": "The smoke run promotes every challenger."})
            self._champion_is(self._challenger, facts)

    def _roll_back(self) -> None:
        with self._report.step("rollback") as facts:
            self._admin.post_form(f"/campaigns/{SLUG}/models/{self._prior.number}/rollback", {})
            self._champion_is(self._prior, facts)

    def _check(self) -> None:
        with self._report.step("check") as facts:
            kinds = list(
                Promotion.objects.filter(campaign=self._campaign).order_by("pk").values_list("kind", flat=True)
            )
            votes = results.votes(self._campaign)
            facts |= {"audit_rows": kinds, "wrong_counters": votes.wrong_counters}
            self.metrics["killed_workers"] = self._killed
            self._report.check(kinds[-1:] == [Promotion.Kind.ROLLBACK], f"The audit rows are {kinds}.")
            self._report.check(len(kinds) >= 2, f"The audit rows are {kinds}.")
            self._report.check(votes.wrong_counters == 0, f"{votes.wrong_counters} counters were wrong.")
            self._report.check(votes.stored == self.metrics["annotations_sent"], "Annotations are missing.")
            for program in WORKERS:
                self._report.check(program in self._killed, f"{program} finished before it could be killed.")
                self._report.check(bool(self._instance.pids(program)), f"{program} was not restarted.")

    def _champion_is(self, version: ModelVersion, facts: dict[str, Any]) -> None:
        current = champion(self._campaign)
        self._report.check(current == version, f"The champion is {current}, not {version}.")
        self._wait(self._predicted)
        facts |= {"champion": version.number, "predicted": self._predicted_count()}

    def _predicted(self) -> tuple[bool, str]:
        state, images = backlog(self._campaign), self.metrics["images"]
        return state.predicted + state.failed >= images, f"{state.predicted} of {images} photos predicted"

    def _predicted_count(self) -> int:
        return backlog(self._campaign).predicted

    def _wait(self, poll: Callable[[], tuple[bool, str]], meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until `poll` returns (True, progress message). `meanwhile` is called after each poll.

        Raises StalledError when the message stays the same for STALL_SECONDS.
        """
        progress, since = "", time.monotonic()
        while True:
            done, message = poll()
            if message != progress:
                progress, since = message, time.monotonic()
                self._report.say(message)
            if done:
                return
            if time.monotonic() - since > STALL_SECONDS:
                raise StalledError(f"no progress for {STALL_SECONDS:.0f} s ({progress}). {self._last_error()}")
            meanwhile()
            time.sleep(_POLL_SECONDS)

    def _compared(self) -> tuple[bool, str]:
        left = photos_to_compare(self._campaign).count()
        return not left, f"{left} photos to compare with the others"

    def _kill_inference(self) -> None:
        # After the first predictions the worker has claims, which then expire and are claimed again.
        self._kill_once("worker-inference", self._predicted_count() > 0)

    def _kill_once(self, program: str, now: bool) -> None:
        """Kill the program's processes with SIGKILL, as the kernel does when memory runs out."""
        if now and program not in self._killed:
            for pid in self._instance.pids(program):
                os.kill(pid, signal.SIGKILL)
            self._killed.append(program)
            self._report.say(f"{program} killed")

    def _last_error(self) -> str:
        """Return the last error in the workers' logs."""
        for program in WORKERS:
            log = self._instance.log(program)
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            if errors := [line for line in lines if " ERROR " in line]:
                return f"{program}: {errors[-1]}"
        return "No worker has logged an error."

    def _account(self, annotator: SimulatedAnnotator) -> Account:
        password = secrets.token_urlsafe(16)
        user: User = user_create(username=annotator.username, password=password, is_simulated=True)
        member_set(campaign=self._campaign, user=user, role=Role.ANNOTATOR)
        return Account(annotator, password)
