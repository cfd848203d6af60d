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
