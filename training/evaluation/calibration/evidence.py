"""What the figures of the calibration page rest on, and whether that is enough for a verdict."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from annotation.language import gettext, ngettext
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
            words = (
                gettext("%(have)s of %(needed)s rated holdout photos with two votes")
                if self.is_random
                else gettext("%(have)s of %(needed)s rated photos with two votes")
            )
            parts.append(words % {"have": self.groups, "needed": FEWEST_PHOTOS})
        if self.watches < FEWEST_OF_EACH_LABEL:
            words = gettext("%(have)s of %(needed)s watches")
            parts.append(words % {"have": self.watches, "needed": FEWEST_OF_EACH_LABEL})
        if self.others < FEWEST_OF_EACH_LABEL:
            words = gettext("%(have)s of %(needed)s photos without a watch")
            parts.append(words % {"have": self.others, "needed": FEWEST_OF_EACH_LABEL})
        return ", ".join(parts)

    @property
    def text(self) -> str:
        """Return the evidence in words: '63 random photos, 288 votes of 7 annotators, nearly all simulated'."""
        words = (
            ngettext("%(photos)s random photo", "%(photos)s random photos", self.photos)
            if self.is_random
            else ngettext("%(photos)s photo", "%(photos)s photos", self.photos)
        )
        photos = words % {"photos": f"{self.photos:,}"}
        if self.scored != self.photos:
            photos += " " + gettext("(%(scored)s with two votes)") % {"scored": f"{self.scored:,}"}
        if self.groups != self.scored:
            photos += " " + gettext("in %(groups)s groups of near-duplicates") % {"groups": f"{self.groups:,}"}
        votes = ngettext("%(votes)s vote", "%(votes)s votes", self.votes) % {"votes": f"{self.votes:,}"}
        raters = ngettext("of %(annotators)s annotator", "of %(annotators)s annotators", self.annotators) % {
            "annotators": f"{self.annotators:,}"
        }
        return ", ".join(part for part in (photos, f"{votes} {raters}", self._simulated) if part)

    @property
    def _simulated(self) -> str:
        if not self.simulated_votes:
            return ""
        if self.simulated_votes == self.votes:
            return gettext("all simulated")
        share = self.simulated_votes / self.votes
        if share >= _NEARLY_ALL:
            return gettext("nearly all simulated")
        return gettext("%(share)s %% of them simulated") % {"share": f"{100 * share:.0f}"}


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
