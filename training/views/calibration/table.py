"""The compared photos of the calibration page as a CSV file."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.exchange.rows import csv_pieces
from annotation.measures import opinion
from annotation.measures.distribution import score_quantile
from annotation.measures.vote_variance import vote_variance
from annotation.models import AuditKind, Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.services.audit import audit_record
from annotation.views.downloads import EXCEL
from training.evaluation.comparison import Comparison
from training.selectors.comparison import compare_chosen
from training.views.calibration.choice import filters_of, version_of
from training.views.calibration.filter_bar import filter_bar

# Of single votes, as the model predicts them: 90 % are between.
_LOW, _HIGH = 0.05, 0.95


class ComparedRow(NamedTuple):
    """One compared photo. What the model says is empty where it is hidden from the reviewer."""

    image: int
    file: str
    """File name at import."""
    votes: int
    mos: float
    mos_low: float
    """95 % interval of the MOS."""
    mos_high: float
    predicted_mean: float | None
    predicted_vote_low: int | None
    """90 % of single votes are predicted from here …"""
    predicted_vote_high: int | None
    """… to here."""
    watch_majority: str
    """yes, no, or empty without a majority."""
    watch_probability: float | None


@require_safe
@campaign_view(Role.REVIEWER)
def calibration_csv(request: HttpRequest, campaign: Campaign) -> StreamingHttpResponse:
    """Send the photos that the page compares with these filters, and record the export.

    With `?excel=1` the file begins with a byte order mark, so that Excel reads its letters correctly.
    """
    version = version_of(list(campaign.model_versions.all()), request.GET.get("version", ""))
    filters = filters_of(request.GET)
    if version is None:
        raise Http404(gettext("This campaign has no model version."))
    filter_bar(campaign, version, filters)  # refuses imports and annotators of other campaigns
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    hidden = {row["image_id"] for row in predictions_hidden(campaign, request.user)}
    rows = compared_rows(compare_chosen(campaign, version, filters), hidden)
    name = f"{campaign.slug}-calibration-v{version.number}.csv"
    audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=name)
    pieces = csv_pieces(ComparedRow._fields, rows, byte_order_mark=bool(request.GET.get(EXCEL)))
    return StreamingHttpResponse(
        (piece.encode() for piece in pieces),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def compared_rows(comparison: Comparison, hidden: Collection[int]) -> Iterator[ComparedRow]:
    """Yield a row for each compared photo, by id; the `hidden` ones without prediction."""
    mos = comparison.mos
    lows, highs = opinion.mos_interval(comparison.histograms, comparison.lowest, vote_variance(comparison.histograms))
    votes, decided, watches = comparison.vote_counts, comparison.has_majority, comparison.is_watch
    first, last = (comparison.lowest + score_quantile(comparison.distribution, share) for share in (_LOW, _HIGH))
    for row, image_id in enumerate(comparison.image_ids.tolist()):
        is_shown = image_id not in hidden
        yield ComparedRow(
            image=image_id,
            file=comparison.names[row],
            votes=int(votes[row]),
            mos=float(mos[row]),
            mos_low=float(lows[row]),
            mos_high=float(highs[row]),
            predicted_mean=float(comparison.quality_mean[row]) if is_shown else None,
            predicted_vote_low=int(first[row]) if is_shown else None,
            predicted_vote_high=int(last[row]) if is_shown else None,
            watch_majority=("yes" if watches[row] else "no") if decided[row] else "",
            watch_probability=float(comparison.watch_probability[row]) if is_shown else None,
        )
