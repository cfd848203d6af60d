"""Celery tasks. Each task takes ids, calls one service, and is safe to run twice."""

import logging
from typing import Any

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from annotation.access.attempts import attempts_old_delete
from annotation.models import Campaign
from annotation.selectors.consensus import consensus_due
from annotation.services import (
    batches,
    consensus,
    counts,
    enough_votes,
    kept_counts,
    photo_changes,
    photo_decoding,
    photo_files,
    queue,
    quotas,
    retention,
    stored_figures,
    turns,
    vote_imports,
    withdrawals,
)
from annotation.services.sessions import sessions_clear
from annotation.signals import photos_added

logger = logging.getLogger(__name__)
_imports = turns.Slots()
_vote_imports = turns.Slots()
# The task ends after this time, so that other tasks get their turn. The sweep announces it again.
_DECODING_SECONDS = 60


def announce(task: Task, *args: Any, expires: float | None = None) -> None:
    """Send a task to the workers after the current transaction commits.

    A broker that does not respond is not an error: the sweep finds the work later. The broker drops a message that no
    worker takes within `expires` seconds.
    """

    def send() -> None:
        try:
            task.apply_async(args, expires=expires)
        except (OperationalError, OSError) as error:
            logger.info("The broker did not accept %s (%s); the sweep will start it.", task.name, error)

    transaction.on_commit(send)


@shared_task
def batch_import(batch_id: int) -> None:
    """Run the import whose turn it is, which may be another one than `batch_id`; then announce the next one.

    Do nothing when this worker process runs as many imports as it may: each of them announces the next one.
    """
    with _imports.one(settings.IQS_IMPORTS_AT_ONCE) as is_free:
        batch = turns.batch_claim_next() if is_free else None
        if batch is None:
            return
        try:
            batches.batch_run(batch=batch)
        except batches.ImportLost as lost:
            logger.warning("%s", lost)
            return
        if batch.added:
            photos_added.send(sender=batch_import, campaign_id=batch.campaign_id)
        for import_id in batch.label_imports.filter(state="queued").values_list("pk", flat=True):
            announce(votes_import, import_id)
    following = turns.batch_next_id()
    if following is not None:
        announce(batch_import, following)


@shared_task
def votes_import(import_id: int) -> None:
    """Import an uploaded file of votes; then announce the next one.

    Does nothing when another worker has it, or while this process imports another file.
    """
    with _vote_imports.one(1) as is_free:
        vote_import = vote_imports.vote_import_claim(import_id=import_id) if is_free else None
        if vote_import is None:
            return
        vote_imports.uploaded_votes_import(vote_import=vote_import)
    for following in vote_imports.vote_imports_claimable()[:1]:
        announce(votes_import, following)


@shared_task
def photos_change(change_id: int) -> None:
    """Delete or move photos. Does nothing when another worker does it."""
    change = photo_changes.CLAIMS.claim(change_id)
    if change is None:
        return
    done = photo_changes.photo_change_run(change=change)
    if done.moved and done.target_id:
        photos_added.send(sender=photos_change, campaign_id=done.target_id)


@shared_task
def consensus_refresh(campaign_id: int) -> str:
    """Bring the stored consensus of a campaign up to date; return what was due: "full", "refit", "update" or ""."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        return ""
    refreshed = consensus.consensus_refresh(campaign=campaign)
    if refreshed.kind:
        enough_votes.votes_needed_plan(campaign=campaign)
    return refreshed.kind


@shared_task
def stored_figures_make(figures_id: int) -> bool:
    """Compute figures that a page asked for; return whether this worker did it."""
    row = stored_figures.CLAIMS.claim(figures_id)
    return row is not None and stored_figures.claimed_figures_make(row=row)


@shared_task
def stored_count_make(count_id: int) -> bool:
    """Make a count that a page asked for; return whether this worker did it."""
    row = kept_counts.CLAIMS.claim(count_id)
    return row is not None and kept_counts.claimed_count_make(row)


def counts_announce(kept: kept_counts.KeptCounts) -> None:
    """Tell the workers about the counts that a page has asked for."""
    for count_id in kept.asked:
        announce(stored_count_make, count_id, expires=settings.IQS_SWEEP_SECONDS)


@shared_task
def photo_files_check() -> int:
    """Check the files of some photos; return how many. Does nothing when it is not due, so it may run twice."""
    return photo_files.photo_files_step()


@shared_task
def photos_decoding_update() -> int:
    """Look at photos that an earlier version has decoded; return how many. One worker at a time does it."""
    done = photo_decoding.photos_decoding_update(seconds=_DECODING_SECONDS)
    if done and photo_decoding.photos_decoding_due():
        announce(photos_decoding_update, expires=settings.IQS_SWEEP_SECONDS)
    return done


@shared_task
def sweep() -> None:
    """Do what is due: leases, uploads, sessions, old counts, lost imports, deletions, figures, consensus, checks."""
    queue.leases_expire()
    attempts_old_delete()
    batches.uploads_stale_discard()
    sessions_clear()
    quotas.uses_old_delete()
    withdrawals.withdrawn_files_delete()
    retention.retention_apply()
    for batch_id in batches.batches_claimable():
        batch_import.delay(batch_id)
    for import_id in vote_imports.vote_imports_claimable():
        votes_import.delay(import_id)
    for change_id in photo_changes.CLAIMS.claimable_ids():
        announce(photos_change, change_id, expires=settings.IQS_SWEEP_SECONDS)
    for figures_id in stored_figures.CLAIMS.claimable_ids():
        announce(stored_figures_make, figures_id, expires=settings.IQS_SWEEP_SECONDS)
    counts.progress_ask()
    for count_id in kept_counts.CLAIMS.claimable_ids():
        announce(stored_count_make, count_id, expires=settings.IQS_SWEEP_SECONDS)
    for campaign_id in consensus_due():
        announce(consensus_refresh, campaign_id, expires=settings.IQS_SWEEP_SECONDS)
    if photo_decoding.photos_decoding_due():
        announce(photos_decoding_update, expires=settings.IQS_SWEEP_SECONDS)
    if photo_files.photo_files_due():
        announce(photo_files_check, expires=settings.IQS_SWEEP_SECONDS)
