"""The champion as one more annotator of watch labels, beside the consensus of people and apart from it.

The model of Dawid and Skene (`annotation.consensus.dawid_skene`) is fitted to the votes of people and, on the photos of
the holdout, to the decisions of the champion. So its sensitivity and specificity come from photos that it has not
learned from. Then its decision counts on every photo, as much as that of an annotator who is right as often.

The result is shown on the page of a photo. It is in no consensus of people and in no evaluation.
"""

from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from numpy.typing import NDArray

from annotation.consensus.dawid_skene import labels_fit, posterior_given
from annotation.models import LIVE, SOUND_PROBLEMS, Campaign, ConsensusFit, Image
from annotation.selectors.consensus import newest_fit
from annotation.selectors.votes import consensus_votes
from annotation.services.bulk_upsert import rows_upsert
from inference.models import ModelVersion, Prediction, WatchVoter, WatchWithModel
from inference.selectors import deployed_threshold_sql, shown_threshold

#: Photos of the holdout with watch labels of people that the model needs. With fewer it is no voter.
FEWEST_PHOTOS = 20
# No id of a user is negative.
_MODEL = -1


def campaigns_due() -> list[int]:
    """Return the ids of campaigns whose stored result is older than the champion, its predictions, the threshold or the
    newest consensus fit (one query).
    """
    fits = ConsensusFit.objects.filter(campaign=OuterRef("campaign")).order_by("-id")
    champions = ModelVersion.objects.filter(is_champion=True).annotate(
        fit=Subquery(fits.values("id")[:1]),
        threshold=deployed_threshold_sql(),
        predicted=Subquery(
            Prediction.objects.filter(model_version=OuterRef("pk"))
            .order_by()
            .values("model_version")
            .annotate(number=Count("pk"))
            .values("number")
        ),
    )
    is_same = Q(
        watch_voter__fit_id=F("fit"),
        watch_voter__threshold=F("threshold"),
        watch_voter__predictions=Coalesce(F("predicted"), 0),
    )
    due = champions.filter(Q(watch_voter=None) | ~is_same, fit__isnull=False)
    return list(due.order_by("campaign").values_list("campaign", flat=True))


@transaction.atomic
def watch_voter_refresh(*, campaign: Campaign) -> int:
    """Compute the watch labels with the champion as one more voter; return the number of photos that have one."""
    version = ModelVersion.objects.filter(campaign=campaign, is_champion=True).select_for_update(no_key=True).first()
    fit = newest_fit(campaign)
    if version is None or fit is None:
        return 0
    votes = consensus_votes(campaign)
    votes = votes.where(votes.watch >= 0)
    images, decided, is_holdout = _decisions(campaign, version)
    known = is_holdout & np.isin(images, votes.image_ids)
    enough = int(known.sum()) >= FEWEST_PHOTOS
    stored: dict[str, Any] = {
        "fit_id": fit.pk,
        "threshold": shown_threshold(campaign, version),
        "predictions": Prediction.objects.filter(model_version=version).count(),
        "photos": int(known.sum()),
        "sensitivity": None,
        "specificity": None,
        "made_at": timezone.now(),
    }
    WatchWithModel.objects.filter(model_version__campaign=campaign).delete()
    if enough:
        model = np.full(len(images), _MODEL)
        joint = labels_fit(
            np.concatenate([votes.image_ids, images[known]]),
            np.concatenate([votes.annotator_ids, model[known]]),
            np.concatenate([votes.watch, decided[known]]),
            weights=np.concatenate([votes.weights, np.ones(int(known.sum()))]),
        )
        photos, posterior = posterior_given(
            joint,
            np.concatenate([votes.image_ids, images]),
            np.concatenate([votes.annotator_ids, model]),
            np.concatenate([votes.watch, decided]),
            weights=np.concatenate([votes.weights, np.ones(len(images))]),
        )
        right = joint.right[joint.annotator_ids == _MODEL][0]
        stored |= {"specificity": float(right[0]), "sensitivity": float(right[1])}
        with_model = np.isin(photos, images)
        columns = {"model_version": version.pk, "image": photos[with_model], "probability": posterior[with_model, 1]}
        rows_upsert(WatchWithModel, columns, unique=["model_version", "image"])
    WatchVoter.objects.update_or_create(model_version=version, defaults=stored)
    return len(images) if enough else 0


def _decisions(
    campaign: Campaign, version: ModelVersion
) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.bool_]]:
    """Return the rated photos that the version has predicted [N], its decisions (1: watch), and which are holdout."""
    rows = Prediction.objects.filter(
        model_version=version, image__in=Image.objects.filter(LIVE, role="rated", problem__in=SOUND_PROBLEMS)
    )
    table = np.array(
        list(rows.order_by("image").values_list("image", "watch_probability", "image__split")), dtype=object
    ).reshape(-1, 3)
    decided = (table[:, 1].astype(np.float64) > shown_threshold(campaign, version)).astype(np.int8)
    return table[:, 0].astype(np.int64), decided, table[:, 2] == Image.Split.HOLDOUT
