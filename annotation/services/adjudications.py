"""Deciding about photos on which the annotators disagree, and undoing it. Both are in the audit.

The server knows whether a reviewer saw a prediction before the decision, so the page does not say it.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import Adjudication, Annotation, AuditKind, Image, User
from annotation.selectors.adjudications import may_have_seen
from annotation.services.audit import audit_record

COMMENT_LENGTH = 500


class AdjudicationError(ValueError):
    """The decision cannot be stored. The message is a sentence for the reviewer."""


@transaction.atomic
def adjudication_record(*, image: Image, by: User, watch: str, score: int, comment: str = "") -> Adjudication:
    """Store a decision about a photo. An earlier one is undone, and stays as a row.

    It is marked `saw_prediction` unless the photo's predictions are hidden from the reviewer until now.

    Raises AdjudicationError for a label or a score that the campaign does not have, and for a long comment.
    """
    campaign = image.campaign
    comment = " ".join(comment.replace("\0", "").split())
    if watch not in Annotation.Watch.values:
        raise AdjudicationError(gettext("Choose watch, no watch or unsure."))
    if score not in campaign.scores:
        raise AdjudicationError(
            gettext("The score must be a whole number from %(scale_min)s to %(scale_max)s.")
            % {"scale_min": campaign.scale_min, "scale_max": campaign.scale_max}
        )
    if len(comment) > COMMENT_LENGTH:
        raise AdjudicationError(
            gettext("The comment is longer than %(comment_length)s characters.") % {"comment_length": COMMENT_LENGTH}
        )
    Image.objects.select_for_update(no_key=True).get(pk=image.pk)
    saw = may_have_seen(image, by)
    _undo(image, by)
    decision = Adjudication.objects.create(
        campaign=campaign, image=image, reviewer=by, watch=watch, score=score, comment=comment, saw_prediction=saw
    )
    audit_record(
        kind=AuditKind.ADJUDICATION,
        by=by,
        campaign=campaign,
        what=f"photo {image.pk}",
        after={"watch": watch, "score": score, "saw_prediction": saw},
    )
    return decision


@transaction.atomic
def adjudication_undo(*, image: Image, by: User) -> bool:
    """Undo the decision about a photo. Return whether there was one."""
    Image.objects.select_for_update(no_key=True).get(pk=image.pk)
    if not _undo(image, by):
        return False
    audit_record(kind=AuditKind.ADJUDICATION_UNDONE, by=by, campaign=image.campaign, what=f"photo {image.pk}")
    return True


def _undo(image: Image, by: User) -> int:
    counting = Adjudication.objects.filter(image=image, undone_at=None)
    return counting.update(undone_at=timezone.now(), undone_by=by)
