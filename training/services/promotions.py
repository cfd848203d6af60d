"""Change of champion: by rule, by an admin, or back again. Each leaves an audit row."""

from dataclasses import dataclass

from django.db import transaction

from annotation.models import Campaign, User
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.services.versions import champion_set
from training.evaluation.registry import MeasuredFigure, measured
from training.models import Evaluation, Promotion
from training.selectors.versions import past_champions

# With fewer photos an interval says more about the draw than about the models.
HOLDOUT_FOR_PROMOTION = 20


class PromotionError(ValueError):
    """The version cannot become champion; the message is a sentence for the person who asked."""


@dataclass(frozen=True)
class Verdict:
    """What the rule says about a challenger, and why."""

    promote: bool
    reason: str


def promotion_verdict(evaluation: Evaluation) -> Verdict:
    """Apply the rule: better at ranking quality for sure, and not worse at finding watches for sure.

    'For sure' means that the 95 % interval of the paired difference on the holdout excludes zero.
    """
    differences = {one.figure.name: one for one in measured(evaluation.differences)}
    quality, watch = differences.get("quality_srcc"), differences.get("watch_roc_auc")
    if quality is None or quality.low is None:
        return Verdict(False, "The holdout has too few votes to compare the two models.")
    if quality.n < HOLDOUT_FOR_PROMOTION:
        return Verdict(False, f"Only {quality.n} holdout photos have votes; the rule asks for {HOLDOUT_FOR_PROMOTION}.")
    gain = f"Quality SRCC {_figure_text(quality)}"
    if quality.low <= 0:
        return Verdict(False, f"{gain}: the interval does not lie above zero.")
    if watch is None or watch.high is None:
        return Verdict(True, f"{gain}: above zero. Watch ROC AUC could not be compared.")
    if watch.high < 0:
        return Verdict(False, f"{gain}, but watch ROC AUC {_figure_text(watch)}: that is a loss.")
    return Verdict(True, f"{gain}: above zero. Watch ROC AUC {_figure_text(watch)}: no significant loss.")


@transaction.atomic
def promotion_make(
    *,
    version: ModelVersion,
    kind: str,
    by: User | None = None,
    reason: str = "",
    evaluation: Evaluation | None = None,
) -> Promotion:
    """Make the version the champion of its campaign and write the audit row.

    Rollback is the same with another `kind`, and only to a version that has been champion. The
    caller enqueues new predictions on commit.
    Raises PromotionError when the version is champion already, was never champion (rollback), or
    its files are not what they were when it was made.
    """
    # Two admins who press at once come one after the other.
    campaign = Campaign.objects.select_for_update().get(pk=version.campaign_id)
    version = ModelVersion.objects.get(pk=version.pk)
    if version.is_champion:
        raise PromotionError(f"Version {version.number} is the champion already.")
    if kind == Promotion.Kind.ROLLBACK and version.pk not in past_champions(campaign):
        raise PromotionError(f"Version {version.number} has never been champion, so there is nothing to go back to.")
    try:
        replaced = champion_set(version=version)
    except ModelFileError as error:
        raise PromotionError(str(error)) from error
    return Promotion.objects.create(
        campaign=campaign,
        kind=kind,
        version=version,
        replaced=replaced,
        evaluation=evaluation,
        by=by,
        reason=reason,
    )


def _figure_text(difference: MeasuredFigure) -> str:
    return f"{difference.signed} ({difference.signed_interval}, n = {difference.n})"
