"""Photos with a known answer: practice, example and gold; and photos that nobody is asked about any more.

A role says how a photo is used and changes neither its votes nor its slots: open_slots stays votes_needed less
votes and live leases, and the queue looks at the role beside it. A photo that goes back to 'rated' goes on as before.
"""

from dataclasses import dataclass

from django.db import transaction

from annotation.models import Annotation, Assignment, Campaign, Image, User
from annotation.raters.exemplars import spread_out
from annotation.selectors.opinions import Opinion, opinions_of
from annotation.services import queue

PRACTICE_COUNT = 5
#: Votes that a mean needs before somebody is taught by it.
PRACTICE_VOTES = 3
#: What part of the scale practice photos reach over, at least: from worst to best, not five of a kind.
PRACTICE_REACH = 0.4


class SpecialPhotoError(ValueError):
    """The change is refused; the message is a sentence for the admin."""


class LeavesEvaluation(SpecialPhotoError):
    """The photo belongs to the holdout; the caller may ask and come again with `leave_evaluation`."""


@dataclass(frozen=True)
class Expected:
    """The known answer of a special photo."""

    watch: str
    score: int | None
    guidance: str = ""
    """What it teaches, for those who practise; at most 300 characters."""


@transaction.atomic
def special_photo_set(*, image: Image, role: Image.Role, expected: Expected, leave_evaluation: bool = False) -> Image:
    """Use a photo for practice, as an example or as gold, or change what it teaches; return it as it is then.

    Whoever holds a photo that becomes special gives it back; an answer that comes from their screen is kept.
    Raises SpecialPhotoError for an answer that the campaign does not take, and LeavesEvaluation when a holdout photo
    would become one whose answer people are shown.
    """
    if role == Image.Role.RATED:
        raise SpecialPhotoError("An ordinary photo has no expected answer.")
    _expected_check(image.campaign, role, expected)
    image = _locked(image)
    if image.problem and image.role != role:
        raise SpecialPhotoError(f"This photo has a problem: {image.problem} Put it back into the queue first.")
    leaves = image.split == Image.Split.HOLDOUT and role in Image.TAUGHT and image.role not in Image.TAUGHT
    if leaves and not leave_evaluation:
        raise LeavesEvaluation(
            "This is a holdout photo. Annotators see the answer to a practice or example photo, so it is left out of "
            "every evaluation until you make it an ordinary photo again. Choose another photo, or confirm."
        )
    if image.role != role:
        _leases_return(image)
    return _save(image, role, expected)


@transaction.atomic
def special_photo_take_back(*, image: Image) -> Image:
    """Make a special photo an ordinary one again: the queue hands it out while it lacks votes."""
    return _save(_locked(image), Image.Role.RATED, None)


@transaction.atomic
def practice_choose(*, campaign: Campaign) -> list[Image]:
    """Make five photos practice photos, from the worst to the best that people rated, and return them in that order.

    Photos of the training split with at least `PRACTICE_VOTES` standing votes given without a prediction take part,
    those on which people agree best first, one of each group of near-duplicates. The expected answer is the mean,
    rounded, and what most said about the watch; where as many said one thing as another, the photo takes no part.
    Raises SpecialPhotoError with what is missing.
    """
    if campaign.images.filter(role=Image.Role.PRACTICE).exists():
        raise SpecialPhotoError(
            "There are practice photos already. Make them ordinary photos before you choose others."
        )
    opinions = opinions_of(campaign, least_votes=PRACTICE_VOTES)
    if len(opinions) < PRACTICE_COUNT:
        raise SpecialPhotoError(
            f"This needs {PRACTICE_COUNT} photos outside the holdout with at least {PRACTICE_VOTES} votes and a clear "
            f"watch label. There {'is' if len(opinions) == 1 else 'are'} {len(opinions)} so far. "
            "Collect more votes, or choose photos by hand."
        )
    reach = max(one.mean for one in opinions) - min(one.mean for one in opinions)
    if reach < PRACTICE_REACH * (campaign.bins - 1):
        raise SpecialPhotoError(
            f"The mean scores of the {len(opinions)} photos with enough votes differ by at most {reach:.1f} points. "
            "That is too little to show worst and best. Collect more votes, or choose photos by hand."
        )
    chosen = [
        opinions[place]
        for place in spread_out([one.mean for one in opinions], [one.spread for one in opinions], PRACTICE_COUNT)
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
    """Put a photo with a problem back into the queue. Its skips stay, and alone do not bring the problem back."""
    image = _locked(image)
    image.problem = ""
    image.save(update_fields=["problem"])
    return image


def _guidance(opinion: Opinion) -> str:
    simulated = f" ({opinion.simulated} simulated)" if opinion.simulated else ""
    return f"{opinion.votes} annotators{simulated} gave {opinion.mean:.1f} on average."


def _locked(image: Image) -> Image:
    return Image.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=image.pk)


def _leases_return(image: Image) -> None:
    """End the live leases of a locked photo; the database counts its slots."""
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
        raise SpecialPhotoError("Choose the expected watch label.")
    if role == Image.Role.GOLD and expected.watch == Annotation.Watch.UNSURE:
        raise SpecialPhotoError("The expected watch label of a gold photo must be watch or no watch.")
    if expected.score not in campaign.scores:
        raise SpecialPhotoError(f"The expected score must be from {campaign.scale_min} to {campaign.scale_max}.")
    if len(expected.guidance.strip()) > 300:
        raise SpecialPhotoError("The guidance is longer than 300 characters.")
