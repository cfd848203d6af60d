"""Joining groups of near-duplicates that were found after the import.

Near-duplicates must not be on both sides of an evaluation. So when the groups that are joined lie in both splits:

* They go to the holdout if no run can have learned from one of them.
* Otherwise they all go to neither split. The photos of the holdout go too: a version that has learned from a copy would
  look better on them than it is, and better than a version that has not.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from annotation.models import AuditKind, Campaign, DuplicateLink, Image, SplitChange
from annotation.photos.near_duplicates import Link, groups_joined
from annotation.services.audit import audit_record

#: Joining makes no group with more photos than this, or than this share of the campaign. Photos that are only alike
#: would otherwise hang together in a long chain.
LARGEST, LARGEST_SHARE = 100, 0.05
Split = Image.Split


@dataclass(frozen=True)
class JoinedGroups:
    """What joining groups has changed."""

    groups: int = 0
    """Groups that have become part of another one."""
    to_holdout: int = 0
    """Photos that went from train to holdout."""
    to_neither: int = 0
    """Photos that now belong to neither split."""

    def __add__(self, other: "JoinedGroups") -> "JoinedGroups":
        return JoinedGroups(
            self.groups + other.groups, self.to_holdout + other.to_holdout, self.to_neither + other.to_neither
        )


@transaction.atomic
def groups_join(
    *, campaign: Campaign, links: Sequence[Link], learned_from: Callable[[Collection[int]], Collection[int]]
) -> JoinedGroups:
    """Join the groups of linked photos, and take care of their splits. Links within one group change nothing.

    learned_from: returns those of some photos (ids) that a training run can have learned from. It is called while the
    campaign is locked, so that concurrent imports and joins wait.
    """
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    linked = {pk for link in links for pk in (link.first, link.second)}
    group_of = dict(campaign.images.filter(pk__in=linked).values_list("pk", "group"))
    members = defaultdict(list)
    rows = campaign.images.filter(group__in=set(group_of.values())).order_by("pk").values_list("pk", "group", "split")
    for pk, group, split in rows:
        members[group].append((pk, split))
    # Groups are numbered by their oldest photo, so that the oldest group keeps its name.
    number_of = {group: photos[0][0] for group, photos in members.items()}
    joins = groups_joined(
        [link for link in links if link.first in group_of and link.second in group_of],
        {pk: number_of[group] for pk, group in group_of.items()},
        {number_of[group]: len(photos) for group, photos in members.items()},
        largest=max(LARGEST, round(LARGEST_SHARE * campaign.images.count())),
    )
    together = _together(joins, group_of, number_of)
    for groups in together:
        campaign.images.filter(group__in=groups[1:]).update(group=groups[0])
    photos = [[photo for group in groups for photo in members[group]] for groups in together]
    changes = _split_changes([one for one in photos if len({split for _, split in one}) > 1], learned_from)
    gone = len(joins)
    DuplicateLink.objects.bulk_create(
        (
            DuplicateLink(
                image_id=max(link.first, link.second),
                other_id=min(link.first, link.second),
                bits=link.bits,
                is_mirrored=link.is_mirrored,
                cosine=link.cosine,
            )
            for link in joins
        ),
        ignore_conflicts=True,
    )
    SplitChange.objects.bulk_create(changes)
    for split, votes in ((Split.HOLDOUT, campaign.holdout_votes), (Split.NEITHER, campaign.votes_per_image)):
        moved = [change.image_id for change in changes if change.after == split]
        _split_set(Image.objects.filter(pk__in=moved), split, votes)
    joined = JoinedGroups(
        groups=gone,
        to_holdout=sum(change.after == Split.HOLDOUT for change in changes),
        to_neither=sum(change.after == Split.NEITHER for change in changes),
    )
    if changes:
        audit_record(
            kind=AuditKind.NEAR_DUPLICATES,
            campaign=campaign,
            what=f"{gone} groups of near-duplicates became part of another group",
            after={"photos_to_holdout": joined.to_holdout, "photos_to_neither": joined.to_neither},
        )
    return joined


def _together(joins: Sequence[Link], group_of: Mapping[int, UUID], number_of: Mapping[UUID, int]) -> list[list[UUID]]:
    """Return the groups that become one, in lists, each with the oldest group first."""
    place = {group: [group] for group in number_of}
    for link in joins:
        first, second = place[group_of[link.first]], place[group_of[link.second]]
        first += second
        for group in second:
            place[group] = first
    lists = {id(groups): groups for groups in place.values() if len(groups) > 1}
    return [sorted(groups, key=lambda group: number_of[group]) for groups in lists.values()]


def _split_changes(
    mixed: Sequence[Sequence[tuple[int, str]]], learned_from: Callable[[Collection[int]], Collection[int]]
) -> list[SplitChange]:
    """Return the changes for joined groups whose photos (id, split) lie in different splits."""
    trained = [pk for photos in mixed for pk, split in photos if split == Split.TRAIN]
    learned = set(learned_from(trained)) if trained else set()
    changes = []
    for photos in mixed:
        is_free = all(split != Split.NEITHER and pk not in learned for pk, split in photos)
        after = Split.HOLDOUT if is_free else Split.NEITHER
        changes += [SplitChange(image_id=pk, before=before, after=after) for pk, before in photos if before != after]
    return changes


def _split_set(images: QuerySet[Image], split: str, votes: int) -> None:
    needed = F("votes_asked") + votes  # what reviewers asked for stays
    images.update(split=split, open_slots=F("open_slots") + needed - F("votes_needed"), votes_needed=needed)
