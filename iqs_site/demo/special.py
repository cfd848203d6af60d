"""Practice, example and gold photos of the demo. Their answers are known, because the program draws the photos."""

import numpy as np
from django.utils import timezone

from annotation.models import Campaign, Image
from annotation.photos.storage import photo_file_open
from annotation.services.special_photos import Expected, special_photo_set
from inference.distortion.degradations import GRADES
from iqs_site.demo.panel import Panel
from iqs_site.demo.photo_measures import photo_measure

#: (role, rank) of each special photo among the candidates; rank 0 is the worst quality, 1 the best.
PLACES: tuple[tuple[Image.Role, float], ...] = (
    (Image.Role.PRACTICE, 0.02),
    (Image.Role.EXAMPLE, 0.06),
    (Image.Role.GOLD, 0.10),
    (Image.Role.PRACTICE, 0.26),
    (Image.Role.PRACTICE, 0.50),
    (Image.Role.EXAMPLE, 0.54),
    (Image.Role.PRACTICE, 0.74),
    (Image.Role.GOLD, 0.86),
    (Image.Role.GOLD, 0.90),
    (Image.Role.EXAMPLE, 0.94),
    (Image.Role.PRACTICE, 0.98),
)
_CANDIDATES = 60  # measuring one takes some milliseconds
_STRENGTHS = ("", "faint", "visible", "strong", "severe")
assert len(_STRENGTHS) == GRADES


def special_photos_make(campaign: Campaign) -> int:
    """Make some photos of the training split practice, example and gold photos; return how many.

    The expected score is the quality that the simulated annotators agree on, without their bias and taste. Photos that
    somebody has rated stay as they are, and who has rated some needs no practice any more.
    Returns 0 when the campaign already has special photos, or too few photos.
    """
    if campaign.images.exclude(role=Image.Role.RATED).exists():
        return 0
    unrated = campaign.images.filter(split=Image.Split.TRAIN, problem="", annotations=None)
    photos = list(unrated.order_by("name")[:_CANDIDATES])
    if len(photos) < _CANDIDATES:
        return 0
    panel = Panel()
    qualities = []
    for photo in photos:
        with photo_file_open(photo.photo_name) as file:
            qualities.append(panel.quality(photo_measure(file.read())))
    # Use only photos whose degradation and measured quality agree: a weak grade and a good quality, or the reverse.
    middle = float(np.median(qualities))
    clear = [
        at for at, photo in enumerate(photos) if (photo.details["grade"] < GRADES // 2) == (qualities[at] > middle)
    ]
    if len(clear) < _CANDIDATES // 2:
        return 0
    order = sorted(clear, key=lambda at: qualities[at])
    for role, place in PLACES:
        at = order[round(place * (len(order) - 1))]
        photo = photos[at]
        special_photo_set(
            image=photo,
            role=role,
            expected=Expected(
                watch="yes" if photo.details["watch"] else "no",
                score=int(np.clip(round(qualities[at]), campaign.scale_min, campaign.scale_max)),
                guidance=_guidance(photo.details["degradation"], photo.details["grade"]),
            ),
        )
    begun = campaign.annotations.values_list("annotator", flat=True).distinct()
    campaign.memberships.filter(user__in=begun, practised_at=None).update(practised_at=timezone.now())
    return len(PLACES)


def _guidance(degradation: str, grade: int) -> str:
    return f"{degradation.capitalize()}, {_STRENGTHS[grade]}." if grade else "No fault was added to this photo."
