"""Calibrates what the model may decide, checks it on fresh audit votes, and pauses it when it no longer holds."""

from datetime import datetime, timedelta
from math import ceil

import numpy as np
from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.utils import timezone
from numpy.typing import NDArray

from annotation.measures.figures_text import figures_text
from annotation.models import LIVE, Annotation, Campaign, ImportBatch
from inference.decisions.calibration import Checked, achieved, calibrate
from inference.gallery.decisions import State, deciding, decision_counts
from inference.models import DecisionCheck, DecisionRule, DecisionRun, ModelVersion, Prediction
from inference.selectors import class_limits, fits_scale, shown_threshold
from training.evaluation.drift import Drift, DriftVerdict
from training.models import DriftCheck
from training.selectors.audit_photos import AuditTable, audit_table
from training.services.drift import WEEK

#: So many new audit photos, or a quarter of those of the last calibration if this is more, start a new calibration.
NEW_PHOTOS, NEW_SHARE = 20, 0.25
#: New answers alone make a worker look again after this time.
EVERY = timedelta(minutes=10)
# Predictions that the candidate limits are chosen from.
_POOL = 50_000


def decisions_due() -> list[int]:
    """Return the ids of active campaigns whose rule is on and where something may have changed (one query).

    That is another champion, rule or class limit since the newest calibration, or a new answer, photo or drift check
    since a worker last looked. New photos need some minutes until they have predictions.
    """
    champions = ModelVersion.objects.filter(campaign=OuterRef("campaign"), is_champion=True).values("pk")
    runs = DecisionRun.objects.filter(campaign=OuterRef("campaign"))
    answers = Annotation.objects.filter(campaign=OuterRef("campaign")).order_by("-pk").values("pk")
    drift = DriftCheck.objects.filter(campaign=OuterRef("campaign")).values("made_at")
    imports = ImportBatch.objects.filter(campaign=OuterRef("campaign"), finished_at__isnull=False, added__gt=0)
    rows = DecisionRule.objects.filter(is_on=True, campaign__state=Campaign.State.ACTIVE).annotate(
        champion=Subquery(champions[:1]),
        answer=Subquery(answers[:1]),
        drift_at=Subquery(drift[:1]),
        imported_at=Subquery(imports.order_by("-finished_at").values("finished_at")[:1]),
        run_rule=Subquery(runs.values("rule_number")[:1]),
        run_version=Subquery(runs.values("model_version")[:1]),
        run_limits=Subquery(runs.values("class_limits")[:1]),
        seen=Subquery(runs.values("checked_annotation_id")[:1]),
        seen_at=Subquery(runs.values("checked_at")[:1]),
    )
    now, due = timezone.now(), []
    for row in rows.filter(champion__isnull=False).select_related("campaign"):
        limits = [row.campaign.reject_at, row.campaign.pending_at]
        is_other = (row.run_rule, row.run_version, row.run_limits) != (row.number, row.champion, limits)
        is_new = bool(row.seen_at and row.imported_at and row.imported_at > row.seen_at - EVERY)
        has_news = is_new or (row.answer or 0) > (row.seen or 0)
        has_news = has_news and (row.seen_at is None or now - row.seen_at > EVERY)
        is_drifted = bool(row.seen_at and row.drift_at and row.drift_at > row.seen_at)
        if is_other or has_news or is_drifted:
            due.append(row.campaign_id)
    return due


def decisions_update(*, campaign: Campaign, now: datetime | None = None) -> DecisionRun | None:
    """Check the newest calibration, pause it if it no longer holds, and calibrate again where this is due.

    Return the newest calibration; None when the rule is off, there is no champion, or it predicts another scale.
    Takes seconds on large campaigns, so workers call it.
    """
    now = now or timezone.now()
    found = deciding(campaign)
    rule, version, run = found.rule, found.version, found.run
    if rule is None or version is None or found.state == State.OFF or not fits_scale(version, campaign):
        return None
    newest = Annotation.objects.filter(campaign=campaign).aggregate(newest=Max("pk"))["newest"] or 0
    audit = _audit(campaign, rule, version)
    if run is None or found.state in {State.WAITING, State.NEW_MODEL, State.NEW_CLASSES}:
        return _calibrate(campaign, rule, version, audit, newest, now)
    if not run.pause:
        _check(campaign, rule, run, audit, now)
    if run.pause:
        # Only newer votes count from now on. The pause ends when they support a limit.
        audit = _looked_at(_audit(campaign, rule, version))
        renewed = _calibrate(campaign, rule, version, audit, newest, now, only_with_limits=True)
    else:
        renewed = _calibrate(campaign, rule, version, audit, newest, now) if _has_grown(run, audit) else None
    if renewed is not None:
        return renewed
    run.checked_at, run.checked_annotation_id = now, newest
    if found.calibration is not None:
        run.counts = decision_counts(campaign, version, found.calibration.limits, rule.panel)
    run.save(update_fields=["checked_at", "checked_annotation_id", "counts"])
    return run


