"""The export page: everything that can leave a campaign, in every format, for its reviewers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.exchange import records
from annotation.exchange.format import Format
from annotation.exchange.reading import VoteReader
from annotation.exchange.registry import formats_of
from annotation.language.lazy import gettext_lazy
from annotation.models import AnnotatorStatistics, AuditRecord, Campaign, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.selectors.export import (
    annotation_records,
    annotator_records,
    consensus_records,
    histogram_records,
    vote_records,
    watch_records,
)
from annotation.services.counts import EXPORT_ROWS, counts_of
from annotation.services.kept_counts import KeptCounts
from annotation.tasks import counts_announce
from annotation.token_auth import token_allowed
from annotation.views.downloads import table_download
from inference.gallery.decisions_table import decision_records
from inference.gallery.predictions_table import prediction_records
from inference.gallery.query import GalleryQuery
from inference.gallery.table import gallery_records
from inference.gallery.tasks_table import task_records
from inference.selectors import champion
from training.models import VersionExport

Rows = Callable[[Campaign, User], Iterator[Any]]


@dataclass(frozen=True)
class Export:
    """One table of a campaign."""

    title: str
    content: str
    """What a row is, and what is in it."""
    audience: str
    """For whom or which program it is."""
    rows: Rows
    record: type[Any]
    bytes_per_row: int
    """Of the CSV or text, measured on the demo campaign; for an estimate of the size."""
    count: str
    """Which of `_counts` says how many rows there are."""


def _photos(campaign: Campaign, user: User) -> Iterator[Any]:
    hidden = predictions_hidden(campaign, user)
    return gallery_records(campaign, champion(campaign), GalleryQuery(), hidden)


def _predictions(campaign: Campaign, user: User) -> Iterator[Any]:
    return prediction_records(campaign, hidden=predictions_hidden(campaign, user))


def _decisions(campaign: Campaign, user: User) -> Iterator[Any]:
    return decision_records(campaign, predictions_hidden(campaign, user))


def _tasks(campaign: Campaign, user: User) -> Iterator[Any]:
    hidden = set(predictions_hidden(campaign, user).values_list("image__sha256", flat=True))
    for task in task_records(campaign, str):
        yield task._replace(predictions=()) if task.sha256 in hidden else task


EXPORTS = (
    Export(
        gettext_lazy("Answers"),
        gettext_lazy(
            "Every answer and skip in the order it was given, also those that were corrected later, with time "
            "and device."
        ),
        gettext_lazy("For an archive, and for your own analysis. Nothing is summed up."),
        lambda campaign, _: annotation_records(campaign),
        records.AnnotationRecord,
        210,
        "answers",
    ),
    Export(
        gettext_lazy("Votes"),
        gettext_lazy(
            "One row per vote that was given without seeing a prediction: annotator, photo, score, watch label, time."
        ),
        gettext_lazy(
            "For programs for subjective quality, and for another campaign of IQS, which can import it again."
        ),
        lambda campaign, _: vote_records(campaign),
        records.VoteRecord,
        80,
        "answers",
    ),
    Export(
        gettext_lazy("Consensus"),
        gettext_lazy(
            "One row per photo with votes: MOS with its interval, corrected MOS, watch label, decision of a reviewer."
        ),
        gettext_lazy("For whoever needs one result per photo."),
        lambda campaign, _: consensus_records(campaign),
        records.ConsensusRecord,
        260,
        "rated",
    ),
    Export(
        gettext_lazy("Histograms"),
        gettext_lazy("One row per photo with votes: how often each score was given."),
        gettext_lazy(
            "For training elsewhere. AVA and KonIQ-10k are formats of these data sets, for 1 to 10 and for 1 to 5."
        ),
        lambda campaign, _: histogram_records(campaign),
        records.HistogramRecord,
        60,
        "rated",
    ),
    Export(
        gettext_lazy("Watch labels"),
        gettext_lazy("One row per photo: whether most people who were asked said that it shows a watch."),
        gettext_lazy("For training elsewhere, where only the label counts."),
        lambda campaign, _: watch_records(campaign),
        records.WatchRecord,
        30,
        "rated",
    ),
    Export(
        gettext_lazy("Photos"),
        gettext_lazy("One row per photo: predictions of the champion, distortions, MOS and number of votes."),
        gettext_lazy("For sorting in a spreadsheet."),
        _photos,
        records.PhotoRecord,
        240,
        "photos",
    ),
    Export(
        gettext_lazy("Predictions"),
        gettext_lazy("One row per photo and model version, with the whole distribution of the scores."),
        gettext_lazy("For comparing models."),
        _predictions,
        records.PredictionRecord,
        420,
        "predictions",
    ),
    Export(
        gettext_lazy("Decisions"),
        gettext_lazy(
            "One row per photo: class, score with its interval, watch label, and whether people, the model, both or "
            "nobody said so."
        ),
        gettext_lazy("For whoever needs a label of every photo, with a stated error of the model."),
        _decisions,
        records.DecisionRecord,
        170,
        "photos",
    ),
    Export(
        gettext_lazy("Annotators"),
        gettext_lazy("One row per annotator with votes: bias, gain, noise, and how well they label watches."),
        gettext_lazy("For a report about the panel. It names people."),
        lambda campaign, _: annotator_records(campaign),
        records.AnnotatorRecord,
        150,
        "annotators",
    ),
    Export(
        gettext_lazy("Tasks"),
        gettext_lazy("One task per photo with its votes, and with the predictions of each model version."),
        gettext_lazy("For Label Studio, to go on there."),
        _tasks,
        records.TaskRecord,
        900,
        "photos",
    ),
)


@dataclass(frozen=True)
class Offer:
    """An export as the page shows it."""

    export: Export
    formats: list[Format[Any]]
    rows: int | None
    """None before a worker has counted them, in a large campaign."""

    @property
    def bytes(self) -> int:
        """Return about how large the CSV is; 0 if that is unknown."""
        return (self.rows or 0) * self.export.bytes_per_row

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to download."""
        return self.rows == 0


