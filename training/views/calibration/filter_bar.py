"""The filters of the calibration page: what can be chosen, and what is chosen, in words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import PurePath
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from annotation.language.lazy import gettext_lazy
from annotation.models import Annotation, Campaign, ImportBatch, User
from inference.models import ModelVersion
from training.evaluation.calibration.filters import ALL, HOLDOUT, NO_IMPORT, PEOPLE, SIMULATED, Filters

# A longer list is no help, and slows the page down.
_MOST_IMPORTS, _MOST_ANNOTATORS = 200, 300
_PERIODS = (7, 30, 90)
_WHOSE = {PEOPLE: gettext_lazy("votes of people only"), SIMULATED: gettext_lazy("votes of simulated annotators only")}


@dataclass(frozen=True)
class Rater:
    """An annotator with answers in the campaign."""

    pk: int
    name: str
    is_simulated: bool
    is_out: bool


@dataclass(frozen=True)
class Chip:
    """A filter that is set: its words, and the address without it."""

    words: str
    query: str


@dataclass(frozen=True)
class Period:
    """A period up to today: its name, its address, and whether it is chosen."""

    name: str
    query: str
    is_chosen: bool


@dataclass(frozen=True)
class FilterBar:
    """What the page shows about its filters."""

    imports: list[tuple[int, str]]
    """(id, name and day) of the imports that brought photos, newest first."""
    raters: list[Rater]
    """By name."""
    has_more_raters: bool
    periods: list[Period]
    chips: list[Chip]
    clear_query: str

    @property
    def words(self) -> str:
        """Return the chosen filters as a part of a sentence, for a report."""
        return ", ".join(chip.words for chip in self.chips) or gettext("none: all votes on the holdout photos")

    @property
    def has_simulated(self) -> bool:
        """Return whether some of the annotators are programs."""
        return any(rater.is_simulated for rater in self.raters)


def filter_bar(campaign: Campaign, version: ModelVersion, filters: Filters) -> FilterBar:
    """Return the filter bar (two queries, and one more for photos without an import).

    Raises Http404 for an import or an annotator that the campaign does not have.
    """
    imports = _imports(campaign, filters)
    names = dict(imports)
    if filters.source is not None and filters.source not in names:
        raise Http404(gettext("There is no such import."))
    raters = _raters(campaign, filters)
    known = {rater.pk for rater in raters}
    if not known.issuperset(filters.left_out):
        raise Http404(gettext("An annotator that is to be left out has no answers in this campaign."))
    today = timezone.localdate()
    return FilterBar(
        imports=imports,
        raters=raters,
        has_more_raters=len(raters) > _MOST_ANNOTATORS,
        periods=list(_periods(version, filters, today)),
        chips=list(_chips(version, filters, names, {rater.pk: rater.name for rater in raters})),
        clear_query=Filters().query(version=version.number),
    )


def _imports(campaign: Campaign, filters: Filters) -> list[tuple[int, str]]:
    rows = ImportBatch.objects.filter(campaign=campaign, added__gt=0).values_list("pk", "source", "created_at")
    found = [(pk, f"{PurePath(source).name} ({_day(timezone.localdate(at))})") for pk, source, at in rows]
    shown = [one for place, one in enumerate(found) if place < _MOST_IMPORTS or one[0] == filters.source]
    # The images of a campaign are found by their import, because few have none where others have one.
    if shown and campaign.images.filter(batch=None).exists():
        shown.append((NO_IMPORT, gettext("photos that no import brought")))
    return shown


def _raters(campaign: Campaign, filters: Filters) -> list[Rater]:
    answers = Annotation.objects.filter(campaign=campaign, annotator=OuterRef("pk")).order_by()
    rows = User.objects.filter(Exists(answers)).order_by("username").values_list("pk", "username", "is_simulated")
    out = set(filters.left_out)
    found = [Rater(pk, name, simulated, pk in out) for pk, name, simulated in rows]
    # All of those that are left out, so that they can be let in again.
    return [rater for place, rater in enumerate(found) if place <= _MOST_ANNOTATORS or rater.is_out]


def _periods(version: ModelVersion, filters: Filters, today: date) -> Iterator[Period]:
    for days in _PERIODS:
        chosen = replace(filters, since=today - timedelta(days=days - 1), until=None)
        yield Period(gettext("%(days)s days") % {"days": days}, chosen.query(version=version.number), chosen == filters)


def _chips(version: ModelVersion, filters: Filters, imports: dict[int, str], names: dict[int, str]) -> Iterator[Chip]:
    """Yield the filters that are set, in the order of the bar."""

    def chip(words: str, **without: Any) -> Chip:
        return Chip(str(words), replace(filters, **without).query(version=version.number))

    if filters.split == ALL:
        yield chip(gettext("all rated photos"), split=HOLDOUT)
    if filters.source is not None:
        yield chip(
            gettext("import %(name)s") % {"name": imports[filters.source]} if filters.source else imports[NO_IMPORT],
            source=None,
        )
    if filters.since and filters.until:
        yield chip(
            gettext("votes from %(since)s to %(until)s") % {"since": _day(filters.since), "until": _day(filters.until)},
            since=None,
            until=None,
        )
    elif filters.since:
        yield chip(gettext("votes from %(since)s on") % {"since": _day(filters.since)}, since=None)
    elif filters.until:
        yield chip(gettext("votes up to %(until)s") % {"until": _day(filters.until)}, until=None)
    if filters.annotators != ALL:
        yield chip(_WHOSE[filters.annotators], annotators=ALL)
    for annotator in filters.left_out:
        rest = tuple(one for one in filters.left_out if one != annotator)
        yield chip(gettext("without %(name)s") % {"name": names[annotator]}, left_out=rest)


def _day(day: date) -> str:
    return date_format(day, "j M Y")
