"""The work on a claimed learning curve: read votes and features, measure, store.

It loads torch, so only commands import it.
"""

import logging
import time
from collections.abc import Callable

import numpy as np
import torch
from django.conf import settings
from django.utils.translation import gettext

from annotation.measures.agreement.ceiling import vote_ceiling
from annotation.measures.figures_text import figures_text
from annotation.models import Campaign
from inference.networks.checkpoint import CheckpointError, prior_for
from inference.networks.config import WeightsMissing
from inference.networks.model_files import ModelFileError
from inference.selectors import backbone_key, feature_matrix
from inference.serving import runtime
from training.evaluation.curve_gain import curve_report
from training.evaluation.learning_curve import answers_missing, curve_measure
from training.learning.dataset import rated_images
from training.learning.quality_data import QualityData
from training.models import LearningCurve
from training.selectors.snapshots import curve_votes
from training.services.learning_curves import CurveEndedError, State, curve_finish, curve_write

logger = logging.getLogger(__name__)
# Called with the number of fits that are done, and their number.
Echo = Callable[[int, int], None]
_WRITE_SECONDS = 0.25


class CurveError(RuntimeError):
    """The curve cannot be measured with the present data or settings. The message is for the campaign's admins."""


def curve_perform(*, curve_id: int, attempt: int, echo: Echo | None = None) -> LearningCurve:
    """Measure a claimed curve, store the result and return the row.

    On an error the curve ends as failed, with a message; unexpected errors are logged with their traceback. Raises
    CurveEndedError if another attempt has claimed it; then nothing was written.
    """
    curve = LearningCurve.objects.select_related("campaign").get(pk=curve_id)
    written_at = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal written_at
        if echo is not None:
            echo(done, total)
        if time.monotonic() - written_at >= _WRITE_SECONDS:
            curve_write(curve_id=curve_id, attempt=attempt, progress=done / total)
            written_at = time.monotonic()

    result, message, state = "", "", State.DONE
    try:
        data, of_votes = _data(curve.campaign)
        message = of_votes if data is None else ""
        if data is not None:
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # the matrices are small, so more threads would be slower
            try:
                scores = curve_measure(data, seed=curve.seed, progress=progress)
            finally:
                torch.set_num_threads(threads)
            votes = data.rated.votes
            assert votes is not None
            ceiling = vote_ceiling(votes.photos, votes.annotator_ids, votes.steps)
            result = figures_text(curve_report(scores, ceiling=ceiling.value if ceiling.is_known else None))
    except CurveEndedError:
        raise
    except (CurveError, CheckpointError, ModelFileError, WeightsMissing, ValueError) as error:
        state, message = State.FAILED, str(error)
    except Exception as error:
        logger.exception("Learning curve %s failed.", curve_id)
        state, message = State.FAILED, f"{type(error).__name__}: {error}"
    if not curve_finish(curve_id=curve_id, attempt=attempt, state=state, message=message, result=result):
        raise CurveEndedError(
            gettext("Attempt %(attempt)s of learning curve %(curve_id)s is over.")
            % {"attempt": attempt, "curve_id": curve_id}
        )
    curve.refresh_from_db()
    return curve


def _data(campaign: Campaign) -> tuple[QualityData | None, str]:
    """Return the rated photos with features, or what is missing. Raises CurveError for features of another length."""
    votes = curve_votes(campaign)
    ids, features = feature_matrix(np.unique(votes.image_ids), backbone_key(campaign.backbone))
    votes = votes.of_images(ids)
    if missing := answers_missing(len(votes), len(np.unique(votes.groups))):
        return None, missing
    prior, _card = prior_for(
        runtime.backbone_chosen(campaign.backbone),
        bins=campaign.bins,
        synsets=tuple(campaign.synsets),
        quality_input=settings.IQS_QUALITY_INPUT,
        features=torch.from_numpy(features),
    )
    if features.shape[1] != prior.config.feature_size:
        raise CurveError(
            gettext(
                "The stored features have %(shape)s numbers, but the prior needs %(feature_size)s; let the "
                "inference workers compute them again."
            )
            % {"shape": features.shape[1], "feature_size": prior.config.feature_size}
        )
    rated = rated_images(votes, lowest=campaign.scale_min, highest=campaign.scale_max)
    return QualityData(prior.eval(), np.ascontiguousarray(features, dtype=np.float32), rated), ""
