"""Figures of the calibration page: stored for each version and choice of filters, computed by a worker.

`annotation.services.figures_rows` says when they are computed. Filters can be combined in many ways, so rows that no
page has asked for in some time are deleted, and a campaign keeps only the newest of them.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from annotation.measures.votes import VoteTable
from annotation.models import Annotation, Campaign, User
from annotation.selectors.votes import simulated_among
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import Figures, FiguresMaker, claimed_row_make, row_make, row_request
from annotation.services.stored_figures import inputs_digest, vote_inputs
from inference.models import ModelVersion, Prediction
from inference.selectors import newest_prediction
from training.evaluation.calibration.filters import ALL, HOLDOUT, Filters
from training.evaluation.calibration.report import CalibrationFigures, calibration_figures
from training.models import StoredCalibration
from training.selectors.calibration_facts import photo_facts
from training.selectors.comparison import compare_chosen, scale_and_thresholds
from training.selectors.pool_facts import pool_facts
from training.selectors.snapshots import holdout_opinions

CLAIMS = Claims(StoredCalibration)

# With at most this many answers and predictions of the version, the page computes the figures itself.
FEW_ANSWERS, FEW_PREDICTIONS = 3_000, 50_000
# A row takes up to a megabyte.
MOST_ROWS = 60
_KEPT, _KEPT_WITHOUT_FILTERS = timedelta(days=3), timedelta(days=90)
_ASKED_EVERY = timedelta(hours=1)


class _Maker(FiguresMaker[StoredCalibration]):
    """Computes the figures of a row from the votes and predictions that its filters choose."""

    def kind(self, row: StoredCalibration) -> type[Any]:
        """Return the dataclass of the report."""
        return CalibrationFigures

    def inputs(self, row: StoredCalibration) -> str:
        """Return `inputs_of` the row's version and filters."""
        return inputs_of(row.campaign, row.version, Filters.from_json(row.filters))

    def is_quick(self, row: StoredCalibration) -> bool:
        """Return whether the campaign has few answers, and few predictions that its means are made of."""
        if Annotation.objects.filter(campaign=row.campaign_id)[FEW_ANSWERS:].exists():
            return False
        return not Prediction.objects.filter(model_version=row.version_id)[FEW_PREDICTIONS:].exists()

    def make(self, row: StoredCalibration, tell: Report) -> tuple[CalibrationFigures, VoteTable]:
        """Return the figures, and the chosen votes on photos with a prediction."""
        campaign, filters = row.campaign, Filters.from_json(row.filters)
        tell("reading votes and predictions", 0, 0)
        comparison = compare_chosen(campaign, row.version, filters)
        opinions = holdout_opinions(campaign) if filters.is_default else None
        figures = calibration_figures(
            comparison,
            photo_facts(comparison, row.version, seed=campaign.seed),
            fewest_votes=filters.fewest_votes,
            seed=campaign.seed,
            simulated=simulated_among(comparison.votes),
            is_random=filters.split == HOLDOUT,
            holdout=("", 0) if opinions is None else (opinions.fingerprint, opinions.vote_count),
            pool=None if opinions is None else pool_facts(campaign, row.version, opinions),
            tell=tell,
        )
        return figures, comparison.votes


_MAKER = _Maker()


def calibration_request(*, campaign: Campaign, version: ModelVersion, filters: Filters) -> Figures[StoredCalibration]:
    """Return the stored figures. Newer ones are queued, or computed at once in a campaign with few answers.

    The caller announces the task when `is_coming`. Six cheap queries when there is nothing to do, and two more for
    filters that depend on which annotators are simulated.
    """
    row = calibration_row(campaign=campaign, version=version, filters=filters)
    now = timezone.now()
    if row.asked_at < now - _ASKED_EVERY:
        StoredCalibration.objects.filter(pk=row.pk).update(asked_at=now)
    return row_request(row, _MAKER)


def calibration_row(*, campaign: Campaign, version: ModelVersion, filters: Filters) -> StoredCalibration:
    """Return the row of a version and filters, which is empty at first."""
    key = filters_key(filters)
    row, _ = StoredCalibration.objects.get_or_create(
        version=version, filters_key=key, defaults={"campaign": campaign, "filters": filters.as_json()}
    )
    row.campaign = version.campaign = campaign  # saves queries
    row.version = version
    return row


def calibration_stored(*, version: ModelVersion, filters: Filters) -> StoredCalibration | None:
    """Return the row of a version and filters as it is; None when no page has asked for it (one query)."""
    return StoredCalibration.objects.filter(version=version, filters_key=filters_key(filters)).first()


def calibration_make(*, row: StoredCalibration, report: Report | None = None) -> CalibrationFigures:
    """Compute the figures now, store and return them. `report`: called with each step."""
    figures: CalibrationFigures = row_make(row, _MAKER, report)
    return figures


def claimed_calibration_make(*, row: StoredCalibration) -> bool:
    """Compute the figures of a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    return claimed_row_make(row, _MAKER)


def filters_key(filters: Filters) -> str:
    """Return the SHA-256 of a choice of filters, the same for equal ones."""
    return hashlib.sha256(json.dumps(filters.as_json(), sort_keys=True).encode()).hexdigest()


def inputs_of(campaign: Campaign, version: ModelVersion, filters: Filters) -> str:
    """Return the SHA-256 of everything that changes the figures and is cheap to read (five queries or six).

    They are votes, decisions about annotators, special, withdrawn and reported photos, changes of splits, the version's
    predictions (neither they nor answers ever change, so the newest id is enough), how many photos were deleted or
    moved to another campaign with theirs, limits, thresholds and filters. Photos that were joined with near-duplicates
    in the same split are seen a day later.
    """
    version.campaign = campaign  # saves a query
    photos_gone = (Sum(f"campaign__photo_changes__{count}") for count in ("deleted", "moved"))
    parts: list[Any] = [
        filters.as_json(),
        [campaign.scale_min, campaign.scale_max, campaign.seed],
        [version.pk, str(scale_and_thresholds(version))],
        *vote_inputs(campaign),
        ModelVersion.objects.filter(pk=version.pk).values_list(newest_prediction(), *photos_gone).get(),
    ]
    if filters.annotators != ALL:
        parts.append(list(User.objects.filter(is_simulated=True).order_by("pk").values_list("pk", flat=True)))
    return inputs_digest(parts)


def calibrations_old_delete() -> int:
    """Delete rows that no page has asked for in some time, and all but the newest of a campaign. Return how many."""
    now = timezone.now()
    plain = filters_key(Filters())
    old = Q(asked_at__lt=now - _KEPT) & ~Q(filters_key=plain) | Q(asked_at__lt=now - _KEPT_WITHOUT_FILTERS)
    newest_first = Window(RowNumber(), partition_by=F("campaign"), order_by=[F("asked_at").desc(), F("pk").desc()])
    numbered = StoredCalibration.objects.annotate(place=newest_first).values("pk", "place")
    surplus = [row["pk"] for row in numbered if row["place"] > MOST_ROWS]
    rows = StoredCalibration.objects.filter(old | Q(pk__in=surplus)).exclude(state=StoredCalibration.State.RUNNING)
    return rows.delete()[0]
