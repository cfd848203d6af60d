"""What one row of each kind of table holds; the field names are the names of the columns. Pure.

Formats that say the same in another way share a record. None: not known, or nothing to say.
"""

from datetime import datetime
from typing import NamedTuple


class AnnotationRecord(NamedTuple):
    """One row of `Annotation`, whether it stands or a later one supersedes it."""

    annotation: int
    """Its number, which `supersedes` of a later row names."""
    image: str
    """File name at import."""
    sha256: str
    """Of the image's bytes, 64 hex digits."""
    annotator: str
    simulated: bool
    """A program answered, no person."""
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
    """Of the image: rated, practice, example or gold."""
    milliseconds: int | None
    """From shown to answered."""
    split: str
    """Of the image: train or holdout."""


class PhotoRecord(NamedTuple):
    """One photo with what one model version and the people say about it."""

    image: int
    file: str
    """File name at import."""
    sha256: str
    split: str
    quality_mean: float | None
    """Prediction on the campaign's scale; so is the next."""
    quality_std: float | None
    quality_class: str | None
    watch_probability: float | None
    """0 … 1"""
    watch: bool | None
    """Whether that lies above the campaign's threshold."""
    blur: float | None
    """Severity 0 … 1; so are the next three."""
    noise: float | None
    exposure: float | None
    compression: float | None
    laplacian_variance: float | None
    distortion_quality: float | None
    """0 … 100"""
    distortion_class: str | None
    mos: float | None
    """Of the votes given without seeing a prediction, as the next two count those only."""
    votes: int
    watch_votes: int
    model_version: int | None
