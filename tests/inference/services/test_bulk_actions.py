"""Actions on many photos: what they change, what they leave out, the worker, and the undo."""

from typing import Any

import pytest

from annotation.models import AuditRecord, BulkAction, Campaign, Image, PhotoTag, Tag
from annotation.services.campaigns import campaign_update
from annotation.services.queue import counters_rebuild
from annotation.services.tags import TagError, photos_tag, photos_untag
from inference.services import bulk_actions
from inference.services.bulk_actions import BulkError, bulk_start, bulk_undo
from inference.tasks import bulk_action_run
from tests.opinions_and_predictions import images_make, votes

Kind = BulkAction.Kind


def start(campaign: Campaign, people: dict[str, Any], kind: str, images: list[Image], **more: Any) -> BulkAction:
    ids = [image.pk for image in images]
    return bulk_start(campaign=campaign, by=people["rita"], kind=Kind(kind), image_ids=ids, **more)


def test_a_tag_is_added_once_and_undone_only_where_it_was_new(campaign: Campaign, people: dict[str, Any]) -> None:
    images = images_make(campaign, 4)
    photos_tag(campaign=campaign, name="Blurry", image_ids=[images[0].pk], by=None)
    action = start(campaign, people, "tag", images[:3], text=" blurry ")
    assert (action.state, action.changed) == ("done", 2)
    assert Tag.objects.get().name == "Blurry", "upper and lower case are the same tag"
    undo = bulk_undo(action=action, by=people["rita"])
    assert (undo.kind, undo.changed) == ("untag", 2)
    assert list(PhotoTag.objects.values_list("image_id", flat=True)) == [images[0].pk]
    with pytest.raises(BulkError, match="undone already"):
        bulk_undo(action=action, by=people["rita"])


def test_a_tag_goes_with_its_last_photo(campaign: Campaign) -> None:
    (image,) = images_make(campaign, 1)
    photos_tag(campaign=campaign, name="a", image_ids=[image.pk], by=None)
    assert photos_untag(campaign=campaign, name="A", image_ids=[image.pk]) == [image.pk]
    assert not Tag.objects.exists()
    with pytest.raises(TagError, match="semicolon"):
        photos_tag(campaign=campaign, name="a; b", image_ids=[image.pk], by=None)


def test_photos_get_the_votes_that_a_reviewer_asked_for_beyond_all_settings(
    campaign: Campaign, people: dict[str, Any]
) -> None:
    full, special, surplus = images_make(campaign, 3)
    votes([full], [people["alice"], people["bob"], people["ada"]], 5, "no")
    votes([surplus], [people[name] for name in ("alice", "bob", "ada", "rita")], 5, "no")
    Image.objects.filter(pk=special.pk).update(role="gold")
    counters_rebuild(campaign=campaign)
    action = start(campaign, people, "more_votes", [full, special, surplus], number=2)
    assert action.changed == 2
    assert list(action.refused.values()) == [1]
    for image in (full, special, surplus):
        image.refresh_from_db()
    assert [(one.votes_needed, one.open_slots) for one in (full, special, surplus)] == [(5, 2), (3, 3), (6, 2)]
    campaign_update(campaign=campaign, votes_per_image=4)
    full.refresh_from_db()
    assert (full.votes_needed, full.open_slots) == (6, 3), "2 beyond the new setting"
    assert counters_rebuild(campaign=campaign) == 0, "the slots are what the queue counts"
    bulk_undo(action=action, by=people["rita"])
    full.refresh_from_db()
    assert (full.votes_needed, full.open_slots, full.extra_votes) == (4, 1, 0)


def test_a_photo_that_waits_for_votes_is_not_asked_for_twice(campaign: Campaign, people: dict[str, Any]) -> None:
    (image,) = images_make(campaign, 1)
    first, second = (start(campaign, people, "more_votes", [image], number=20) for _ in range(2))
    assert (first.changed, second.changed) == (1, 0)
    assert second.refused == {"waiting for votes of an earlier request": 1}


def test_withdrawals_are_audited_one_by_one_and_come_back(campaign: Campaign, people: dict[str, Any]) -> None:
    images = images_make(campaign, 3)
    action = start(campaign, people, "withdraw", images, text="out of scope")
    assert Image.objects.exclude(withdrawn_at=None).count() == 3
    assert AuditRecord.objects.filter(kind="withdrawal", by=people["rita"]).count() == 3
    assert start(campaign, people, "withdraw", images, text="again").refused == {"withdrawn already": 3}
    undo = bulk_undo(action=action, by=people["ada"])
    assert (undo.kind, undo.changed) == ("restore", 3)
    assert not Image.objects.exclude(withdrawn_at=None).exists()


def test_practice_photos_need_votes_and_leave_the_holdout_alone(campaign: Campaign, people: dict[str, Any]) -> None:
    good, unrated = images_make(campaign, 2)
    (holdout,) = images_make(campaign, 1, holdout=True)
    votes([good, holdout], [people["alice"], people["bob"]], 7, "yes")
    action = start(campaign, people, "practice", [good, unrated, holdout])
    good.refresh_from_db()
    assert (good.role, good.expected_score, good.expected_watch) == ("practice", 7, "yes")
    assert (action.changed, sum(action.refused.values())) == (1, 2)
    bulk_undo(action=action, by=people["ada"])
    good.refresh_from_db()
    assert good.role == "rated"
    with pytest.raises(BulkError, match="At most 30"):
        start(campaign, people, "practice", images_make(campaign, 31, prefix="more"))


@pytest.mark.parametrize(
    ("kind", "more"),
    [("tag", {"text": ""}), ("withdraw", {"text": " "}), ("more_votes", {"number": 0}), ("more_votes", {"number": 21})],
)
def test_bad_input_is_refused_before_anything_is_stored(
    campaign: Campaign, people: dict[str, Any], kind: str, more: dict[str, Any]
) -> None:
    with pytest.raises(BulkError):
        start(campaign, people, kind, images_make(campaign, 1), **more)
    assert not BulkAction.objects.exists()


def test_a_worker_does_long_actions_and_goes_on_where_a_lost_one_stopped(
    campaign: Campaign, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = images_make(campaign, 5)
    rule = bulk_actions._RULES[Kind.WITHDRAW]
    monkeypatch.setitem(
        bulk_actions._RULES, Kind.WITHDRAW, bulk_actions._Rule(rule.run, 2, 1, rule.least_role, rule.undone_by)
    )
    action = start(campaign, people, "withdraw", images, text="out of scope")
    assert action.state == "queued"
    with pytest.raises(BulkError, match="not finished"):
        bulk_undo(action=action, by=people["rita"])
    BulkAction.objects.filter(pk=action.pk).update(position=2)  # as if a worker had stopped after the first part
    assert bulk_action_run(action.pk) is True
    assert bulk_action_run(action.pk) is False, "nobody does it twice"
    action.refresh_from_db()
    assert (action.state, action.changed, action.done) == ("done", 3, 5)
    assert Image.objects.exclude(withdrawn_at=None).count() == 3
