"""All figures of the calibration page, computed once and stored."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from training.evaluation.calibration.annotator_bias import AnnotatorBias, annotator_biases
from training.evaluation.calibration.classes import ClassFigures, class_figures
from training.evaluation.calibration.disagreement import DisagreementFigures, disagreement_figures
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.calibration.quality import QualityFigures, quality_figures
from training.evaluation.calibration.slices import SliceFigures, slice_figures
from training.evaluation.calibration.verdict import VerdictFigures, verdict_figures
from training.evaluation.calibration.watch import WatchFigures, watch_figures
from training.evaluation.comparison import Comparison, ScoreFigures
from training.evaluation.pool_estimates import PoolFacts, PoolFigures, pool_figures

Report = Callable[[str, int, int], None]
"""Called with the present step, how much of it is done, and its total."""

# For the progress that the page shows.
_STEPS = 8


@dataclass(frozen=True)
class CalibrationFigures:
    """The figures of each section; None where there are too few photos for it."""

    rated: int
    """Photos with votes, with or without a prediction of this version."""
    evaluation_fingerprint: str
    """Of the votes on the holdout, as in `Evaluation.fingerprint`; "" with filters."""
    holdout_votes: int
    """How many these are; 0 with filters."""
    votes: int
    """Votes on photos with a prediction."""
    compared: int
    """Photos with votes and a prediction."""
    scored: int
    """Those of them with enough votes for the score figures."""
    labelled: int
    """Compared photos with a majority label for watch or no watch."""
    watches: int
    verdict: VerdictFigures
    scores: ScoreFigures | None
    quality: QualityFigures | None
    classes: ClassFigures | None
    watch: WatchFigures | None
    slices: SliceFigures | None
    annotators: tuple[AnnotatorBias, ...]
    disagreement: DisagreementFigures | None
    pool: PoolFigures | None
    """Of the whole campaign; None with filters, which choose photos."""


def calibration_figures(
    comparison: Comparison,
    facts: PhotoFacts,
    *,
    fewest_votes: int,
    seed: int,
    simulated: Collection[int] = (),
    is_random: bool = True,
    holdout: tuple[str, int] = ("", 0),
    pool: PoolFacts | None = None,
    tell: Report = lambda step, done, total: None,
) -> CalibrationFigures:
    """Return the figures of a comparison. The same seed gives the same figures.

    `facts`: of the same photos. Sections about scores use photos with at least `fewest_votes` votes. `simulated`:
    ids of annotators that are programs. `is_random`: only holdout photos. `holdout`: fingerprint and number of the
    votes of an evaluation. `pool`: about the whole campaign, without filters. `tell` is called before each step.
    """
    enough = comparison.vote_counts >= fewest_votes
    scored = comparison.part(enough)
    decided = comparison.has_majority
    labelled = int(decided.sum())
    tell("comparing scores", 0, _STEPS)
    scores = ScoreFigures.of(scored, seed=seed) if len(scored) else None
    tell("drawing quality", 1, _STEPS)
    quality = quality_figures(scored, seed=seed)
    tell("comparing classes", 2, _STEPS)
    classes = class_figures(scored, seed=seed)
    tell("comparing watches", 3, _STEPS)
    watch = watch_figures(comparison, threshold=comparison.scale.watch_threshold, seed=seed)
    tell("making the verdict", 4, _STEPS)
    verdict = verdict_figures(comparison, scored, scores, simulated=simulated, is_random=is_random, seed=seed)
    tell("comparing slices", 5, _STEPS)
    slices = slice_figures(comparison, facts, fewest_votes=fewest_votes, seed=seed)
    annotators = annotator_biases(scored, seed=seed)
    tell("looking for disagreement", 6, _STEPS)
    disagreement = disagreement_figures(comparison, facts)
    tell("estimating the whole campaign", 7, _STEPS)
    campaign = None if pool is None else pool_figures(comparison, pool)
    tell("storing", _STEPS, _STEPS)
    return CalibrationFigures(
        rated=comparison.rated,
        evaluation_fingerprint=holdout[0],
        holdout_votes=holdout[1],
        votes=len(comparison.votes),
        compared=len(comparison),
        scored=len(scored),
        labelled=labelled,
        watches=int(comparison.is_watch[decided].sum()),
        verdict=verdict,
        scores=scores,
        quality=quality,
        classes=classes,
        watch=watch,
        slices=slices,
        annotators=annotators,
        disagreement=disagreement,
        pool=campaign,
    )
