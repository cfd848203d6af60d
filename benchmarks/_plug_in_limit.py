"""The naive rival of a calibrated limit: the share of errors that was observed, as if it were the true one."""

import numpy as np
from numpy.typing import NDArray

from inference.decisions.calibration import candidate_limits


def plug_in_limit(
    tolerance: float, scores: NDArray[np.float64], wrong: NDArray[np.bool_], pool: NDArray[np.float64]
) -> float | None:
    """Return the most generous limit whose observed share of errors is within the tolerance; None without one.

    scores, wrong [N]: of the audit photos. pool [M]: scores that limits are chosen from. It breaks the tolerance in
    about half of the cases (`benchmarks/guarantee.py`).
    """
    for limit in candidate_limits(pool)[::-1]:
        decided = scores >= limit
        if decided.any() and float(np.mean(wrong[decided])) <= tolerance:
            return float(limit)
    return None
