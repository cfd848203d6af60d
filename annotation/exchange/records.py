"""Row types of the exchange formats. The field names are the column names. Pure.

Formats with the same content share a record. None means unknown or not applicable.
"""

from datetime import datetime
from typing import NamedTuple


class AnnotationRecord(NamedTuple):
    """One row of `Annotation`, including superseded rows."""

    annotation: int
    """Its id. `supersedes` of a later row refers to it."""
    image: str
    """File name at import."""
    sha256: str
    """SHA-256 of the image's bytes, 64 hex digits."""
    annotator: str
    simulated: bool
    """The annotator is a program, not a person."""
    watch: str
    """yes, no or unsure; empty for a skip."""
    score: int | None
    """On the campaign's scale; None for a skip."""
    skip_reason: str
    created_at: datetime
    supersedes: int | None
    saw_prediction: bool
    surplus: bool
    is_repeat: bool
    is_anchored: bool
    role: str
    """Role of the image: rated, practice, example or gold."""
    milliseconds: int | None
    """Time from showing the photo to the answer."""
    split: str
    """Split of the image: train or holdout."""
    blind: bool
    """Given before the annotator saw a prediction, or the correction of a slip."""
    independent_vote: bool
    """The row counts for the MOS: the annotator's last blind answer to the photo, even if an exposed answer
    superseded it."""


class PhotoRecord(NamedTuple):
    """One photo with the prediction of one model version and the annotators' votes."""

    image: int
    file: str
    """File name at import."""
    sha256: str
    split: str
    quality_mean: float | None
    """Prediction on the campaign's scale, as the next field."""
    quality_std: float | None
    quality_class: str | None
    watch_probability: float | None
    """0 … 1"""
    watch: bool | None
    """Whether `watch_probability` is above the campaign's threshold."""
    blur: float | None
    """Severity 0 … 1, as the next three fields."""
    noise: float | None
    exposure: float | None
    compression: float | None
    laplacian_variance: float | None
    distortion_quality: float | None
    """0 … 100"""
    distortion_class: str | None
    mos: float | None
    """Mean of the independent votes (given before seeing a prediction). The next two fields also count only these."""
    votes: int
    watch_votes: int
    model_version: int | None
    tags: str
    """The names of its tags, with a semicolon between them."""


class ConsensusRecord(NamedTuple):
    """What people say together about one photo with votes, as it is stored."""

    image: str
    """File name at import."""
    sha256: str
    split: str
    role: str
    votes: int
    """Independent votes: given before seeing a prediction, by people who are not excluded."""
    simulated_votes: int
    """How many of them are from programs, at the moment of the export."""
    mos: float
    """Mean of the votes, on the campaign's scale, as the next five fields."""
    sos: float | None
    """Standard deviation of the votes; None with one vote."""
    low: float
    """95 % interval of the MOS."""
    high: float
    corrected_mos: float
    """Quality by the panel model."""
    corrected_error: float
    """Standard error of the corrected MOS."""
    watch_votes: int
    """Votes without the unsure ones."""
    watch_yes: int
    watch_posterior: float | None
    """Probability of a watch by Dawid and Skene; None without watch votes."""
    decided_score: int | None
    """Score that a reviewer decided. It is no vote, and is in none of the figures; None without a decision."""
    decided_watch: str | None
    """yes, no or unsure."""
    decided_blind: bool | None
    """The reviewer decided before any prediction of the photo was visible."""
    decision_trains: bool
    """Training uses the decision in place of the votes, by the present setting. Never on the holdout."""
    updated_at: datetime


class AnnotatorRecord(NamedTuple):
    """How one annotator uses the scale and the watch labels, by the newest fit."""

    annotator: str
    simulated: bool
    """The annotator is a program, not a person."""
    votes: int
    bias: float
    """In points; above 0 for lenient annotators."""
    bias_deviation: float
    """Standard error, as `gain_deviation`."""
    gain: float
    """1: uses the scale as the others do."""
    gain_deviation: float
    noise: float
    """Standard deviation around their own line, in points."""
    information: float
    """What a vote says about a photo, as a part of what the mean vote says."""
    watch_votes: int
    sensitivity: float | None
    """Probability of 'watch' for a watch; None without votes."""
    specificity: float | None
    """Probability of 'no watch' without a watch."""
    updated_at: datetime


