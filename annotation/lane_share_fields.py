"""The fields of the queue's mixture in the forms of a campaign: one percentage for each lane, and a picture of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext

from annotation.form_fields import PercentField
from annotation.services.lane_mixtures import MIXTURES, Mixture
from annotation.services.lane_registry import lane_shares_problem, lanes

#: Lanes that the page shows at once; the others are in a fold. Those that have a share are always shown.
_FIRST = ("random", "fewest_votes", "watch_margin", "holdout", "anchors")


@dataclass(frozen=True)
class MixturePart:
    """One lane in the picture of a mixture, in percent of its width."""

    field: str
    label: str
    start: float
    percent: float


class LaneShareFields:
    """The lane fields of a form, which gives them to its page and takes the shares from them."""

    def __init__(self, form: forms.BaseForm, shares: Mapping[str, float]) -> None:
        """Add a field for each lane to the form. `shares`: those that the page shows."""
        self._form, self._shares = form, shares
        self.names = {lane.name: f"lane_{lane.name}" for lane in lanes()}
        self._labels = {lane.name: gettext(lane.label) for lane in lanes()}
        for lane in lanes():
            form.fields[self.names[lane.name]] = PercentField(
                label=f"{self._labels[lane.name]} (%)",
                most=100,
                required=False,
                initial=shares.get(lane.name, 0.0),
                help_text=gettext(lane.description),
            )

    @property
    def first(self) -> list[forms.BoundField]:
        """Return the fields that the page shows at once."""
        return [self._form[name] for lane, name in self.names.items() if self._is_first(lane)]

    @property
    def others(self) -> list[forms.BoundField]:
        """Return the fields of the fold."""
        return [self._form[name] for lane, name in self.names.items() if not self._is_first(lane)]

    def _is_first(self, lane: str) -> bool:
        return lane in _FIRST or self._shares.get(lane, 0) > 0 or bool(self._form.errors.get(self.names[lane]))

    def parts(self) -> list[MixturePart]:
        """Return the parts of the picture, in the order of the fields."""
        parts: list[MixturePart] = []
        start = 0.0
        for lane, name in self.names.items():
            try:
                percent = min(max(float(self._form[name].value() or 0), 0.0), 100.0 - start)
            except (TypeError, ValueError):  # the field says so
                percent = 0.0
            parts.append(MixturePart(name, self._labels[lane], start, percent))
            start += percent
        return parts

    def mixtures(self) -> list[tuple[Mixture, str]]:
        """Return the mixtures that have a name, each with the values of the fields as JSON."""
        return [(one, json.dumps(self.values(one.shares))) for one in MIXTURES]

    def values(self, shares: Mapping[str, float]) -> dict[str, str]:
        """Return {field: percentage as the page shows it} of all lanes."""
        return {name: f"{100 * shares.get(lane, 0.0):.10g}" for lane, name in self.names.items()}

    def cleaned(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return cleaned values with `lane_shares` {lane: share} instead of one field per lane, and add its errors."""
        left = {name: value for name, value in values.items() if name not in self.names.values()}
        shares = {lane: values[name] for lane, name in self.names.items() if name in values}
        # An empty field is no share.
        shares = {lane: share or 0.0 for lane, share in shares.items()}
        if len(shares) == len(self.names) and (problem := lane_shares_problem(shares)):
            self._form.add_error(next(iter(self.names.values())), problem)
        return {**left, "lane_shares": {lane: share for lane, share in shares.items() if share}}