@require_safe
@campaign_view(Role.REVIEWER)
def exports(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show every export with its formats, its audience and about how large it is."""
    kept = counts_of(campaign)
    counts = _counts(campaign, kept)
    counts_announce(kept)
    offers = [
        Offer(one, [form for form in formats_of(one.record) if _fits(form, campaign)], counts[one.count])
        for one in EXPORTS
    ]
    bundles = VersionExport.objects.filter(version__campaign=campaign).exclude(made_at=None).select_related("version")
    context = {
        "campaign": campaign,
        "offers": offers,
        "bundles": [one for one in bundles.order_by("-version__number") if one.path.exists()],
        "counts": counts,
        "counted_at": kept.counted_at,
    }
    return render(request, "training/exports.html", context)


@token_allowed
@require_safe
@campaign_view(Role.REVIEWER)
def export_download(request: HttpRequest, campaign: Campaign, name: str) -> HttpResponseBase:
    """Stream one table in one format of the registry; with `?excel=1` marked for Excel."""
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    for one in EXPORTS:
        for form in formats_of(one.record):
            if form.name != name:
                continue
            scale = _own_scale(form)
            if scale and not _fits(form, campaign):
                raise Http404(
                    gettext("%(label)s has the scale %(scale)s to %(scale_2)s, and this campaign has another one.")
                    % {"label": form.label, "scale": scale[0], "scale_2": scale[1]}
                )
            return table_download(
                request,
                format_name=name,
                rows=one.rows(campaign, request.user),
                file_name=f"{campaign.slug}-{one.title.lower()}{f'-{name}' if scale else ''}",
                campaign=campaign,
            )
    raise Http404(gettext("There is no such export."))


def _own_scale(form: Format[Any]) -> tuple[int, int] | None:
    """Return the scale that every file of a format has; None if it is that of the campaign."""
    return form.file_scale if isinstance(form, VoteReader) else None


def _fits(form: Format[Any], campaign: Campaign) -> bool:
    return _own_scale(form) in {None, (campaign.scale_min, campaign.scale_max)}


def _counts(campaign: Campaign, kept: KeptCounts) -> dict[str, int | None]:
    """Return how many rows the exports have, most of them exactly; None before a worker has counted (seven queries)."""
    rows = kept.get(EXPORT_ROWS)
    return {
        "answers": rows.answers if rows else None,
        "photos": rows.photos if rows else None,
        "rated": rows.rated if rows else None,
        "annotators": AnnotatorStatistics.objects.filter(campaign=campaign).count(),
        # At most: counting them takes seconds.
        "predictions": rows.photos * campaign.model_versions.count() if rows else None,
        "audit": AuditRecord.objects.filter(campaign=campaign).count(),
    }
