"""Which queue strategies choose the photos of a simulated campaign: shares by name, in phases.

As text: `watch_margin:0.8,random:0.2`, and with a start `typical_first@20>watch_margin:0.8,random:0.2`, where the first
phase ends after 20 answers. A strategy without a share has the share 1.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

_NAME = re.compile(r"[a-z0-9_]+")


class MixtureWrong(ValueError):
    """The text of a mixture cannot be read; the message says why."""


@dataclass(frozen=True)
class Phase:
    """Strategies with their shares, until a number of answers."""

    shares: dict[str, float]
    """Strategy name: share above 0; together 1."""
    until: int | None
    """The phase ends with this answer; None: it is the last phase."""


@dataclass(frozen=True)
class Mixture:
    """One or more phases."""

    label: str
    phases: tuple[Phase, ...]

    def shares_at(self, answers: int) -> dict[str, float]:
        """Return the shares after this number of answers."""
        return next(phase.shares for phase in self.phases if phase.until is None or answers < phase.until)

    def end_of_phase(self, answers: int) -> int | None:
        """Return the number of answers with which the phase ends that holds after `answers`."""
        return next(phase.until for phase in self.phases if phase.until is None or answers < phase.until)

    @property
    def names(self) -> set[str]:
        """Return the names of all strategies."""
        return {name for phase in self.phases for name in phase.shares}


def mixture_read(text: str, known: Collection[str]) -> Mixture:
    """Read a mixture, with an optional label in front: `label=text`. Raises MixtureWrong.

    `known`: names of the strategies that exist.
    """
    label, separator, rest = text.partition("=")
    parts = (rest if separator else text).strip().split(">")
    phases = [_phase(part, known, is_last=place == len(parts) - 1) for place, part in enumerate(parts)]
    ends = [phase.until for phase in phases if phase.until is not None]
    if ends != sorted(set(ends)):
        raise MixtureWrong(f"{text!r}: each phase must end after the one before it")
    return Mixture((label if separator else text).strip(), tuple(phases))


def _phase(text: str, known: Collection[str], *, is_last: bool) -> Phase:
    body, separator, until = text.partition("@")
    if bool(separator) is is_last:
        raise MixtureWrong(f"{text!r}: every phase but the last one ends with @ and a number of answers")
    if separator and not (until.strip().isdecimal() and int(until)):
        raise MixtureWrong(f"{until!r} is not a number of answers above 0")
    shares: dict[str, float] = {}
    for part in body.split(","):
        name, _, share = part.strip().partition(":")
        if not _NAME.fullmatch(name) or name not in known:
            raise MixtureWrong(f"there is no strategy {name!r}; there are {', '.join(sorted(known))}")
        try:
            value = float(share) if share else 1.0
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf") or name in shares:
            raise MixtureWrong(f"{part.strip()!r}: give each strategy once, with a share above 0")
        shares[name] = value
    total = sum(shares.values())
    return Phase({name: share / total for name, share in shares.items()}, int(until) if separator else None)
