"""Why a lane asks about a photo, in plain words with the numbers of the photo. Pure.

Two models may speak. The queue's own model is small, learns from the newest answers, and says where it is unsure
(`watch_learner`, `quality_learner`). The champion was trained earlier, and says what pages show. They differ, so each
sentence names the model that it is about.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from annotation.language import gettext, gettext_noop


@dataclass(frozen=True)
class PhotoFacts:
    """What is known of a photo that a lane has put forward. None: unknown, or hidden from the reader."""

    votes: int
    votes_needed: int
    watch_probability: float | None = None
    """0 … 1."""
    watch_threshold: float | None = None
    """The deployed threshold, 0 … 1."""
    quality_mean: float | None = None
    """Points."""
    is_hidden: bool = False
    """The prediction is hidden until the reader has answered."""


def reason_text(lane: str, facts: PhotoFacts, *, stored: str) -> str:
    """Return why the lane chose the photo, as a part of the sentence 'Asked because …'.

    stored: the lane's own reason for this photo. Lanes without words here say it.
    """
    if (words := _REASONS.get(lane)) is not None:
        return words(facts) or stored
    return stored


def start_reason(order: str, column: str) -> str:
    """Return what a lane stores instead of its own reason while it starts with another order.

    order: the reason of the strategy whose order it uses. column: what it lacks, a key of `STARTS`.
    """
    return f"{order} (start: {STARTS[column]})"


def start_text(stored: str, facts: PhotoFacts, *, fewest: str) -> str | None:
    """Return the reason for a page from what `start_reason` made; None for another text.

    fewest: the reason of the strategy `fewest_votes`; lanes start with its order or with that of `typical_first`.
    """
    why = next((why for why in STARTS.values() if stored.endswith(f"(start: {why})")), None)
    if why is None:
        return None
    order = "fewest_votes" if stored.startswith(fewest) else "typical_first"
    return gettext("%(reason)s. This lane chooses in this way at the start: %(why)s.") % {
        "reason": reason_text(order, facts, stored=""),
        "why": gettext(why),
    }


def percent_words(share: float) -> str:
    """Return a share, 0 … 1, in whole percent: '7 %', 'under 1 %', 'over 99 %'."""
    if share > 0.99:
        return gettext("over 99 %")
    return gettext("under 1 %") if share < 0.01 else f"{100 * share:.0f} %"


def _random(facts: PhotoFacts) -> str:
    return gettext("it was drawn at random, as a spot check: only such photos show how good a model is")


def _fewest(facts: PhotoFacts) -> str:
    if facts.votes == 0:
        return gettext("nobody has rated it yet")
    return gettext("it is among the photos with the fewest votes: %(votes)s of %(needed)s") % _votes(facts)


def _anchors(facts: PhotoFacts) -> str:
    return gettext("others have rated it (%(votes)s of %(needed)s votes), so annotators can be compared") % _votes(
        facts
    )


def _watch(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    return _joined(
        gettext("the queue's own model is unsure whether it shows a watch"),
        _champion_on_watch(facts),
    )


def _relabel(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    if facts.votes == 0:
        return _watch(facts)
    return _joined(
        gettext("its votes (%(votes)s) and the queue's own model leave open whether it shows a watch") % _votes(facts),
        _champion_on_watch(facts),
    )


def _ensemble(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    return _joined(
        gettext(
            "small models of the queue, which learned from different answers, contradict each other on whether it "
            "shows a watch"
        ),
        _champion_on_watch(facts),
    )


def _gain(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    words = gettext("the queue's own model knows little about its score (%(votes)s of %(needed)s votes)") % _votes(
        facts
    )
    if facts.quality_mean is None:
        return words
    mean = f"{facts.quality_mean:.1f}"
    return _joined(words, gettext("The champion expects %(mean)s.") % {"mean": mean})


def _disagreement(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    if facts.quality_mean is None:
        return gettext("people gave it another score than the champion expects, by more than chance explains")
    return gettext(
        "people gave it another score than the champion expects (%(mean)s), by more than chance explains"
    ) % {"mean": f"{facts.quality_mean:.1f}"}


def _typical(facts: PhotoFacts) -> str:
    return gettext("many similar photos have no votes, and it is typical of them")


def _unlike(facts: PhotoFacts) -> str:
    if facts.votes:
        return gettext("it looks unlike all other rated photos")
    return gettext("it looks unlike all rated photos")


def _holdout(facts: PhotoFacts) -> str:
    return gettext("it is in the holdout: no model learns from it, so its votes show how good a model is")


def _hidden() -> str:
    return gettext("a model says something about it that you see after your own answer")


def _champion_on_watch(facts: PhotoFacts) -> str:
    """Return what the champion says about the watch, as a sentence; '' if it is unknown."""
    said, limit = facts.watch_probability, facts.watch_threshold
    if said is None or limit is None:
        return ""
    if abs(_log_odds(said) - _log_odds(limit)) < _UNSURE:
        words = gettext("The champion is unsure too: %(said)s, and above %(limit)s it says 'watch'.")
    elif said > limit:
        words = gettext("The champion says 'watch': %(said)s, where above %(limit)s is enough.")
    else:
        words = gettext("The champion says 'no watch': %(said)s, and above %(limit)s it says 'watch'.")
    return words % {"said": percent_words(said), "limit": f"{100 * limit:.3g} %"}


def _log_odds(share: float) -> float:
    inside = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def _joined(words: str, sentence: str) -> str:
    return f"{words}. {sentence}" if sentence else words


def _votes(facts: PhotoFacts) -> dict[str, int]:
    return {"votes": facts.votes, "needed": facts.votes_needed}


#: What the watch lanes store while the queue's own model cannot learn and the champion chooses.
CHAMPION_UNSURE = gettext_noop("the champion is unsure whether it shows a watch")

# The champion is called unsure when its log odds are nearer to those of its threshold.
_UNSURE = 0.7

#: Why a strategy starts with another order, by the column that it lacks.
STARTS = {
    "features": gettext_noop("the photos have no features yet"),
    "quality_variance": gettext_noop("too few scores to learn from"),
    "quality_disagreement": gettext_noop("too few scores to compare with"),
    "watch_probability": gettext_noop("too few watch labels to learn from"),
    "watch_spread": gettext_noop("too few watch labels to learn from"),
}

_REASONS: dict[str, Callable[[PhotoFacts], str]] = {
    "random": _random,
    "fewest_votes": _fewest,
    "anchors": _anchors,
    "watch_margin": _watch,
    "watch_entropy": _watch,
    "watch_bald": _ensemble,
    "relabel_or_new": _relabel,
    "information_gain": _gain,
    "disagreement": _disagreement,
    "typical_first": _typical,
    "diverse_batch": _unlike,
    "holdout": _holdout,
}
