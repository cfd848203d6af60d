"""Actions on many photos at once: by the request where they take less than two seconds, else by a worker.

Each action calls the service of the single action, so that the same rules hold and the same audit records are written.
It works in parts of one transaction each, and remembers how far it has come: a worker that takes over a lost action
goes on there. The photos that an action has changed are stored, so that it can be undone.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from annotation.language.lazy import gettext_lazy
from annotation.models import Annotation, BulkAction, BulkChange, Campaign, Image, Role, User
from annotation.selectors.opinions import opinion_of
from annotation.services.claims import Claims, Heartbeat, Report
from annotation.services.special_photos import Expected, SpecialPhotoError, special_photo_reset, special_photo_set
from annotation.services.tags import photos_tag, photos_untag, tag_name_clean
from annotation.services.vote_requests import MOST_VOTES, votes_request, votes_request_undo
from annotation.services.withdrawals import REASON_LENGTH, WithdrawalError, photo_withdraw, photo_withdrawal_undo

logger = logging.getLogger(__name__)

Kind, State = BulkAction.Kind, BulkAction.State
CLAIMS = Claims(BulkAction)
#: Annotators see all practice photos before their first rated one.
MOST_PRACTICE = 30
_ROWS = 5000
# The reason when a restoration is undone. The first reason went with the withdrawal that it ended.
_WITHDRAWN_AGAIN = gettext_lazy("Withdrawn again")


class BulkError(ValueError):
    """The action is not possible. The message is a sentence for the person."""


@dataclass(frozen=True)
class _Done:
    """What one part has done."""

    changed: Collection[int]
    refused: dict[str, int] = field(default_factory=dict)
    """{why photos were left out: how many}"""


@dataclass(frozen=True)
class _Rule:
    """How one kind of action works."""

    run: Callable[[BulkAction, Campaign, Sequence[int]], _Done]
    part: int
    """So many photos in one transaction."""
    at_once: int
    """Up to so many photos take less than two seconds, so the request does them."""
    least_role: Role
    undone_by: BulkAction.Kind


def bulk_start(
    *,
    campaign: Campaign,
    by: User,
    kind: BulkAction.Kind,
    image_ids: Collection[int],
    text: str = "",
    number: int = 0,
) -> BulkAction:
    """Store an action, and do it at once if that takes less than two seconds. Otherwise the caller announces it.

    image_ids: photos of the campaign. text: the tag, or the reason of a withdrawal. number: how many votes to ask for.
    Raises BulkError without photos and for a text or number that the action does not allow.
    """
    if not image_ids:
        raise BulkError(gettext("Select photos first."))
    text, number = _checked(kind, text, number, len(image_ids))
    action = BulkAction.objects.create(
        campaign=campaign,
        by=by,
        kind=kind,
        text=text,
        number=number,
        image_ids=sorted(set(image_ids)),
        total=len(set(image_ids)),
        heartbeat_at=timezone.now(),
    )
    return _begin(action)


def bulk_undo(*, action: BulkAction, by: User) -> BulkAction:
    """Undo an action with another one on the photos that it has changed. The caller announces it when it is unfinished.

    Raises BulkError for an action that is unfinished, is undone already, or has changed nothing.
    """
    with transaction.atomic():
        action = BulkAction.objects.select_for_update().get(pk=action.pk)
        if action.is_unfinished:
            raise BulkError(gettext("This action is not finished yet."))
        if BulkAction.objects.filter(undoes=action).exists():
            raise BulkError(gettext("This action is undone already."))
        changed = list(action.changes.order_by("image").values_list("image_id", flat=True))
        if not changed:
            raise BulkError(gettext("This action has changed nothing."))
        kind = _RULES[Kind(action.kind)].undone_by
        undo = BulkAction.objects.create(
            campaign=action.campaign,
            by=by,
            kind=kind,
            text=action.text or (_WITHDRAWN_AGAIN if kind == Kind.WITHDRAW else ""),
            number=action.number,
            image_ids=changed,
            total=len(changed),
            undoes=action,
            heartbeat_at=timezone.now(),
        )
    return _begin(undo)


def bulk_run(*, action: BulkAction, report: Report | None = None) -> BulkAction:
    """Do what is left of an action. Return it, done or failed. `report`: called after each part."""
    rule = _RULES[Kind(action.kind)]
    campaign = Campaign.objects.get(pk=action.campaign_id)
    ids, total = action.image_ids, len(action.image_ids)
    try:
        for start in range(action.position, total, rule.part):
            part = ids[start : start + rule.part]
            with transaction.atomic():
                done = rule.run(action, campaign, part)
                rows = [BulkChange(action=action, image_id=pk) for pk in done.changed]
                BulkChange.objects.bulk_create(rows, batch_size=_ROWS)
                action.position = start + len(part)
                action.changed += len(done.changed)
                for why, count in done.refused.items():
                    action.refused[why] = action.refused.get(why, 0) + count
                action.save(update_fields=["position", "changed", "refused"])
            if report:
                report("working", action.position, total)
        action.state = State.DONE
    except Exception as error:
        logger.exception("Bulk action %s of campaign %s failed.", action.pk, action.campaign_id)
        action.state, action.message = State.FAILED, gettext("%(name)s. See the log.") % {"name": type(error).__name__}
    action.finished_at, action.done = timezone.now(), action.position
    action.save(update_fields=["state", "message", "finished_at", "done"])
    return action


def claimed_bulk_run(*, action: BulkAction) -> bool:
    """Do what is left of a claimed action, with a heartbeat. Return whether it worked."""
    with Heartbeat(action) as report:
        report("working", action.position, len(action.image_ids))
        bulk_run(action=action, report=report)
    return action.state == State.DONE


def least_role(kind: BulkAction.Kind) -> Role:
    """Return the role that an action needs: that of the single action."""
    return _RULES[kind].least_role


def _begin(action: BulkAction) -> BulkAction:
    """Do an action at once if it is short."""
    if len(action.image_ids) > _RULES[Kind(action.kind)].at_once:
        return action
    return bulk_run(action=action)


def _checked(kind: BulkAction.Kind, text: str, number: int, photos: int) -> tuple[str, int]:
    """Return text and number as the action uses them. Raises BulkError."""
    try:
        if kind in (Kind.TAG, Kind.UNTAG):
            return tag_name_clean(text), 0
    except ValueError as error:
        raise BulkError(str(error)) from error
    if kind == Kind.WITHDRAW:
        reason = " ".join(text.replace("\0", "").split())
        if not 1 <= len(reason) <= REASON_LENGTH:
            raise BulkError(
                gettext("Enter a reason of at most %(reason_length)s characters.") % {"reason_length": REASON_LENGTH}
            )
        return reason, 0
    if kind == Kind.MORE_VOTES and not 1 <= number <= MOST_VOTES:
        raise BulkError(gettext("Ask for 1 to %(most_votes)s more votes.") % {"most_votes": MOST_VOTES})
    if kind == Kind.PRACTICE and photos > MOST_PRACTICE:
        raise BulkError(
            gettext("At most %(most_practice)s photos at once can become practice photos: annotators see all of them.")
            % {"most_practice": MOST_PRACTICE}
        )
    return "", number


def _tag(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    return _Done(photos_tag(campaign=campaign, name=action.text, image_ids=ids, by=action.by))


def _untag(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    return _Done(photos_untag(campaign=campaign, name=action.text, image_ids=ids))


def _more_votes(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    sent = votes_request(
        campaign=campaign,
        image_ids=ids,
        by=action.by,
        reason=gettext_noop("Selected in the gallery"),
        votes=action.number,
        batch=_vote_batch(action),
    )
    refused = {
        gettext_noop("waiting for votes of an earlier request"): sent.waiting,
        gettext_noop("not in the queue"): sent.left_out,
    }
    return _Done(sent.image_ids, {why: count for why, count in refused.items() if count})


def _fewer_votes(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    assert action.undoes is not None  # only `bulk_undo` makes these
    taken = votes_request_undo(campaign=campaign, batch=_vote_batch(action.undoes), by=action.by, image_ids=ids)
    left_out = len(ids) - len(taken)
    return _Done(taken, {gettext_noop("taken back already"): left_out} if left_out else {})


def _vote_batch(action: BulkAction) -> uuid.UUID:
    """Return the batch of the vote requests of an action: the same for all of its parts."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"bulk action {action.pk}")


