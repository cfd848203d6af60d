"""One more answer for a photo that has some, or a first answer for another one: whichever label is less certain."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool
from inference.acquisition.typical_first import typical_priorities
from inference.acquisition.watch_uncertainty import probability_at_half

# Agreement of annotators while no photo has two answers, and the limits of measured agreement.
_AGREEMENT, _LEAST, _MOST = 0.9, 0.55, 0.99


class RelabelOrNew:
    """The photo whose watch label is least certain, by the model and the votes together.

    ActiveLab of Goh and Mueller, "ActiveLab: Active Learning with Re-Labeling by Multiple Annotators", 2023,
    arXiv:2301.11856: the certainty is a weighted mean of the model's probability of the label, of what each vote says,
    and of ½ with the weight of one more vote. Here all annotators weigh the same, and the model is mapped to the
    deployed threshold.
    """

    name = "relabel_or_new"
    label = gettext_noop("Check or ask anew")
    description = gettext_noop(
        "Weighs one more answer for a photo that has some against a first answer for a new photo, "
        "and takes the one whose watch label is less certain. For campaigns with several votes a photo."
    )
    reason = "its watch label is uncertain after {votes} votes"
    columns: frozenset[str] = frozenset(
        {"features", "answered_features", "groups", "watch_probability", "watch_threshold", "watch_yes", "watch_no"}
    )
    score_column: str | None = "watch_probability"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by −certainty of the watch label, [N]."""
        if pool.watch_probability is None or np.isnan(pool.watch_probability).all():
            return typical_priorities(pool, rng)
        return priorities_of(-label_certainty(pool), pool, rng, mixed=True)


def label_certainty(pool: Pool) -> NDArray[np.float64]:
    """Return the certainty of the more likely watch label, [N], ½ … 1; NaN: no prediction and no votes."""
    none = np.zeros(len(pool), dtype=np.int64)
    yes = none if pool.watch_yes is None else pool.watch_yes
    no = none if pool.watch_no is None else pool.watch_no
    model = probability_at_half(pool)
    answers = yes + no
    agreement, vote_weight, model_weight = _weights(yes, no, model)
    has_model = np.isfinite(model)
    model_weights = np.where(has_model, model_weight, 0.0)
    total = model_weights + vote_weight * (answers + 1 + pool.leases)
    # One more vote says ½, as nobody knows what it will be. An answer on its way is expected to agree with the model.
    guess = np.nan_to_num(model, nan=0.5)
    expected = np.where(guess >= 0.5, agreement, 1 - agreement)
    votes_say = yes * agreement + no * (1 - agreement) + pool.leases * expected + 0.5
    probability = (model_weights * guess + vote_weight * votes_say) / total
    certainty = np.maximum(probability, 1 - probability)
    return np.where(has_model | (answers > 0), certainty, np.nan)


def _weights(yes: NDArray[np.int64], no: NDArray[np.int64], model: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return agreement of a vote with the majority, the weight of a vote, and the weight of the model.

    A weight is 1 − error / error of always naming the more common label, as in CROWDLAB (Goh, Tkachenko and Mueller,
    2022, arXiv:2210.06812). The model's is multiplied with the root of the mean number of votes.
    """
    answers = yes + no
    several, some = answers >= 2, answers >= 1
    majority = np.maximum(yes, no)
    agreement = float(majority[several].sum() / answers[several].sum()) if several.any() else _AGREEMENT
    agreement = min(max(agreement, _LEAST), _MOST)
    if not some.any():
        return agreement, 1.0, 1.0
    label = yes >= no
    share = float(label[some].mean())
    common_error = max(min(share, 1 - share), 0.05)
    checked = some & np.isfinite(model)
    model_error = float(((model >= 0.5) != label)[checked].mean()) if checked.any() else 0.5 * common_error
    vote_weight = max(1 - (1 - agreement) / common_error, 0.05)
    model_weight = max(1 - model_error / common_error, 0.05) * float(np.sqrt(answers[some].mean()))
    return agreement, vote_weight, model_weight
