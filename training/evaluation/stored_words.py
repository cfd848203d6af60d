"""What workers store about training in English: the texts that pages translate (`annotation.language`). Pure."""

import re
from collections.abc import Mapping

from annotation.language import gettext_noop
from annotation.language.read_again import read_again
from training.evaluation.drift import REASONS
from training.evaluation.faults import FAULTS
from training.evaluation.learning_curve import MISSING
from training.evaluation.order_curve import ALL_RANDOM, TOO_FEW
from training.evaluation.registry import METRICS
from training.evaluation.version_pair import PAIR_METRICS
from training.learning.registry import EXPOSED_ANSWERS_LABEL, RECIPES
from training.learning.watch_words import FEW_LABELS, FEW_OF_ONE_KIND, LOWER_F1

# A run can have two reasons, one after the other.
_END_OF_REASON = re.compile(r"(?<=learned from\)\.) ")
NOTHING_CHANGED = gettext_noop(
    "Nothing has changed since run %(run)s made version %(version)s: the same answers, photos, classes, limits and "
    "recipe."
)
ALL_EXPOSED = gettext_noop(
    "There is nothing to learn from: all %(answers)s answers to train photos were given after seeing a prediction, and "
    "such answers are left out. To use them, tick “%(label_sentence)s” on the models page, or run manage.py train "
    "%(slug)s --exposed-answers."
)
NOTHING_YET = gettext_noop(
    "There is nothing to learn from yet: no train photo has features, and an answer or an imported histogram or "
    "watch label. Annotate some photos, or wait until the inference workers have processed them."
)
OTHER_LENGTH = gettext_noop(
    "The stored features have %(found)s numbers, but the prior needs %(needed)s; let the inference workers compute "
    "them again."
)
NO_PHOTO_OPENS = gettext_noop("None of the photos can be opened, so the network cannot learn from them.")
NO_CHAMPION = gettext_noop("There was no champion to compare with.")
ADMIN_DECIDES = gettext_noop("%(verdict_sentence)s An admin of the campaign decides about the promotion.")
NOT_PROMOTED = gettext_noop("Not promoted. %(verdict_sentence)s")
PROMOTED = gettext_noop("Promoted: %(verdict_sentence)s")
OWN_NETWORK = gettext_noop(
    "%(verdict_sentence)s The version has a network of its own. To use it, run manage.py campaign_backbone %(slug)s "
    "%(name)s: workers then process all photos again, while the champion goes on, and the version is compared once "
    "more."
)
NETWORK_CHANGES = gettext_noop(
    "%(verdict_sentence)s The version has a network of its own, %(name)s. Workers now process all photos with it, "
    "while the champion goes on. Then the version is compared again."
)
CANCELLED = gettext_noop("Cancelled.")
CANCELLED_BY = gettext_noop("Cancelled by %(name)s.")
NO_HEARTBEAT = gettext_noop("The training process sent no heartbeat for %(seconds)s seconds.")
KILLED = gettext_noop("The training process was killed by signal %(signal)s.")
GIVEN_UP = gettext_noop("%(reason_sentence)s It was tried %(attempts)s times. The logs are in %(folder)s.")
AGAIN = gettext_noop("Waiting to start again: %(reason_sentence)s")
TOO_LONG = gettext_noop("Stopped after %(seconds)s seconds, the limit of IQS_TRAINING_SECONDS.")
TOO_LARGE = gettext_noop("Stopped because it used more than %(limit)s MiB of memory, the limit of IQS_TRAINING_MB.")
CURVE_STALE = gettext_noop("The process sent no heartbeat for %(seconds)s seconds. It was tried %(attempts)s times.")
WORKER_ENDED = gettext_noop("The worker ended %(attempts)s times without a result. Its log says more.")
OTHER_SCALE = gettext_noop("Version %(number)s was made for another scale, so it cannot be compared.")
NEUTRAL_PRIOR = gettext_noop("Nothing. This prior predicts the same distribution for every photo.")
SHIPPED_PRIOR = gettext_noop("No answers of this campaign: it is the shipped prior. %(about_sentence)s")
BY_ADMIN = gettext_noop("Decided by an admin.")
BY_ADMIN_ALONE = gettext_noop("Decided by an admin, without a comparison with the champion.")
BY_ADMIN_OLDER = gettext_noop(
    "Decided by an admin. The version is older than version %(number)s, so the rule says nothing."
)
RULE_AGREES = gettext_noop("Decided by an admin; the rule agrees: %(verdict_sentence)s")
RULE_DOES_NOT = gettext_noop("Decided by an admin; the rule does not agree: %(verdict_sentence)s")
WITH_REASON = gettext_noop("“%(reason)s” %(rule_sentence)s")