def _each(campaign: Campaign, ids: Sequence[int], change: Callable[[Image], str]) -> _Done:
    """Change photos one by one. `change` returns why it left one out, or ''."""
    images = campaign.images.select_related("campaign").in_bulk(ids)
    changed, refused = [], dict[str, int]()
    for pk in ids:
        why = change(images[pk]) if pk in images else gettext("deleted meanwhile")
        if why:
            refused[why] = refused.get(why, 0) + 1
        else:
            changed.append(pk)
    return _Done(changed, refused)


def _practice(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    def change(image: Image) -> str:
        if image.role != Image.Role.RATED:
            return gettext("%(role)s photos already") % {"role": image.role}
        if image.split == Image.Split.HOLDOUT:
            return gettext("photos of the holdout, which would leave every evaluation")
        opinion = opinion_of(image)
        if opinion is None or opinion.watch not in Annotation.Watch.values:
            return gettext("photos without votes and a clear watch label")
        try:
            expected = Expected(opinion.watch, opinion.score)
            special_photo_set(image=image, role=Image.Role.PRACTICE, expected=expected)
        except SpecialPhotoError:
            return gettext("photos with a problem")
        return ""

    return _each(campaign, ids, change)


def _rated(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    def change(image: Image) -> str:
        if image.role != Image.Role.PRACTICE:
            return gettext("not practice photos any more")
        special_photo_reset(image=image)
        return ""

    return _each(campaign, ids, change)


def _withdraw(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    def change(image: Image) -> str:
        try:
            photo_withdraw(image=image, reason=action.text, by=action.by)
        except WithdrawalError:
            return gettext("withdrawn already")
        return ""

    return _each(campaign, ids, change)


def _restore(action: BulkAction, campaign: Campaign, ids: Sequence[int]) -> _Done:
    def change(image: Image) -> str:
        try:
            photo_withdrawal_undo(image=image, by=action.by)
        except WithdrawalError:
            return gettext("put back already, or their files are deleted")
        return ""

    return _each(campaign, ids, change)


# Measured on a busy machine of two cores: 10,000 tags in .9 s, 10,000 requests for votes in 1.5 s, 100 withdrawals in
# .7 s.
_RULES = {
    Kind.TAG: _Rule(_tag, _ROWS, 2 * _ROWS, Role.REVIEWER, Kind.UNTAG),
    Kind.UNTAG: _Rule(_untag, _ROWS, 2 * _ROWS, Role.REVIEWER, Kind.TAG),
    Kind.MORE_VOTES: _Rule(_more_votes, _ROWS, 2 * _ROWS, Role.REVIEWER, Kind.FEWER_VOTES),
    Kind.FEWER_VOTES: _Rule(_fewer_votes, _ROWS, 2 * _ROWS, Role.REVIEWER, Kind.MORE_VOTES),
    Kind.PRACTICE: _Rule(_practice, MOST_PRACTICE, MOST_PRACTICE, Role.ADMIN, Kind.RATED),
    Kind.RATED: _Rule(_rated, MOST_PRACTICE, MOST_PRACTICE, Role.ADMIN, Kind.PRACTICE),
    Kind.WITHDRAW: _Rule(_withdraw, 100, 100, Role.REVIEWER, Kind.RESTORE),
    Kind.RESTORE: _Rule(_restore, 100, 100, Role.REVIEWER, Kind.WITHDRAW),
}
