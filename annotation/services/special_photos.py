"""Photos with a known answer (practice, example, gold), and photos with a problem.

The role of a photo does not change its votes or slots: open_slots stays votes_needed minus votes and live leases, and
the queue also checks the role. A photo that becomes 'rated' again continues as before.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext, gettext_noop, ngettext

from annotation.models import Annotation, Assignment, Campaign, Image, User
from annotation.models.photos import DELETED_PROBLEM
from annotation.raters.exemplars import evenly_spaced
from annotation.selectors.opinions import Opinion, opinions_of
from annotation.services import queue

PRACTICE_COUNT = 5
#: Minimum number of votes of a practice photo that is chosen automatically.
PRACTICE_VOTES = 3
#: Minimum range of the means of the practice photos, as a share of the scale: they must show bad and good photos.
PRACTICE_RANGE = 0.4


class SpecialPhotoError(ValueError):
    """The change is not allowed. The message is a sentence for the admin."""


class LeavesEvaluation(SpecialPhotoError):
    """The photo belongs to the holdout. The caller can ask the admin and call again with `leave_evaluation`."""


@dataclass(frozen=True)
class Expected:
    """The known answer of a special photo."""

    watch: str
    score: int | None
    guidance: str = ""
    """Explanation for annotators, at most 300 characters."""


@transaction.atomic
def special_photo_set(*, image: Image, role: Image.Role, expected: Expected, leave_evaluation: bool = False) -> Image:
    """Make a photo a practice, example or gold photo, or change its expected answer. Return the updated photo.

    When the role changes, live leases of the photo are returned; an answer from a page that still shows the photo is
    recorded. Raises SpecialPhotoError for an invalid expected answer, and LeavesEvaluation when a holdout photo would
    become a practice or example photo.
    """
    if role == Image.Role.RATED:
        raise SpecialPhotoError(gettext("A rated photo has no expected answer."))
    _expected_check(image.campaign, role, expected)
    image = _locked(image)
    if image.problem and image.role != role:
        raise SpecialPhotoError(
            gettext("This photo has a problem: %(problem)s Put it back into the queue first.")
            % {"problem": image.problem}
        )
    leaves = image.split == Image.Split.HOLDOUT and role in Image.TAUGHT and image.role not in Image.TAUGHT
    if leaves and not leave_evaluation:
        raise LeavesEvaluation(
            gettext(
                "This photo belongs to the holdout. As a practice or example photo it is left out of every evaluation. "
                "Choose another photo, or confirm."
            )
        )
    if image.role != role:
        photo_leases_return(image)
    return _save(image, role, expected)


@transaction.atomic
def special_photo_reset(*, image: Image) -> Image:
    """Make a special photo a rated photo again. The queue uses it until it has enough votes."""
    return _save(_locked(image), Image.Role.RATED, None)


@transaction.atomic
def practice_choose(*, campaign: Campaign) -> list[Image]:
    """Make five photos practice photos, spread evenly from the worst to the best rated. Return them in that order.

    Candidates are photos of the training split with at least `PRACTICE_VOTES` independent votes and a majority for one
    watch label, one of each group of near-duplicates (`opinions_of`). Photos with more agreement are preferred
    (`evenly_spaced`). The expected answer is the rounded mean and the majority label. Raises SpecialPhotoError when
    there are practice photos already, or not enough candidates.
    """
    if campaign.images.filter(role=Image.Role.PRACTICE).exists():
        raise SpecialPhotoError(gettext("There are practice photos already. Remove them first to choose five others."))
    opinions = opinions_of(campaign, min_votes=PRACTICE_VOTES)
    if len(opinions) < PRACTICE_COUNT:
        raise SpecialPhotoError(
            ngettext(
                "This needs %(count)s photos outside the holdout with at least %(votes)s votes and a clear watch "
                "label. There is %(found)s so far. Collect more answers, or choose photos by hand.",
                "This needs %(count)s photos outside the holdout with at least %(votes)s votes and a clear watch "
                "label. There are %(found)s so far. Collect more answers, or choose photos by hand.",
                len(opinions),
            )
            % {"count": PRACTICE_COUNT, "votes": PRACTICE_VOTES, "found": len(opinions)}
        )
    score_range = max(one.mean for one in opinions) - min(one.mean for one in opinions)
    if score_range < PRACTICE_RANGE * (campaign.bins - 1):
        raise SpecialPhotoError(
            gettext(
                "The %(count)s photos with enough votes are too similar: their means differ by only "
                "%(score_range)s points. Collect more answers, or choose photos by hand."
            )
            % {"count": len(opinions), "score_range": f"{score_range:.1f}"}
        )
    chosen = [
        opinions[place]
        for place in evenly_spaced([one.mean for one in opinions], [one.spread for one in opinions], PRACTICE_COUNT)
    ]
    images = campaign.images.in_bulk([one.image_id for one in chosen])
    return [
        special_photo_set(
            image=images[one.image_id],
            role=Image.Role.PRACTICE,
            expected=Expected(one.watch, one.score, _guidance(one)),
        )
        for one in chosen
    ]


@transaction.atomic
def problem_remove(*, image: Image) -> Image:
    """Put a photo with a problem back into the queue. Its skips stay, but do not set the problem again.

    Raises SpecialPhotoError if its file is missing or damaged: it comes back when the file is repaired.
    """
    image = _locked(image)
    if image.withdrawn_at is not None:
        raise SpecialPhotoError(gettext("This photo was withdrawn. Put it back on the page of withdrawn photos."))
    if image.original_deleted_at is not None:
        raise SpecialPhotoError(DELETED_PROBLEM)
    if image.has_file_problem:
        raise SpecialPhotoError(
            gettext("%(problem)s Import the photo again. Then it comes back by itself.") % {"problem": image.problem}
        )
    image.problem = ""
    image.save(update_fields=["problem"])
    return image


def _guidance(opinion: Opinion) -> str:
    words = (
        gettext_noop("%(votes)s annotators (%(simulated)s simulated) gave %(mean)s on average.")
        if opinion.simulated
        else gettext_noop("%(votes)s annotators gave %(mean)s on average.")
    )
    return words % {"votes": opinion.votes, "simulated": opinion.simulated, "mean": f"{opinion.mean:.1f}"}


def _locked(image: Image) -> Image:
    return Image.objects.select_for_update(of=("self",), no_key=True).select_related("campaign").get(pk=image.pk)


def photo_leases_return(image: Image) -> None:
    """Return the live leases of a locked photo to the queue, and reload its open slots."""
    holders = Assignment.objects.filter(image=image, state=Assignment.State.LEASED).values("annotator")
    for annotator in User.objects.filter(pk__in=holders):
        queue.leases_return(campaign=image.campaign, annotator=annotator, image_ids=[image.pk])
    image.refresh_from_db(fields=["open_slots"])


def _save(image: Image, role: Image.Role, expected: Expected | None) -> Image:
    image.role = role
    image.expected_watch = expected.watch if expected else ""
    image.expected_score = expected.score if expected else None
    image.guidance = expected.guidance.strip() if expected else ""
    image.save(update_fields=["role", "expected_watch", "expected_score", "guidance"])
    return image


def _expected_check(campaign: Campaign, role: Image.Role, expected: Expected) -> None:
    if expected.watch not in Annotation.Watch.values:
        raise SpecialPhotoError(gettext("Choose whether the photo shows a watch."))
    if role == Image.Role.GOLD and expected.watch == Annotation.Watch.UNSURE:
        raise SpecialPhotoError(gettext("A gold photo needs a known answer: watch or no watch."))
    if expected.score not in campaign.scores:
        raise SpecialPhotoError(
            gettext("The expected score must be from %(scale_min)s to %(scale_max)s.")
            % {"scale_min": campaign.scale_min, "scale_max": campaign.scale_max}
        )
    if len(expected.guidance.strip()) > 300:
        raise SpecialPhotoError(gettext("The guidance is longer than 300 characters."))
