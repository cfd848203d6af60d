"""What the figures of the calibration page rest on, and whether that is enough for a verdict."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from training.evaluation.comparison import Comparison

#: With fewer photos (near-duplicates count once), a verdict about scores would rest on chance.
FEWEST_PHOTOS = 20
#: The same for the watch label: photos with this many watches, and as many without.
FEWEST_OF_EACH_LABEL = 10

# From these shares on, votes are called 'nearly all simulated' and 'partly simulated'.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Evidence:
    """Photos and votes behind the figures."""

    photos: int
    scored: int
    """Those with enough votes for the score figures."""
    groups: int
    """The same, with near-duplicates counted once."""
    votes: int
    annotators: int
    simulated_votes: int
    """Votes of annotators that are programs."""
    watches: int
    """Photos whose majority label is watch, near-duplicates counted once."""
    others: int
    """Photos whose majority label is no watch, near-duplicates counted once."""
    is_random: bool
    """All photos are of the holdout, which is drawn at random and never trained on."""

    @property
    def has_scores(self) -> bool:
        """Return whether there are enough photos for verdicts about scores."""
        return self.groups >= FEWEST_PHOTOS

    @property
    def has_watches(self) -> bool:
        """Return whether there are enough photos for verdicts about the watch label."""
        return min(self.watches, self.others) >= FEWEST_OF_EACH_LABEL

    @property
    def missing(self) -> str:
        """Return how far the photos are from enough, such as '17 of 20 rated photos, 1 of 10 watches'; '' if enough."""
        parts = []
        if not self.has_scores:
            parts.append(f"{self.groups} of {FEWEST_PHOTOS} rated {self._kind}photos with two votes")
        if self.watches < FEWEST_OF_EACH_LABEL:
            parts.append(f"{self.watches} of {FEWEST_OF_EACH_LABEL} watches")
        if self.others < FEWEST_OF_EACH_LABEL:
            parts.append(f"{self.others} of {FEWEST_OF_EACH_LABEL} photos without a watch")
        return ", ".join(parts)

    @property
    def text(self) -> str:
        """Return the evidence in words: '63 random photos, 288 votes of 7 annotators, nearly all simulated'."""
        photos = f"{self.photos:,} {'random ' if self.is_random else ''}photo{'' if self.photos == 1 else 's'}"
        if self.scored != self.photos:
            photos += f" ({self.scored:,} with two votes)"
        if self.groups != self.scored:
            photos += f" in {self.groups:,} groups of near-duplicates"
        text = (
            f"{photos}, {self.votes:,} vote{'' if self.votes == 1 else 's'} "
            f"of {self.annotators:,} annotator{'' if self.annotators == 1 else 's'}"
        )
        if not self.simulated_votes:
            return text
        if self.simulated_votes == self.votes:
            return f"{text}, all simulated"
        share = self.simulated_votes / self.votes
        return f"{text}, {'nearly all simulated' if share >= _NEARLY_ALL else f'{100 * share:.0f} % of them simulated'}"

    @property
    def _kind(self) -> str:
        return "holdout " if self.is_random else ""


def evidence_of(comparison: Comparison, scored: Comparison, *, simulated: Collection[int], is_random: bool) -> Evidence:
    """Return the evidence of a comparison. `scored`: its photos with enough votes for the score figures.

    `simulated`: ids of the annotators that are programs.
    """
    decided, is_watch = comparison.has_majority, comparison.is_watch.astype(bool)
    votes = comparison.votes
    return Evidence(
        photos=len(comparison),
        scored=len(scored),
        groups=len(np.unique(scored.groups)),
        votes=len(votes),
        annotators=len(np.unique(votes.annotator_ids)),
        simulated_votes=int(np.isin(votes.annotator_ids, list(simulated)).sum()),
        watches=len(np.unique(comparison.groups[decided & is_watch])),
        others=len(np.unique(comparison.groups[decided & ~is_watch])),
        is_random=is_random,
    )
