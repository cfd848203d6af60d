"""Which photos and which votes the calibration page compares, as the reviewer has chosen."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

HOLDOUT, ALL = "holdout", "all"
#: Values of `Filters.split`.
SPLITS = (HOLDOUT, ALL)
PEOPLE, SIMULATED = "people", "simulated"
#: Values of `Filters.annotators`.
ANNOTATORS = (ALL, PEOPLE, SIMULATED)
#: `Filters.source` of photos that no import brought.
NO_IMPORT = 0


@dataclass(frozen=True)
class Filters:
    """A choice of photos and votes. Without arguments: all votes on the holdout, as in an evaluation."""

    split: str = HOLDOUT
    source: int | None = None
    """Id of the import that brought the photos, or NO_IMPORT; None: all photos."""
    since: date | None = None
    """First day of the votes, in the time zone of the site."""
    until: date | None = None
    """Last day of the votes."""
    left_out: tuple[int, ...] = ()
    """Ids of the annotators whose votes are left out, ascending."""
    annotators: str = ALL
    """`all`, only `people`, or only `simulated` annotators."""

    @property
    def is_default(self) -> bool:
        """Return whether nothing is chosen."""
        return self == Filters()

    @property
    def is_possible(self) -> bool:
        """Return whether the period has a day."""
        return self.since is None or self.until is None or self.since <= self.until

    @property
    def has_all_votes(self) -> bool:
        """Return whether no vote on the chosen photos is left out."""
        return self.since is None and self.until is None and not self.left_out and self.annotators == ALL

    @property
    def fewest_votes(self) -> int:
        """Return how many votes a photo needs for the score figures. On the holdout as in evaluations."""
        return 2 if self.split == HOLDOUT else 1

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values; the same choice always gives the same."""
        fields = asdict(self) | {"left_out": list(self.left_out)}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in fields.items()}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Filters":
        """Return the choice that `as_json` wrote."""
        days = {name: date.fromisoformat(fields[name]) if fields[name] else None for name in ("since", "until")}
        return cls(**{**fields, **days, "left_out": tuple(fields["left_out"])})

    def query(self, **more: object) -> str:
        """Return the part of an address after '?', with further parameters before it; those that are None are left out.

        What is not chosen does not appear, so the address of the plain page is short.
        """
        pairs: list[tuple[str, object]] = [(name, value) for name, value in more.items() if value is not None]
        plain = Filters()
        for name, value in (
            ("split", self.split),
            ("source", self.source),
            ("from", self.since),
            ("to", self.until),
            ("annotators", self.annotators),
        ):
            if value != getattr(plain, {"from": "since", "to": "until"}.get(name, name)):
                pairs.append((name, value))
        return urlencode(pairs + [("out", annotator) for annotator in self.left_out])
