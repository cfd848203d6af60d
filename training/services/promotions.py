"""Champion changes: automatic promotion, promotion by an admin, and rollback. Each writes an audit record."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from annotation.language.lazy import english
from annotation.models import AuditKind, Campaign, User
from annotation.services.audit import audit_record
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.selectors import backbone_of, champion, version_misfit
from inference.services.versions import champion_set
from training.evaluation import stored_words
from training.models import Evaluation, Promotion
from training.selectors.backbone_change import has_other_network
from training.selectors.verdicts import verdict_of
from training.selectors.versions import newest_evaluations, past_champions


class PromotionError(ValueError):
    """The version cannot become champion. The message is for the user who asked for it."""


@transaction.atomic
def promotion_make(
    *,
    version: ModelVersion,
    kind: str,
    by: User | None = None,
    reason: str = "",
    evaluation: Evaluation | None = None,
) -> Promotion:
    """Make the version the champion of its campaign and write the audit record.

    A rollback has another `kind` and is only possible to a former champion. The caller enqueues new
    predictions on commit. Raises PromotionError if the version is already the champion, if the target of a
    rollback was never champion, if the version was made for another scale or other classes than the campaign has now,
    if it has a network that the campaign does not use, or if the version's files have changed since they were stored.
    """
    # The lock puts two promotions at the same time one after the other.
    campaign = Campaign.objects.select_for_update().get(pk=version.campaign_id)
    version = ModelVersion.objects.get(pk=version.pk)
    version.campaign = campaign
    if version.is_champion:
        raise PromotionError(gettext("Version %(number)s is already the champion.") % {"number": version.number})
    if kind == Promotion.Kind.ROLLBACK and version.pk not in past_champions(campaign):
        raise PromotionError(
            gettext("Version %(number)s has never been champion, so a rollback to it is not possible.")
            % {"number": version.number}
        )
    if misfit := version_misfit(version, campaign):
        raise PromotionError(
            gettext("Version %(number)s cannot become champion. %(misfit)s Train a new version.")
            % {"number": version.number, "misfit": misfit}
        )
    if kind != Promotion.Kind.ROLLBACK and has_other_network(version, campaign):
        raise PromotionError(
            gettext(
                "Version %(number)s has a network of its own, and most photos have no features of it yet. "
                "First run manage.py campaign_backbone %(slug)s %(backbone)s; the champion goes on meanwhile."
            )
            % {"number": version.number, "slug": campaign.slug, "backbone": backbone_of(version.backbone)}
        )
    try:
        replaced = champion_set(version=version)
    except ModelFileError as error:
        raise PromotionError(str(error)) from error
    audit_record(
        kind=AuditKind.PROMOTION,
        by=by,
        campaign=campaign,
        what=english(Promotion.Kind(kind).label),
        before={"version": replaced.number if replaced else None},
        after={"version": version.number, "reason": reason},
    )
    return Promotion.objects.create(
        campaign=campaign,
        kind=kind,
        version=version,
        replaced=replaced,
        evaluation=evaluation,
        by=by,
        reason=reason,
    )


REASON_LENGTH = 500


@dataclass(frozen=True)
class RulesOpinion:
    """What the promotion rule says about a champion change that an admin is about to make."""

    agrees: bool
    """Whether the admin does what the rule says. Returning to a former champion is always the admin's decision."""
    text: str
    """A sentence for the audit."""


def rules_opinion(*, kind: str, evaluation: Evaluation | None, current_champion: ModelVersion | None) -> RulesOpinion:
    """Return what the rule says (no query). evaluation: the version's newest, as `newest_evaluations` returns it.

    current_champion: the version that is replaced. Without a comparison with it, the rule does not agree.
    """
    if kind == Promotion.Kind.ROLLBACK:
        return RulesOpinion(True, stored_words.BY_ADMIN)
    if evaluation is None or evaluation.against is None or evaluation.against != current_champion:
        return RulesOpinion(False, stored_words.BY_ADMIN_ALONE)
    verdict = verdict_of(evaluation)
    if verdict is None:
        return RulesOpinion(False, stored_words.BY_ADMIN_OLDER % {"number": evaluation.against.number})
    words = stored_words.RULE_AGREES if verdict.promote else stored_words.RULE_DOES_NOT
    return RulesOpinion(verdict.promote, words % {"verdict_sentence": verdict.text})


def promotion_by_admin(
    *, version: ModelVersion, kind: str, by: User, reason: str = "", must_explain: bool = False
) -> Promotion:
    """Do what `promotion_make` does for an admin, with the newest evaluation and what the rule says about it.

    reason: in the admin's words, at most REASON_LENGTH characters; stored in front of what the rule says. must_explain:
    raise PromotionError without a reason when the rule does not agree.
    """
    evaluation = newest_evaluations([version]).get(version.pk)
    with translation.override(None):  # it is stored, and read in several languages
        opinion = rules_opinion(kind=kind, evaluation=evaluation, current_champion=champion(version.campaign))
    words = " ".join(reason.replace("\0", "").split())
    if len(words) > REASON_LENGTH:
        raise PromotionError(
            gettext("The reason has %(count)s characters; at most %(reason_length)s are stored.")
            % {"count": len(words), "reason_length": REASON_LENGTH}
        )
    if must_explain and not opinion.agrees and not words:
        raise PromotionError(
            gettext(
                "The promotion rule does not say that version %(number)s is better. Give a reason for your decision."
            )
            % {"number": version.number}
        )
    stored = opinion.text
    if words:
        stored = stored_words.WITH_REASON % {"reason": words, "rule_sentence": opinion.text}
    return promotion_make(version=version, kind=kind, by=by, reason=stored, evaluation=evaluation)
