"""Consensus from people's votes, compared with plain means, majorities and published methods on real votes.

The real votes are public data sets (`benchmarks/_votes.py`) in the folder of `--data`. Without them, only the claims
about simulated annotators are measured. Differences of SRCC are given in hundredths: 3 means .03.
"""

import sys
from collections.abc import Iterator

from benchmarks._claims import Claim, Setting
from benchmarks._consensus_clickers import clickers_among_bluebirds, clickers_among_observers, clickers_found
from benchmarks._consensus_intervals import intervals, sos_parameters
from benchmarks._consensus_labels import labels
from benchmarks._consensus_people import observer_scores, own_repeats
from benchmarks._consensus_scores import real_scores, simulated_scores
from benchmarks._consensus_voter import voter
from benchmarks._votes import missing


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure intervals, corrected MOS and labels, as far as their votes are there."""
    absent = set(missing(setting.data))
    if absent:
        names = ", ".join(sorted(absent))
        print(f"benchmarks: the folder of --data lacks {names}; claims about them are left out.", file=sys.stderr)
    data = setting.data
    if data is not None:
        if not absent & {"AVA", "DPChallenge", "KonIQ-10k"}:
            yield from intervals(data)
            yield from sos_parameters(data)
        if "OASIS" not in absent:
            yield from real_scores(data)
            yield from clickers_found(data)
            yield from own_repeats(data)
        if "observers" not in absent:
            yield from observer_scores(data)
            yield from clickers_among_observers(data)
        if "bluebirds" not in absent:
            yield from labels(data)
            yield from clickers_among_bluebirds(data)
    yield from voter(seeds=2 if setting.tiny else 20)
    yield from simulated_scores(draws=3 if setting.tiny else 10, photos=200 if setting.tiny else 300)
