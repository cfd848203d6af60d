"""Recording answers and skips: each exactly once, in one transaction."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.answers import last_sql
from annotation.models import Annotation, Assignment, Campaign, Image, User
from annotation.selectors.former_members import TAKEN, was_leased_lately
from annotation.services.skips import problem_update

VIEWING_BYTES = 2048  # enough for viewport, pixel ratio, zoom and input device
_LONGEST_MILLISECONDS = 2**31 - 1


# These are the most frequent queries of the site. They are raw SQL because the ORM takes longer to build such a query
# than PostgreSQL to run it. Fields of the photo that `_LOCK` leaves out are loaded on access.
# `_LOCK` also locks the campaign against a change of its scale, and reads the present scale.
_LOCK = """
SELECT image.id, image.campaign_id, image.open_slots, image.problem, campaign.scale_min, campaign.scale_max,
  EXISTS (SELECT FROM annotation_membership membership
          WHERE membership.campaign_id = image.campaign_id AND membership.user_id = %(annotator)s) AS is_members
FROM annotation_image image JOIN annotation_campaign campaign ON campaign.id = image.campaign_id
WHERE image.id = %(image)s AND image.campaign_id = %(campaign)s
FOR NO KEY UPDATE OF image FOR KEY SHARE OF campaign
"""
_ASSIGNMENTS = """
SELECT * FROM annotation_assignment WHERE image_id = %(image)s AND annotator_id = %(annotator)s ORDER BY is_repeat
"""
_SAME_OR_STANDING = f"""
SELECT * FROM annotation_annotation WHERE client_id = %(client_id)s
UNION ALL
SELECT * FROM annotation_annotation answer
WHERE image_id = %(image)s AND annotator_id = %(annotator)s AND is_repeat = %(is_repeat)s AND client_id <> %(client_id)s
  AND {last_sql("answer")}
