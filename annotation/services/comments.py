"""Comments of annotators on photos, for the admins of the campaign."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import Campaign, Image, PhotoComment, User

COMMENT_LENGTH = 500
MOST_COMMENTS = 20  # of one person on one photo, so that a broken program cannot fill the admins' list


class CommentError(ValueError):
    """The comment cannot be stored. The message is a sentence for the author."""


@dataclass(frozen=True)
class CommentReceipt:
    """Confirms that a comment is in the database. `created` is False when it was stored earlier."""

    comment: PhotoComment
    created: bool


def comment_record(*, campaign: Campaign, author: User, image_id: int, client_id: UUID, text: str) -> CommentReceipt:
    """Store a comment on a photo of the campaign and return its receipt.

    The same `client_id` again gives the same receipt and changes nothing. Spaces and line breaks are joined.
    Raises CommentError for an empty or long text, an unknown photo, an id of another comment, and too many comments.
    """
    same = _with_id(client_id, author, image_id)
    if same is not None:
        return CommentReceipt(same, created=False)
    text = " ".join(text.replace("\0", "").split())
    if not text:
        raise CommentError(gettext("The comment is empty."))
    if len(text) > COMMENT_LENGTH:
        raise CommentError(
            gettext("The comment is longer than %(comment_length)s characters.") % {"comment_length": COMMENT_LENGTH}
        )
    if not Image.objects.filter(campaign=campaign, pk=image_id).exists():
        raise CommentError(gettext("This campaign has no photo number %(image_id)s.") % {"image_id": image_id})
    if PhotoComment.objects.filter(image=image_id, author=author).count() >= MOST_COMMENTS:
        raise CommentError(
            gettext("You have written %(most_comments)s comments on this photo, which is the most.")
            % {"most_comments": MOST_COMMENTS}
        )
    try:
        with transaction.atomic():
            comment = PhotoComment.objects.create(
                campaign=campaign, image_id=image_id, author=author, client_id=client_id, text=text
            )
    except IntegrityError:  # another request has stored it at the same moment
        same = _with_id(client_id, author, image_id)
        if same is None:
            raise
        return CommentReceipt(same, created=False)
    return CommentReceipt(comment, created=True)


def comment_done_set(*, comment: PhotoComment, by: User, is_done: bool) -> None:
    """Mark a comment as done, or open it again."""
    comment.done_at, comment.done_by = (timezone.now(), by) if is_done else (None, None)
    comment.save(update_fields=["done_at", "done_by"])


def comments_done(*, campaign: Campaign, by: User, up_to: int) -> int:
    """Mark all open comments up to this id as done; later ones were not on the page. Return how many there were."""
    waiting = PhotoComment.objects.filter(campaign=campaign, done_at=None, pk__lte=up_to)
    return waiting.update(done_at=timezone.now(), done_by=by)


def _with_id(client_id: UUID, author: User, image_id: int) -> PhotoComment | None:
    """Return the comment with this id, or None. Raises CommentError when it is of somebody else or another photo."""
    found = PhotoComment.objects.filter(client_id=client_id).first()
    if found is not None and (found.author_id, found.image_id) != (author.pk, image_id):
        raise CommentError(gettext("The id of this comment belongs to another comment. Send it again with a new id."))
    return found
