"""Comments of annotators: stored once, only on photos of the campaign, and read by admins."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from annotation.models import Campaign, Image, PhotoComment
from annotation.selectors.comments import (
    CommentCounts,
    campaign_comments,
    comment_counts,
    comments_by_photo,
    open_comments_count,
)
from annotation.services.annotations import annotation_record
from annotation.services.comments import (
    COMMENT_LENGTH,
    MOST_COMMENTS,
    CommentError,
    comment_done_set,
    comment_record,
    comments_done,
)


@pytest.fixture
def photo(make_image: Callable[..., Image]) -> Image:
    return make_image(1)


def record(campaign: Campaign, author: Any, photo: Image, text: str = "Two clocks.", **fields: Any) -> Any:
    fields = {"client_id": uuid4(), "image_id": photo.pk, **fields}
    return comment_record(campaign=campaign, author=author, text=text, **fields)


def test_the_same_comment_sent_twice_is_stored_once(campaign: Campaign, people: Any, photo: Image) -> None:
    client_id = uuid4()
    first = record(campaign, people["alice"], photo, " Two\n clocks. ", client_id=client_id)
    second = record(campaign, people["alice"], photo, "Two clocks.", client_id=client_id)
    assert (first.created, second.created, first.comment) == (True, False, second.comment)
    assert list(PhotoComment.objects.values_list("text", flat=True)) == ["Two clocks."]


@pytest.mark.parametrize("name", ["bob", "rita"])
def test_an_id_belongs_to_one_author(campaign: Campaign, people: Any, photo: Image, name: str) -> None:
    client_id = uuid4()
    record(campaign, people["alice"], photo, client_id=client_id)
    with pytest.raises(CommentError, match="belongs to another comment"):
        record(campaign, people[name], photo, client_id=client_id)


@pytest.mark.parametrize(
    ("text", "message"), [(" \n", "is empty"), ("x" * (COMMENT_LENGTH + 1), "longer than 500 characters")]
)
def test_an_empty_or_long_comment_is_refused(
    campaign: Campaign, people: Any, photo: Image, text: str, message: str
) -> None:
    with pytest.raises(CommentError, match=message):
        record(campaign, people["alice"], photo, text)
    assert not PhotoComment.objects.exists()


def test_a_photo_of_another_campaign_is_refused(people: Any, photo: Image) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    with pytest.raises(CommentError, match="has no photo number"):
        record(other, people["alice"], photo)


def test_the_number_of_comments_on_a_photo_is_limited(campaign: Campaign, people: Any, photo: Image) -> None:
    for number in range(MOST_COMMENTS):
        record(campaign, people["alice"], photo, f"Comment {number}")
    with pytest.raises(CommentError, match="which is the most"):
        record(campaign, people["alice"], photo)
    record(campaign, people["bob"], photo)


def test_an_open_comment_shows_the_skip_of_its_author(campaign: Campaign, people: Any, photo: Image) -> None:
    annotation_record(
        campaign=campaign,
        annotator=people["alice"],
        image_id=photo.pk,
        client_id=uuid4(),
        skip_reason="Another reason",
    )
    record(campaign, people["alice"], photo)
    record(campaign, people["bob"], photo, "Fine.")
    rows: list[Any] = list(campaign_comments(campaign, is_done=False))
    assert [(row.text, row.skip_reason) for row in rows] == [("Fine.", None), ("Two clocks.", "Another reason")]
    comment_done_set(comment=rows[0], by=people["ada"], is_done=True)
    assert open_comments_count(campaign) == 1
    assert comment_counts(campaign) == CommentCounts(open=1, with_skip=1)
    done = campaign_comments(campaign, is_done=True).get()
    assert (done.done_by, done.text) == (people["ada"], "Fine.")
    comment_done_set(comment=done, by=people["ada"], is_done=False)
    assert open_comments_count(campaign) == 2
    assert comment_counts(campaign) == CommentCounts(open=2, with_skip=1)


def test_comments_that_the_admin_has_not_seen_stay_open(campaign: Campaign, people: Any, photo: Image) -> None:
    seen = record(campaign, people["alice"], photo).comment
    record(campaign, people["bob"], photo, "Later.")
    assert comments_done(campaign=campaign, by=people["ada"], up_to=seen.pk) == 1
    assert [row.text for row in campaign_comments(campaign, is_done=False)] == ["Later."]


def test_own_comments_by_photo(campaign: Campaign, people: Any, photo: Image) -> None:
    record(campaign, people["alice"], photo, "First.")
    record(campaign, people["alice"], photo, "Second.")
    record(campaign, people["bob"], photo, "Other.")
    own = comments_by_photo(campaign, [photo.pk], people["alice"])
    assert [comment.text for comment in own[photo.pk]] == ["First.", "Second."]
    assert len(comments_by_photo(campaign, [photo.pk])[photo.pk]) == 3