class VoteRecord(NamedTuple):
    """One independent vote, for programs that need no more than this."""

    annotator: str
    file: str
    """File name of the photo at import."""
    score: int
    watch: str
    """yes, no or unsure; empty if the annotator was not asked."""
    given_at: datetime


class HistogramRecord(NamedTuple):
    """How often each score was given to one photo."""

    file: str
    """File name of the photo at import."""
    counts: tuple[int, ...]
    """Votes for each score of the scale, lowest first."""
    lowest: int
    """Lowest score of the scale."""


class WatchRecord(NamedTuple):
    """Whether one photo shows a watch."""

    file: str
    """File name of the photo at import."""
    watch: str
    """yes, no, or unsure if as many say one as the other."""


class PredictionRecord(NamedTuple):
    """What one model version says about one photo, as it is stored, with its distortions."""

    image: str
    """File name at import."""
    sha256: str
    split: str
    model_version: int
    quality_mean: float
    """On the scale of the version, as the next field. It is the campaign's unless that has changed since."""
    quality_std: float
    lowest_score: int
    """Lowest score of the scale of the version."""
    distribution: tuple[float, ...]
    """Probability of each opinion score, lowest first."""
    quality_class: str | None
    """rejected, pending or accepted by the campaign's present limits; None if the version has another scale."""
    watch_probability: float
    """0 … 1"""
    watch: bool
    """Whether `watch_probability` is above the campaign's threshold."""
    blur: float | None
    """Severity 0 … 1, as the next three fields; None if it is not computed yet."""
    noise: float | None
    exposure: float | None
    compression: float | None
    predicted_at: datetime


class DecisionRecord(NamedTuple):
    """What is known about one photo, and who said it: people, the model, both, or nobody yet."""

    image: str
    """File name at import."""
    sha256: str
    split: str
    quality: str | None
    """rejected, pending or accepted: by people where they have answered, else by the model; None: nobody yet."""
    quality_by: str
    """people, model, both or nobody. People have answered when as many have as the rule asks for."""
    quality_model: str | None
    """What the model decided: rejected or accepted; None if it left the photo to people."""
    score: float | None
    """MOS of people, else the predicted mean where the rule allows it; on the campaign's scale, as the next two."""
    score_low: float | None
    """Interval: of people 95 %, of the model as the rule states it."""
    score_high: float | None
    score_by: str
    watch: bool | None
    """By people where most of them say yes or no, else by the model."""
    watch_by: str
    watch_model: bool | None
    votes: int
    """Independent votes."""
    model_version: int | None
    """The version that was calibrated; None if the model decides nothing."""


class TaskPrediction(NamedTuple):
    """What one model version says about one photo."""

    version: int
    quality_mean: float
    """On the campaign's scale."""
    watch_probability: float
    """0 … 1"""
    is_watch: bool
    """Whether `watch_probability` is above the campaign's threshold."""


class TaskRecord(NamedTuple):
    """One photo with its independent votes and its predictions."""

    file: str
    """File name at import."""
    address: str
    """Where the receiving program finds the photo."""
    sha256: str
    votes: tuple[VoteRecord, ...]
    predictions: tuple[TaskPrediction, ...]


class AuditRow(NamedTuple):
    """One audit record."""

    record: int
    """Its id."""
    at: datetime
    by: str | None
    """User name of who did it; None for commands, workers and people without a login."""
    kind: str
    user: str | None
    """User name of the account it is about."""
    campaign: str | None
    """Its address (slug)."""
    what: str
    """The thing it is about, in words."""
    before: str | None
    """JSON of the values before the change, as the next field."""
    after: str | None
    address: str | None
    """IP address of who did it."""
