"""The page Campaign quality: how well people agree, and what the labels are like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.measures.agreement.ceiling import FEWEST_PHOTOS
from annotation.measures.agreement.ranks import FEWEST_ANNOTATORS, FEWEST_COMMON
from annotation.measures.agreement.report import AgreementReport, WeekAgreement
from annotation.measures.intervals import Interval
from annotation.models import Campaign, Role, StoredFigures
from annotation.views.label_charts import campaign_labels
from annotation.views.stored_figures import figures_for_page

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Figure:
    """One row of the table of agreement."""

    name: str
    value: Interval
    of: str
    """What `value.n` counts."""
    needs: str
    """What is missing when there is no value."""
    meaning: str

    @property
    def is_known(self) -> bool:
        """Return whether there is a value."""
        return not np.isnan(self.value.value)

    @property
    def has_interval(self) -> bool:
        """Return whether the value has an interval."""
        return not np.isnan(self.value.low)


@require_safe
@campaign_view(Role.REVIEWER)
def campaign_quality(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show agreement, agreement by week, and the distribution of labels, as they are stored."""
    stored = figures_for_page(campaign, StoredFigures.Kind.AGREEMENT)
    found = stored.value
    context: dict[str, Any] = {"campaign": campaign, "stored": stored}
    if found is None:
        return render(request, "annotation/campaign_quality.html", context)
    context |= {"vote_count": sum(found.counted.votes), "counted": found.counted}
    if found.report is not None:
        context |= {
            "report": found.report,
            "agreement_title": _agreement_title(found.report),
            "figures": _figures(found.report, found.retest),
            "all_photos": found.all_photos,
            "drawn_photos": found.drawn_photos,
            "weeks": [(_EPOCH + timedelta(days=one.week), one) for one in found.weeks],
            "weeks_drawing": _weeks_drawing(found.weeks) if len(found.weeks) > 1 else "",
            "fewest_photos": FEWEST_PHOTOS,
            "fewest_annotators": FEWEST_ANNOTATORS,
        }
        context |= campaign_labels(campaign, found.counted)
    return render(request, "annotation/campaign_quality.html", context)


def _agreement_title(report: AgreementReport) -> str:
    if not report.is_enough:
        return gettext("Not enough votes to tell how well people agree")
    value = report.ceiling.value
    if not report.ceiling.is_known:
        return gettext("Agreement cannot be measured: all votes are equal")
    return gettext(
        "A perfect model would reach a correlation of %(value)s (%(low)s–%(high)s) with the MOS of these votes"
    ) % {"value": f"{value.value:.2f}", "low": f"{value.low:.2f}", "high": f"{value.high:.2f}"}


def _figures(report: AgreementReport, retest: Interval) -> list[Figure]:
    photos, needs = (
        gettext("photos"),
        gettext("needs %(fewest_photos)s photos with two votes") % {"fewest_photos": FEWEST_PHOTOS},
    )
    form = report.ceiling.form
    return [
        Figure(
            gettext("Krippendorff's alpha, scores as points"),
            report.alpha,
            photos,
            needs,
            gettext("1: all votes on a photo are equal. 0: votes differ as much as votes on different photos."),
        ),
        Figure(
            gettext("Krippendorff's alpha, scores as ranks"),
            report.alpha_ordinal,
            photos,
            needs,
            gettext("As above, for ranks."),
        ),
        Figure(
            gettext("Krippendorff's alpha, watch labels"),
            report.alpha_watch,
            photos,
            gettext("needs %(fewest_photos)s photos with two labels that differ between photos")
            % {"fewest_photos": FEWEST_PHOTOS},
            gettext("As above, for watch or no watch. ‘Unsure’ counts as no answer."),
        ),
        Figure(
            gettext("Reliability of one vote, %(label)s") % {"label": gettext(form.label)},
            report.ceiling.icc,
            photos,
            needs,
            gettext("The share of a vote's variance that is due to the photo. The form fits because %(reason)s.")
            % {"reason": gettext(form.reason)},
        ),
        Figure(
            gettext("Ceiling √rₖ, %(label)s") % {"label": gettext(form.label)},
            report.ceiling.value,
            photos,
            needs,
            gettext("The correlation with the MOS that a perfect model would reach."),
        ),
        Figure(
            gettext("Split-half SRCC"),
            report.split_half,
            photos,
            needs,
            gettext("How alike two random halves of the people rank photos. Mean of ten splits."),
        ),
        Figure(
            gettext("Reliability of the MOS from halves"),
            report.all_votes,
            photos,
            needs,
            gettext("By Spearman and Brown, for all votes together. Its root is another estimate of the ceiling."),
        ),
        Figure(
            gettext("Two annotators, SRCC"),
            report.pairs,
            gettext("pairs"),
            gettext("needs two people with %(fewest_common)s common photos") % {"fewest_common": FEWEST_COMMON},
            gettext("Median over pairs of annotators."),
        ),
        Figure(
            gettext("One annotator and the others, SRCC"),
            report.against_others,
            gettext("annotators"),
            gettext("needs a person with %(fewest_common)s photos that others rated")
            % {"fewest_common": FEWEST_COMMON},
            gettext("Median over annotators, each against the mean of all others."),
        ),
        Figure(
            gettext("The same annotator again, SRCC"),
            retest,
            gettext("repeats"),
            gettext("needs %(fewest_common)s hidden repeats") % {"fewest_common": FEWEST_COMMON},
            gettext("Both answers of one person to the same photo, less the person's own mean."),
        ),
    ]


def _weeks_drawing(weeks: Sequence[WeekAgreement]) -> Svg:
    """Draw alpha and its interval over the weeks."""
    xs = [float(one.week) for one in weeks]
    ends = [[one.alpha.value for one in weeks], [one.alpha.low for one in weeks], [one.alpha.high for one in weeks]]
    low, high = min(0.0, *ends[1]), 1.0
    every = -(-len(weeks) // 4)
    return lines(
        name=gettext("Krippendorff's alpha by week, with its interval; the table has the numbers"),
        lines=[Line("validation", xs, ends[0]), Line("train", xs, ends[1]), Line("train", xs, ends[2])],
        x_range=(xs[0] - 3, xs[-1] + 3),
        y_range=(low, high),
        x_ticks=[Tick(x, _day_text(int(x))) for x in xs[::every]],
        y_ticks=round_ticks(low, high, at_most=5),
        x_label=gettext("week of a photo's last vote"),
        height=140,
    )


def _day_text(number: int) -> str:
    day = _EPOCH + timedelta(days=number)
    return f"{day.day} {day:%b}"
