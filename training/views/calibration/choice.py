"""The choice of photos and votes in the address of the calibration page."""

from collections.abc import Sequence
from datetime import date

from django.http import Http404, QueryDict
from django.utils.translation import gettext

from inference.models import ModelVersion
from training.evaluation.calibration.filters import ANNOTATORS, SPLITS, Filters

# Numbers in an address are ids of PostgreSQL's bigint.
_DIGITS = 18


def version_of(versions: Sequence[ModelVersion], number: str) -> ModelVersion | None:
    """Return the requested version, else the champion, else the newest. Raises Http404 for an unknown number."""
    if number:
        for version in versions:
            if str(version.number) == number:
                return version
        raise Http404(gettext("This campaign has no model version with this number."))
    return next((version for version in versions if version.is_champion), versions[0] if versions else None)


def filters_of(query: QueryDict) -> Filters:
    """Return what the address chooses. Raises Http404 for a value that does not exist."""
    split = query.get("split") or "holdout"
    if split not in SPLITS:
        raise Http404(gettext("The calibration page shows the split “holdout” or “all”."))
    annotators = query.get("annotators") or "all"
    if annotators not in ANNOTATORS:
        raise Http404(
            gettext("The calibration page shows the votes of “all” annotators, of “people” or of “simulated” ones.")
        )
    return Filters(
        split=split,
        source=number_of(query.get("source", ""), gettext("There is no such import.")),
        since=_day(query.get("from", "")),
        until=_day(query.get("to", "")),
        left_out=tuple(
            sorted(
                {number for text in query.getlist("out") if (number := number_of(text, gettext("No such annotator.")))}
            )
        ),
        annotators=annotators,
    )


def number_of(text: str, missing: str) -> int | None:
    """Return an id in an address; None for ''. Raises Http404 with `missing` for a text that is no id."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        raise Http404(missing)
    return int(text)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Http404(gettext("A day is written like 2026-11-28.")) from error
