"""The figures of the section about quality scores."""

from dataclasses import dataclass

from annotation.measures import opinion
from annotation.measures.calibration import ReliabilityBin, score_bins
from training.evaluation import findings
from training.evaluation.calibration.photos import ComparedPhoto, photos_of, sample_of
from training.evaluation.comparison import Comparison

# More than the page shows, because some of them may be hidden from a reviewer.
_FURTHEST_APART = 200


@dataclass(frozen=True)
class QualityFigures:
    """Predicted scores and mean opinion scores of the photos with enough votes."""

    photos: int
    sample: tuple[ComparedPhoto, ...]
    """All photos, or a random sample."""
    apart: tuple[ComparedPhoto, ...]
    """Those with the largest difference between model and MOS, largest first."""
    bins: tuple[ReliabilityBin, ...]
    spread_title: str
    people_histogram: tuple[float, ...]
    model_histogram: tuple[float, ...]


def quality_figures(comparison: Comparison, *, seed: int) -> QualityFigures | None:
    """Return the figures; None without photos. The same seed gives the same."""
    if not len(comparison):
        return None
    people = opinion.score_histogram(comparison.votes.scores, lowest=comparison.lowest, highest=comparison.highest)
    return QualityFigures(
        photos=len(comparison),
        sample=photos_of(comparison, sample_of(len(comparison), seed=seed)),
        apart=photos_of(comparison, comparison.furthest_apart[:_FURTHEST_APART]),
        bins=tuple(score_bins(comparison.quality_mean, comparison.mos)),
        spread_title=findings.spread_finding(comparison),
        people_histogram=tuple(people.astype(float).tolist()),
        model_histogram=tuple(comparison.distribution.mean(axis=0).tolist()),
    )