"""  # noqa: S608  # made of constants
# One statement, because each statement costs a round trip. It writes only rows that change.
_UPDATE_COUNTERS = """
WITH counted AS (
  UPDATE annotation_image SET vote_count = vote_count + %(votes)s, open_slots = open_slots + %(slots)s
  WHERE id = %(image)s AND (%(votes)s <> 0 OR %(slots)s <> 0)
)
UPDATE annotation_assignment SET state = %(state)s WHERE id = %(assignment)s AND state <> %(state)s
"""


class AnnotationError(ValueError):
    """The answer cannot be recorded. The message is a sentence for the annotator."""


@dataclass(frozen=True)
class Receipt:
    """Confirms that an answer is in the database. `created` is False when it was recorded earlier."""

    annotation: Annotation
    created: bool


@transaction.atomic
def annotation_record(
    *,
    campaign: Campaign,
    annotator: User,
    image_id: int,
    client_id: UUID,
    lease_id: int | None = None,
    watch: str = "",
    score: int | None = None,
    skip_reason: str = "",
    milliseconds: int | None = None,
    viewing: dict[str, Any] | None = None,
    scale: tuple[int, int] | None = None,
) -> Receipt:
    """Record one answer (`watch` and `score`) or one skip (`skip_reason`) and return its receipt.

    * The same `client_id` again gives the same receipt and changes nothing.
    * Another answer of the annotator to the same photo supersedes the standing one.
    * `lease_id` tells an answer to a hidden repeat from an answer to the first lease. Each supersedes only answers of
      its own kind. Without `lease_id`, or with one of another photo or annotator, the answer belongs to the first
      lease.
    * An answer whose lease has ended is recorded. It takes an open slot, or is marked `surplus` when none is open. The
      same holds for an answer to a photo that was never leased to the annotator (`lane` "unasked") while the campaign
      is active.
    * A person who is no longer a member can still answer a photo whose lease ended at most `TAKEN` ago: the answer may
      have waited in the browser while an admin removed the person.
    * Corrections in a campaign that reveals predictions are marked `saw_prediction`.
    * `scale` is the lowest and the highest score that the person could choose. An answer on another scale than the
      campaign's is refused, because the same number means something else there.
    * A photo that too many annotators skip leaves the queue (`annotation.services.skips`).

    Raises AnnotationError for an answer that this campaign does not accept.
    """
    image, scale_now, is_member = _image_lock(campaign, annotator, image_id)
    of_both = {"image": image.pk, "annotator": annotator.pk}
    assignments = list(Assignment.objects.raw(_ASSIGNMENTS, of_both))
    assignment = _assignment_of(assignments, lease_id)
    is_repeat = assignment is not None and assignment.is_repeat
    # The photo is locked, so of two requests with the same client_id the second finds the row of the first.
    known = {
        row.client_id: row
        for row in Annotation.objects.raw(
            _SAME_OR_STANDING, {**of_both, "client_id": client_id, "is_repeat": is_repeat}
        )
    }
    if (same := known.pop(client_id, None)) is not None:
        if (same.annotator_id, same.image_id) != (annotator.pk, image.pk):
            raise AnnotationError(
                gettext("The id of this answer belongs to another answer. Send it again with a new id.")
            )
        return Receipt(same, created=False)
    if not is_member:
        _former_member_check(assignments)
    _check(scale_now, watch=watch, score=score, skip_reason=skip_reason, viewing=viewing, given_on=scale)
    standing = next(iter(known.values()), None)
    if assignment is None and standing is None and campaign.state != Campaign.State.ACTIVE:
        raise AnnotationError(
            gettext("The campaign is %(get_state_display)s and accepts answers only to photos that you already have.")
            % {"get_state_display": campaign.get_state_display()}
        )

    is_answer, was_answer = not skip_reason, standing is not None and not standing.skip_reason
    was_leased = assignment is not None and assignment.state == Assignment.State.LEASED
    # See the equation in annotation.services.queue. A hidden repeat is no vote and takes no slot.
    votes = 0 if is_repeat else int(is_answer) - int(was_answer)
    slots = 0 if is_repeat else int(was_leased) - votes
    annotation = Annotation(
        client_id=client_id,
        campaign=campaign,
        image=image,
        annotator=annotator,
        watch=watch,
        score=score,
        skip_reason=skip_reason,
        supersedes=standing,
        saw_prediction=any(one.saw_prediction for one in assignments)
        # The page shows the prediction after the first answer, so a correction is given after seeing it.
        or (was_answer and campaign.mode == Campaign.Mode.REVEAL),
        is_repeat=is_repeat,
        is_anchored=_is_anchored(assignment, standing),
        surplus=_is_surplus(standing, is_answer=is_answer, was_answer=was_answer, slots=slots, image=image),
        milliseconds=None if milliseconds is None else min(max(milliseconds, 0), _LONGEST_MILLISECONDS),
        viewing={} if campaign.data_deleted_at else viewing or {},
    )
    annotation.save(force_insert=True)
    state = Assignment.State.SKIPPED if skip_reason else Assignment.State.DONE
    if assignment is None:
        _assignment_create(annotation, state)
    changes: dict[str, Any] = {"votes": votes, "slots": slots, "image": image.pk, "state": state.value}
    changes["assignment"] = assignment.pk if assignment else None
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE_COUNTERS, changes)
    if skip_reason and not is_repeat:
        problem_update(image=image, before=standing, skip=annotation)
    return Receipt(annotation, created=True)


def prediction_shown(*, campaign: Campaign, annotator: User, image_id: int) -> None:
    """Record that the annotator saw the model's prediction, so that later answers are not used for evaluation.

    Answers that are already recorded do not change. A lease of the anchoring experiment counts as anchored only after
    this call: without a prediction to show, the caller does not call it, and the answer is independent.
    """
    Assignment.objects.filter(campaign=campaign, annotator=annotator, image_id=image_id, saw_prediction=False).update(
        saw_prediction=True
    )


def _image_lock(campaign: Campaign, annotator: User, image_id: int) -> tuple[Image, tuple[int, int], bool]:
    """Return the photo with its row locked, the campaign's lowest and highest score, and whether they are a member.

    Raises AnnotationError for unknown photos.
    """
    of_all = {"image": image_id, "campaign": campaign.pk, "annotator": annotator.pk}
    found: Any = next(iter(Image.objects.raw(_LOCK, of_all)), None)
    if found is None:
        raise AnnotationError(gettext("This campaign has no photo number %(image_id)s.") % {"image_id": image_id})
    image: Image = found
    return image, (found.scale_min, found.scale_max), found.is_members or annotator.is_superuser


def _former_member_check(assignments: list[Assignment]) -> None:
    """Raise AnnotationError unless the photo was leased to the person, and not long ago."""
    if not assignments:
        raise AnnotationError(gettext("Only members of the campaign can answer. Ask its admin to add you."))
    if not was_leased_lately(assignments):
        raise AnnotationError(
            gettext(
                "You are no longer a member of this campaign, and got this photo more than %(days)s days ago. "
                "Ask an admin of the campaign to add you again, then send the answer again."
            )
            % {"days": TAKEN.days}
        )


def _check(
    scale: tuple[int, int],
    *,
    watch: str,
    score: int | None,
    skip_reason: str,
    viewing: dict[str, Any] | None,
    given_on: tuple[int, int] | None,
) -> None:
    lowest, highest = scale
    if skip_reason:
        if watch or score is not None:
            raise AnnotationError(gettext("A skipped photo has neither a watch label nor a score."))
        if len(skip_reason) > 200:
            raise AnnotationError(gettext("The reason for skipping is longer than 200 characters."))
    elif watch not in Annotation.Watch.values:
        raise AnnotationError(
            gettext("The watch label must be one of %(values)s, not %(watch)s.")
            % {"values": ", ".join(Annotation.Watch.values), "watch": f"{watch!r}"}
        )
    elif given_on is not None and given_on != scale:
        raise AnnotationError(
            gettext(
                "This score was given on the scale %(given_on)s to %(given_on_2)s, and the campaign's scale is "
                "now %(lowest)s to %(highest)s. Reload the page and rate the photo again."
            )
            % {"given_on": given_on[0], "given_on_2": given_on[1], "lowest": lowest, "highest": highest}
        )
    elif score is None or not lowest <= score <= highest:
        raise AnnotationError(
            gettext("The score must be a whole number from %(lowest)s to %(highest)s, not %(score)s.")
            % {"lowest": lowest, "highest": highest, "score": score}
        )
    if viewing and len(json.dumps(viewing)) > VIEWING_BYTES:
        raise AnnotationError(
            gettext("The viewing conditions are larger than %(viewing_bytes)s bytes.")
            % {"viewing_bytes": VIEWING_BYTES}
        )


def _assignment_of(assignments: list[Assignment], lease_id: int | None) -> Assignment | None:
    """Return the assignment with this id, else the first one that is no hidden repeat, else None."""
    for assignment in assignments:
        if assignment.pk == lease_id:
            return assignment
    return next((assignment for assignment in assignments if not assignment.is_repeat), None)


def _is_anchored(assignment: Assignment | None, standing: Annotation | None) -> bool:
    """Return whether the prediction was shown before the first answer. A correction copies the value of that answer."""
    if standing is not None:
        return standing.is_anchored
    return assignment is not None and assignment.is_anchored and assignment.saw_prediction


def _is_surplus(standing: Annotation | None, *, is_answer: bool, was_answer: bool, slots: int, image: Image) -> bool:
    """Return whether the photo no longer needed this answer: it takes a slot (-1), but none is open."""
    if is_answer and was_answer and standing is not None:
        return standing.surplus
    return slots < 0 and image.open_slots <= 0


def _assignment_create(annotation: Annotation, state: Assignment.State) -> None:
    """Create the assignment of an answer to a photo that was never leased to the annotator."""
    Assignment.objects.create(
        campaign=annotation.campaign,
        image=annotation.image,
        annotator=annotation.annotator,
        state=state,
        lane="unasked",
        reason="answered without a lease",
        expires_at=timezone.now(),
    )
