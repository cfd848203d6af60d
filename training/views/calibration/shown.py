"""What the address of the calibration page chooses besides photos and votes."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from django.http import Http404, QueryDict
from django.utils.translation import gettext, gettext_lazy

from training.evaluation.calibration.filters import Filters
from training.evaluation.registry import METRICS

#: Measures of slices, and their names on the page.
MEASURES = {
    "bias": gettext_lazy("Bias"),
    "rmse": gettext_lazy("Typical error"),
    "srcc": gettext_lazy("Rank correlation"),
    "watch": gettext_lazy("Wrong watch decisions"),
}
#: What the chart of the versions runs over.
TREND_BY = {"version": gettext_lazy("by version"), "votes": gettext_lazy("by answers")}


@dataclass(frozen=True)
class Shown:
    """What the sections show."""

    measure: str = "bias"
    """Of the slices."""
    metric: str = "quality_srcc"
    """Of the versions over time."""
    by: str = "version"

    @classmethod
    def read(cls, query: QueryDict) -> "Shown":
        """Return what the address chooses. Raises Http404 for a value that does not exist."""
        known: dict[str, Collection[str]] = {"measure": MEASURES, "metric": METRICS, "by": TREND_BY}
        chosen: dict[str, Any] = {}
        for field in fields(cls):
            value = query.get(field.name) or field.default
            if value not in known[field.name]:
                raise Http404(gettext("The calibration page has no such %(name)s.") % {"name": field.name})
            chosen[field.name] = value
        return cls(**chosen)

    @property
    def chosen(self) -> dict[str, str]:
        """Return what differs from the plain page."""
        plain = Shown()
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != getattr(plain, field.name)
        }

    def address(self, filters: Filters, version: int, **changes: str) -> str:
        """Return the part of an address after '?' with these changes. What is not chosen does not appear."""
        return filters.query(version=version, **replace(self, **changes).chosen)
