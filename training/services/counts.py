"""Counts of large campaigns by this app, which workers make (`annotation.services.kept_counts`)."""

from datetime import datetime

from annotation.models import Campaign
from annotation.services.kept_counts import Count, KeptCounts, count_register
from training.models import Evaluation
from training.selectors.runs import TrainingAnswers, training_answers
from training.selectors.versions import HoldoutVotes, changed_by, holdout_votes


def _holdout_votes(campaign: Campaign, *, since: str) -> HoldoutVotes:
    return holdout_votes(campaign, since=datetime.fromisoformat(since))


ANSWERS = count_register(Count("answers-to-learn", TrainingAnswers, training_answers))
HOLDOUT_VOTES = count_register(Count("holdout-votes", HoldoutVotes, _holdout_votes))


def changed_since_kept(evaluation: Evaluation, kept: KeptCounts) -> str:
    """Return `changed_since` by stored counts. Votes that a worker has not counted yet are not in the sentence."""
    return changed_by(evaluation, kept.get(HOLDOUT_VOTES, since=evaluation.created_at.isoformat()))
