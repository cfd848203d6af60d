"""Drift of photos or scores as a reason to train, in campaigns with `retrain_on_drift`."""

from django.db.models import Exists, OuterRef
from django.utils import timezone

from annotation.models import Campaign, Image
from annotation.selectors.votes import votes_of
from training.evaluation.drift import FEWEST_GROUPS, Compared, Drift, DriftVerdict, drift_reason
from training.models import DriftCheck, TrainingRun
from training.selectors.runs import exposed_answers_on, has_features, newest_run
from training.services.drift import WEEK
from training.services.runs import run_request


def runs_request_drifted() -> list[TrainingRun]:
    """Request a run in each active campaign whose newest check says drift, when there is something to learn from it.

    The new photos must have answers, in at least `FEWEST_GROUPS` groups of near-duplicates, that came after the last
    run. There is at most one such run a week: each comparison with the champion is a look at the holdout.
    """
    last_week = TrainingRun.objects.filter(
        campaign=OuterRef("campaign"), trigger=TrainingRun.Trigger.DRIFT, created_at__gt=timezone.now() - WEEK
    )
    checks = DriftCheck.objects.filter(
        ~Exists(last_week),
        campaign__retrain_on_drift=True,
        campaign__state=Campaign.State.ACTIVE,
        model_version__is_champion=True,
        made_at__gt=timezone.now() - WEEK,
    )
    requested = []
    for check in checks.select_related("campaign", "model_version"):
        reason = _reason(check)
        newest = newest_run(check.campaign)
        if not reason or (newest is not None and newest.state in TrainingRun.LIVE):
            continue
        if rated_groups(check, newest) >= FEWEST_GROUPS:
            requested.append(run_request(campaign=check.campaign, trigger=TrainingRun.Trigger.DRIFT, reason=reason))
    return requested


def rated_groups(check: DriftCheck, last: TrainingRun | None) -> int:
    """Return how many groups of the check's new photos a run could learn about from answers after the `last` run."""
    answers = votes_of(check.campaign, split=Image.Split.TRAIN, independent=not exposed_answers_on(last))
    fresh = answers.filter(
        has_features(check.campaign),
        pk__gt=last.last_annotation_id if last else 0,
        image__created_at__gt=check.since,
    )
    return fresh.order_by().values("image__group").distinct().count()


def _reason(check: DriftCheck) -> str:
    """Return what differs, as sentences; "" without drift."""
    tests = {Compared.PHOTOS: Drift.from_json(check.photos), Compared.SCORES: Drift.from_json(check.scores)}
    return " ".join(
        drift_reason(test, what=what, version=check.model_version.number)
        for what, test in tests.items()
        if test.verdict == DriftVerdict.DRIFT
    )