#: Why a run or other work was requested, how it ended, and why a champion changed.
MESSAGES = (
    NOTHING_CHANGED,
    ALL_EXPOSED,
    NOTHING_YET,
    OTHER_LENGTH,
    NO_PHOTO_OPENS,
    NO_CHAMPION,
    NETWORK_CHANGES,
    OWN_NETWORK,
    ADMIN_DECIDES,
    NOT_PROMOTED,
    PROMOTED,
    CANCELLED,
    CANCELLED_BY,
    NO_HEARTBEAT,
    KILLED,
    GIVEN_UP,
    AGAIN,
    TOO_LONG,
    TOO_LARGE,
    CURVE_STALE,
    WORKER_ENDED,
    OTHER_SCALE,
    NEUTRAL_PRIOR,
    SHIPPED_PRIOR,
    BY_ADMIN,
    BY_ADMIN_ALONE,
    BY_ADMIN_OLDER,
    RULE_AGREES,
    RULE_DOES_NOT,
    WITH_REASON,
    FEW_OF_ONE_KIND,
    FEW_LABELS,
    LOWER_F1,
    MISSING,
    ALL_RANDOM,
    TOO_FEW,
    *REASONS.values(),
    *FAULTS,
)

#: What a worker is doing. `tests/training/test_stored_words.py` compares them with the calls that report them.
STAGES = (
    gettext_noop("Starting"),
    gettext_noop("Freezing the data"),
    gettext_noop("Reading features"),
    gettext_noop("Reading photos"),
    gettext_noop("Reading photos, %(done)s of %(count)s"),
    gettext_noop("Calibrating the quality head"),
    gettext_noop("Comparing recipes: %(recipe_sentence)s"),
    gettext_noop("Learning quality"),
    gettext_noop("Learning what the line leaves over"),
    gettext_noop("Learning the watch label"),
    gettext_noop("Computing features"),
    gettext_noop("Learning the whole network: epoch %(epoch)s of %(epochs)s at most"),
    gettext_noop("Learning the whole network: epoch %(epoch)s of %(epochs)s at most, about %(minutes)s min left"),
    gettext_noop("Assembling the heads"),
    gettext_noop("Storing the network"),
    gettext_noop("Exporting the heads"),
    gettext_noop("Checking the exported heads"),
    gettext_noop("Storing the version"),
    gettext_noop("Processing holdout photos"),
    gettext_noop("Processing holdout photos, %(done)s of %(count)s"),
    gettext_noop("Evaluating on the holdout"),
    gettext_noop("Comparing with the champion"),
    gettext_noop("Promoting"),
    gettext_noop("Done"),
    gettext_noop("Collecting the votes"),
    gettext_noop("Predicting with version"),
    gettext_noop("Predicting with version %(number)s"),
    gettext_noop("Measuring %(metric_sentence)s"),
    gettext_noop("Preparing the backbone"),
    gettext_noop("Joining backbone and heads"),
    gettext_noop("Comparing its scores with those of IQS"),
    gettext_noop("Writing the zip"),
    *(metric.label for metric in METRICS.values()),
    *(metric.label for metric in PAIR_METRICS if metric.name not in METRICS),
    *(recipe.label for recipe in RECIPES.values()),
)

_TEXTS = (*MESSAGES, *STAGES, EXPOSED_ANSWERS_LABEL)
_NOTHING: Mapping[str, str] = {}


def words_shown(stored: str, known: Mapping[str, str] = _NOTHING) -> str | None:
    """Return what a worker stored in the language of the reader; None if it can only be shown in English.

    known: whole sentences in English, and in the language of the reader.
    """
    parts = [read_again(one, _TEXTS, known) for one in _END_OF_REASON.split(stored)]
    return None if None in parts else " ".join(one for one in parts if one)
