"""The gallery's order and filters, read from and written to a query string. No database access."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from django.utils.translation import gettext, gettext_lazy

from annotation.models import Image
from inference.models import QualityClass

# Name → (label, whether the largest key comes first).
ORDERS = {
    "newest": (gettext_lazy("newest first"), True),
    "best": (gettext_lazy("best predicted quality"), True),
    "worst": (gettext_lazy("worst predicted quality"), False),
    "watch": (gettext_lazy("most likely a watch"), True),
    "unlike": (gettext_lazy("least likely a watch"), False),
    "people_best": (gettext_lazy("highest corrected MOS"), True),
    "people_worst": (gettext_lazy("lowest corrected MOS"), False),
    "mos_best": (gettext_lazy("highest MOS"), True),
    "mos_worst": (gettext_lazy("lowest MOS"), False),
    "votes_most": (gettext_lazy("most votes"), True),
    "votes_fewest": (gettext_lazy("fewest votes"), False),
    "apart": (gettext_lazy("model and people furthest apart on quality"), True),
    "watch_apart": (gettext_lazy("model and people furthest apart on watches"), True),
    "distorted": (gettext_lazy("most distorted"), False),
    "undistorted": (gettext_lazy("least distorted"), True),
    "blur": (gettext_lazy("most blurred"), True),
    "noise": (gettext_lazy("noisiest"), True),
    "exposure": (gettext_lazy("worst exposed"), True),
    "compression": (gettext_lazy("most compressed"), True),
}
#: The four detectors, in the order in which they are shown.
DISTORTIONS = ("blur", "noise", "exposure", "compression")
BY_PREDICTION = ("best", "worst", "watch", "unlike")
#: Orders that need a prediction and independent votes.
BY_PEOPLE = ("apart", "watch_apart")
#: Orders by the stored consensus of the annotators.
BY_CONSENSUS = ("people_best", "people_worst", "mos_best", "mos_worst")
#: Orders by the number of votes, which every photo has.
BY_VOTES = ("votes_most", "votes_fewest")
BY_DISTORTION = ("distorted", "undistorted", *DISTORTIONS)

_NAME_LIMIT = 200


@dataclass(frozen=True)
class GalleryQuery:
    """An order and filters. An empty filter matches every photo; a photo must match all filters."""

    order: str = "newest"
    quality_class: str = ""
    quality_from: float | None = None
    """Smallest predicted mean, on the campaign's scale."""
    quality_to: float | None = None
    watch: str = ""
    """'yes' or 'no': watch probability above the campaign's threshold or not."""
    watch_from: float | None = None
    """Smallest watch probability, 0 … 1."""
    watch_to: float | None = None
    distortion_class: str = ""
    distortion_from: float | None = None
    """Smallest combined quality of the four detectors, 0 … 100."""
    distortion_to: float | None = None
    blur_from: float | None = None
    """Smallest severity, 0 … 1. The same holds for the next three."""
    noise_from: float | None = None
    exposure_from: float | None = None
    compression_from: float | None = None
    votes: str = ""
    """'none', 'some' (fewer than it needs) or 'enough'."""
    mos_from: float | None = None
    """Smallest MOS of the people, on the campaign's scale."""
    mos_to: float | None = None
    split: str = ""
    tag: str = ""
    """The name of a tag."""
    selection: str = ""
    """The key of a stored selection."""
    name: str = ""
    """Part of the file name; case does not matter."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "order": tuple(ORDERS),
        "quality_class": ("", *QualityClass.values),
        "watch": ("", "yes", "no"),
        "distortion_class": ("", *QualityClass.values),
        "votes": ("", "none", "some", "enough"),
        "split": ("", *Image.Split.values),
    }
    RANGES: ClassVar[tuple[str, ...]] = ("quality", "watch", "distortion", "mos")

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """Return the query from URL parameters. Raises ValueError for an unknown choice or an invalid number."""
        chosen: dict[str, Any] = {}
        for field in fields(cls):
            value: Any = parameters.get(field.name, "").strip() or field.default
            if field.name in cls.CHOICES:
                chosen[field.name] = _choice(field.name, value, cls.CHOICES[field.name])
            elif field.default is None:
                chosen[field.name] = None if value is None else _number(field.name, value)
            else:
                chosen[field.name] = str(value).replace("\0", "")[:_NAME_LIMIT]
        query = cls(**chosen)
        for name in cls.RANGES:
            least, most = getattr(query, f"{name}_from"), getattr(query, f"{name}_to")
            if least is not None and most is not None and least > most:
                raise ValueError(
                    gettext("The smallest %(name)s (%(least)s) is greater than the largest (%(most)s).")
                    % {"name": name, "least": f"{least:g}", "most": f"{most:g}"}
                )
        return query

    def encode(self, **more: object) -> str:
        """Return the query string that `read` understands, without default values."""
        return urlencode({name: _text(value) for name, value in self._chosen().items()} | more)

    def without(self, *names: str) -> Self:
        """Return the query with these fields reset to their defaults."""
        defaults: dict[str, Any] = {field.name: field.default for field in fields(self)}
        return replace(self, **{name: defaults[name] for name in names})

    def ordered(self, order: str) -> Self:
        """Return the same filters in another order."""
        return replace(self, order=order)

    @property
    def filters(self) -> dict[str, Any]:
        """Return {name: value} of the filters that are set."""
        return {name: value for name, value in self._chosen().items() if name != "order"}

    @property
    def has_ranges(self) -> bool:
        """Return whether a filter is set that the form shows under 'More filters'."""
        return any(name.endswith(("_from", "_to")) or name == "distortion_class" for name in self.filters)

    @property
    def uses_predictions(self) -> bool:
        """Return whether the order or a filter depends on predictions."""
        filters = ("quality_class", "quality_from", "quality_to", "watch", "watch_from", "watch_to")
        return self.order in (*BY_PREDICTION, *BY_PEOPLE) or any(name in self.filters for name in filters)

    def _chosen(self) -> dict[str, Any]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        known = ", ".join(choice for choice in allowed if choice)
        raise ValueError(
            gettext("Unknown %(replace)s “%(value)s”. Choose one of %(known)s.")
            % {"replace": name.replace("_", " "), "value": value, "known": known}
        )
    return value


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        what, _, end = name.rpartition("_")
        raise ValueError(
            gettext("“%(value)s” is not a number. Enter a number such as 0.5 for %(what)s “%(end)s”.")
            % {"value": value, "what": what, "end": end}
        )
    return number


def _text(value: Any) -> str:
    """Return a filter's value as text for the URL; whole numbers without a decimal point."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