def _check(campaign: Campaign, rule: DecisionRule, run: DecisionRun, audit: AuditTable, now: datetime) -> None:
    """Store how the decisions did on photos whose panels were complete after the calibration, and pause if needed."""
    calibration = run.calibration
    if calibration is None:
        return
    fresh = audit.part(audit.complete_at > run.last_annotation_id)
    limits = (run.class_limits[0], run.class_limits[1])
    checked = Checked(len(fresh), achieved(rule.tolerances, calibration.limits, fresh, class_limits=limits))
    drift, last_pause = _drift(campaign, run), _drift_pause(campaign, run.model_version)
    with transaction.atomic():
        last = run.checks.first()
        if last is None or last.made_at.date() != now.date():
            last = DecisionCheck(run=run)
        last.made_at, last.figures = now, figures_text(checked)
        last.save()
        if checked.broken is not None:
            _pause(rule, run, DecisionRun.Pause.BROKEN, now, votes_from=run.made_at, statement=checked.broken.statement)
        elif drift is not None and (last_pause is None or drift.made_at - WEEK > last_pause):
            _pause(rule, run, DecisionRun.Pause.DRIFT, now, votes_from=drift.since)


def _drift(campaign: Campaign, run: DecisionRun) -> DriftCheck | None:
    """Return the newest drift check of the version if it found drift after the calibration."""
    check = DriftCheck.objects.filter(
        campaign=campaign, model_version=run.model_version_id, made_at__gt=run.made_at
    ).first()
    if check is None:
        return None
    tests = (Drift.from_json(stored) for stored in (check.photos, check.scores))
    return check if any(test.verdict == DriftVerdict.DRIFT for test in tests) else None


def _drift_pause(campaign: Campaign, version: ModelVersion) -> datetime | None:
    """Return when drift last paused the decisions of a version (one query)."""
    paused = DecisionRun.objects.filter(campaign=campaign, model_version=version, pause=DecisionRun.Pause.DRIFT)
    newest: datetime | None = paused.aggregate(newest=Max("paused_at"))["newest"]
    return newest


def _audit(campaign: Campaign, rule: DecisionRule, version: ModelVersion) -> AuditTable:
    """Return the audit photos that count for a version.

    After drift they are photos of the week that differed, and later ones: answers to earlier photos, however new they
    are, say nothing about the photos that came in. Another version has a drift check of its own.
    """
    paused_at = _drift_pause(campaign, version)
    since = None if paused_at is None else paused_at - WEEK
    return audit_table(campaign, version, panel=rule.panel, votes_from=rule.votes_from, photos_from=since)


def _pause(
    rule: DecisionRule, run: DecisionRun, why: str, now: datetime, *, votes_from: datetime, statement: str = ""
) -> None:
    """Stop deciding. Votes before `votes_from` are about other photos or errors, so they no longer count."""
    run.pause, run.paused_at, run.pause_statement = why, now, statement
    run.save(update_fields=["pause", "paused_at", "pause_statement"])
    rule.votes_from = votes_from
    rule.save(update_fields=["votes_from"])


def _looked_at(audit: AuditTable) -> AuditTable:
    """Return the first audit photos, as many as a calibration after enough new ones would have.

    A pause ends with the first calibration that finds a limit. One after each answer would find some by chance.
    """
    photos, following = 0, NEW_PHOTOS
    while following <= len(audit.photos):
        photos, following = following, following + ceil(max(NEW_PHOTOS, NEW_SHARE * following))
    return AuditTable(audit.part(np.arange(len(audit.photos)) < photos), audit.complete_at[:photos])


def _has_grown(run: DecisionRun, audit: AuditTable) -> bool:
    """Return whether there are enough new audit photos for a new calibration."""
    before = run.calibration.limits.calibrated_on if run.calibration else 0
    new = int((audit.complete_at > run.last_annotation_id).sum())
    return new >= max(NEW_PHOTOS, NEW_SHARE * before)


def _calibrate(
    campaign: Campaign,
    rule: DecisionRule,
    version: ModelVersion,
    audit: AuditTable,
    newest: int,
    now: datetime,
    *,
    only_with_limits: bool = False,
) -> DecisionRun | None:
    quality, watch = _pool(campaign, version)
    calibration = calibrate(
        rule.tolerances,
        audit.photos,
        class_limits=(campaign.reject_at, campaign.pending_at),
        pool_quality=quality,
        pool_watch=watch,
        predicted_limits=class_limits(campaign, version),
        watch_threshold=shown_threshold(campaign, version),
    )
    if only_with_limits and not calibration.limits.has_any:
        return None
    return DecisionRun.objects.create(
        campaign=campaign,
        rule_number=rule.number,
        model_version=version,
        made_at=now,
        checked_at=now,
        class_limits=[campaign.reject_at, campaign.pending_at],
        last_annotation_id=newest,
        checked_annotation_id=newest,
        figures=figures_text(calibration),
        counts=decision_counts(campaign, version, calibration.limits, rule.panel),
    )


def _pool(campaign: Campaign, version: ModelVersion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the predicted means and watch probabilities of the campaign's photos, at most 50,000 drawn at random."""
    rows = Prediction.objects.filter(Q(image__in=campaign.images.filter(LIVE)), model_version=version)
    columns = rows.order_by(F("image__queue_position"), "image").values_list("quality_mean", "watch_probability")
    table = np.array(list(columns[:_POOL]), dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
