"""Change of champion: by rule, by an admin, or back again. Each leaves an audit row."""

from django.db import transaction

from annotation.models import Campaign, User
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.services.versions import champion_set
from training.models import Evaluation, Promotion
from training.selectors.versions import past_champions


class PromotionError(ValueError):
    """The version cannot become champion; the message is a sentence for the person who asked."""


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
