"""The queue lanes that a campaign can give a share to.

A lane is a way to choose the next photo. The lane `RANDOM` always exists. Another app can add lanes: it registers them
when Django starts, and its workers write their priorities (`annotation.models.QueuePriority`).
"""

from dataclasses import dataclass

from django.utils.translation import gettext

from annotation.language import gettext_noop

RANDOM = "random"


@dataclass(frozen=True)
class Lane:
    """A way to choose the next photo."""

    name: str
    """Stored with each assignment and in the campaign's shares; at most 40 characters."""
    label: str
    """The name on the settings page."""
    description: str
    """One or two sentences for the admin who sets its share."""
    reason: str
    """Why the lane chose a photo, stored with each assignment. A format string with the fields `votes` and
    `votes_needed` (of the photo at that moment) and `priority`."""


_lanes = {
    RANDOM: Lane(
        name=RANDOM,
        label=gettext_noop("Uniform random"),
        description=gettext_noop("Any open photo, drawn at random. Estimates of accuracy rest on this lane."),
        reason="uniform random",
    )
}


def lane_register(lane: Lane) -> None:
    """Add a lane that campaigns can use. Raises ValueError when another lane has the same name."""
    if _lanes.setdefault(lane.name, lane) != lane:
        raise ValueError(gettext("Two queue lanes have the name %(name)s.") % {"name": f"{lane.name!r}"})


def lanes() -> tuple[Lane, ...]:
    """Return all lanes, `RANDOM` first."""
    return tuple(_lanes.values())


def lane_labels() -> dict[str, str]:
    """Return the label of each lane by its name."""
    return {lane.name: lane.label for lane in _lanes.values()}


def lane_shares_known(shares: dict[str, float]) -> dict[str, float]:
    """Return the shares above 0 of registered lanes. They sum to 1.

    `RANDOM` gets the share of a lane that no longer exists.
    """
    known = {name: share for name, share in shares.items() if share > 0 and name in _lanes}
    missing = 1 - sum(known.values())
    return known if abs(missing) < 1e-9 else {**known, RANDOM: known.get(RANDOM, 0.0) + missing}


def lane_shares_problem(shares: object) -> str:
    """Return an error message for {lane name: share}, or '' when it is valid."""
    if not isinstance(shares, dict) or not all(isinstance(share, int | float) for share in shares.values()):
        return gettext("The queue shares must be an object with a number for each lane name.")
    if unknown := sorted(set(shares) - set(_lanes)):
        return gettext("There is no queue lane %(unknown)s. The lanes are %(known)s.") % {
            "unknown": ", ".join(map(repr, unknown)),
            "known": ", ".join(map(repr, _lanes)),
        }
    if any(not 0 <= share <= 1 for share in shares.values()):
        return gettext("Each queue share must be a percentage from 0 to 100.")
    if abs(sum(shares.values()) - 1) > 1e-6:
        return gettext("The queue shares must add up to 100 percent, not %(percent)s.") % {
            "percent": f"{100 * sum(shares.values()):.10g}"
        }
    return ""


def lane_reason(name: str, *, votes: int, votes_needed: int, priority: float, stored: str = "") -> str:
    """Return why a registered lane chose a photo, in at most 200 characters.

    `stored`: the format string that workers stored with the lane instead of its own, or ''.
    """
    return (stored or _lanes[name].reason).format(votes=votes, votes_needed=votes_needed, priority=priority)[:200]
