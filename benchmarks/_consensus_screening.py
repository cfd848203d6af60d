"""Screening on real people with random clickers among them: whom the rules flag. Not a benchmark.

`flags_of` takes the votes of any panel, so that other benchmarks can call it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.consensus.panel_model import panel_fit
from annotation.raters import screening
from annotation.raters.panel_agreement import Panel, bt500_counts, rank_correlations
from annotation.raters.screening import Verdict

LEAST_INFORMATION = 0.15
"""A rival: annotators whose votes say less than this part of what a typical vote says, by the panel model."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ScreeningFlags:
    """Who is flagged, by each rule [M]."""

    scores: Flags
    unknown: Flags
    """Not enough answers to tell, by the rule for scores."""
    bt500: Flags
    information: Flags


def flags_of(image_ids: ArrayLike, rater: ArrayLike, scores: ArrayLike, *, raters: int) -> ScreeningFlags:
    """Return the flags of votes given as columns; `rater` holds places 0 … raters − 1, each with a vote."""
    panel = Panel.of(image_ids, rater, scores, raters=raters)
    ranks = rank_correlations(panel)
    median = screening.group_median([one.value for one in ranks], [one.n for one in ranks])
    verdicts = [screening.scores_finding(one, median).verdict for one in ranks]
    far = [screening.bt500_finding(one).verdict for one in bt500_counts(panel)]
    fit = panel_fit(panel.photo, panel.rater, panel.scores)
    return ScreeningFlags(
        scores=np.array([one == Verdict.FLAGGED for one in verdicts]),
        unknown=np.array([one == Verdict.UNKNOWN for one in verdicts]),
        bt500=np.array([one == Verdict.FLAGGED for one in far]),
        information=fit.information() < LEAST_INFORMATION,
    )
