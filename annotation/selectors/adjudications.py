"""Photos on which the annotators disagree most, for reviewers, and what a reviewer may see of them before deciding."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Case, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.utils.translation import gettext

from annotation.models import (
    LIVE,
    QUEUED,
    Adjudication,
    Annotation,
    Assignment,
    Campaign,
    ConsensusFit,
    Image,
    PhotoConsensus,
    User,
)

# A figure is a reason when it is this many times the campaign's median.
_WIDE, _SCATTERED = 1.25, 1.5
# The probability of the likelier watch label is a reason below this value.
_UNCERTAIN = 0.8
# The share of the watch label that more annotators gave is a reason below this value: a tie or nearly. Where people
# agree about the other photos, the model of Dawid and Skene is sure even about a tie.
_SPLIT = 0.6
_FEWEST_VOTES = 2
# A worker stores the ids of this many disputed photos of a large campaign; a page shows fewer of them.
_FIRST = 500
# Where most photos have no disagreement at all, any disagreement is this many times the usual one.
_MORE_THAN_NONE = 2.0


class _Median(Aggregate):
    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Disputed:
    """A photo to decide about."""

    image: Image
    consensus: PhotoConsensus
    reasons: list[str]
    """Why it is here, as phrases for people, the strongest first."""
    is_blind: bool
    """The reviewer gets no prediction of it before the own answer."""


def usual_disagreement(campaign: Campaign) -> dict[str, float]:
    """Return the campaign's median SOS and median half width of the MOS interval, over photos with two votes or more.

    One query over all photos with votes, so a fit stores the result (`ConsensusFit.figures`).
    """
    rows = PhotoConsensus.objects.filter(campaign=campaign, votes__gte=_FEWEST_VOTES)
    found = rows.aggregate(median_sos=_Median("sos"), median_half_width=_Median("half_width"))
    return {name: value or 0.0 for name, value in found.items()}


def disputed_rows(campaign: Campaign, *, with_sent: bool = False) -> QuerySet[PhotoConsensus]:
    """Return the stored consensus on the disputed photos, with the four strengths of their reasons and the greatest.

    These are photos in the queue that have all their votes, at least two, and no decision. The reasons: votes that
    scatter or a wide interval of the MOS, compared with the campaign, an uncertain watch label, or a tie of the
    labels. A strength is 1 at its limit, so that different reasons compare. One query now, for the newest fit.

    `with_sent`: also photos that were sent for more votes and still wait for some of them.
    """
    figures = ConsensusFit.objects.filter(campaign=campaign).order_by("-id").values_list("figures", flat=True).first()
    usual = figures if figures and "median_sos" in figures else usual_disagreement(campaign)
    likelier = Greatest(F("watch_posterior"), 1.0 - F("watch_posterior"))
    share = Cast("watch_yes", FloatField()) / Greatest(F("watch_votes"), 1)
    fewer = Case(When(watch_votes__gt=0, then=Least(share, 1.0 - share)), default=0.0, output_field=FloatField())
    is_complete = Q(vote_count__gte=F("votes_needed"))
    complete = is_complete | Q(extra_votes__gt=0) if with_sent else is_complete
    waiting = Image.objects.filter(LIVE, QUEUED, complete, campaign=campaign)
    rows: QuerySet[PhotoConsensus, Any] = PhotoConsensus.objects.filter(
        campaign=campaign, votes__gte=_FEWEST_VOTES, image__in=waiting
    )
    rows = rows.filter(~Exists(Adjudication.objects.filter(image=OuterRef("image"), undone_at=None)))
    strengths: dict[str, Any] = {
        "scatter": _times_usual("sos", usual["median_sos"], _SCATTERED),
        "width": _times_usual("half_width", usual["median_half_width"], _WIDE),
        "doubt": Coalesce((1.0 - likelier) / (1 - _UNCERTAIN), 0.0, output_field=FloatField()),
        "tie": fewer / (1 - _SPLIT),
    }
    with_strength: Any = rows.annotate(**strengths).annotate(strength=Greatest(*strengths))
    found: QuerySet[PhotoConsensus, Any] = with_strength.filter(strength__gt=1.0)
    return found


def disputed_counts(campaigns: Collection[Campaign]) -> dict[int, int]:
    """Return {campaign id: number of disputed photos}, the same as `disputed_rows`, without zeros (two queries).

    A campaign whose newest fit did not store the usual disagreement is left out until the next fit. Pages do not count
    in large campaigns: `annotation.services.counts.disputed_of`.
    """
    fits = ConsensusFit.objects.filter(campaign__in=campaigns)
    newest = fits.order_by("campaign_id", "-id").distinct("campaign_id")
    usual = {fit.campaign_id: fit.figures for fit in newest if "median_sos" in fit.figures}
    return _disputed_counted(usual) if usual else {}


def _disputed_counted(usual: dict[int, dict[str, float]]) -> dict[int, int]:
    """Return {campaign id: number of disputed photos} from the usual disagreement of each campaign (one query)."""

    def limit(name: str, factor: float) -> Case:
        cases = (When(campaign=pk, then=Value(max(figures[name], 0.0) * factor)) for pk, figures in usual.items())
        return Case(*cases, output_field=FloatField())

    share = Cast("watch_yes", FloatField()) / Greatest(F("watch_votes"), 1)
    waiting = Image.objects.filter(LIVE, QUEUED, campaign__in=list(usual), vote_count__gte=F("votes_needed"))
    rows = PhotoConsensus.objects.filter(campaign__in=list(usual), votes__gte=_FEWEST_VOTES, image__in=waiting)
    rows = rows.filter(~Exists(Adjudication.objects.filter(image=OuterRef("image"), undone_at=None)))
    rows = rows.alias(fewer=Least(share, 1.0 - share)).filter(
        Q(sos__gt=limit("median_sos", _SCATTERED))
        | Q(half_width__gt=limit("median_half_width", _WIDE))
        | Q(watch_posterior__gt=1 - _UNCERTAIN, watch_posterior__lt=_UNCERTAIN)
        | Q(watch_votes__gt=0, fewer__gt=1 - _SPLIT)
    )
    return dict(rows.order_by().values_list("campaign_id").annotate(Count("pk")))


@dataclass(frozen=True)
class DisputedPhotos:
    """The disputed photos of a large campaign at a certain time."""

    count: int
    first: list[int]
    """Ids of the photos with the strongest reasons, the strongest first."""


def disputed_photos(campaign: Campaign) -> DisputedPhotos:
    """Return the disputed photos of now (three queries, which read the consensus on all photos)."""
    rows: Any = disputed_rows(campaign)  # mypy does not know fields of annotations
    first = rows.order_by("-strength", "pk").values_list("image_id", flat=True)[:_FIRST]
    return DisputedPhotos(disputed_counts([campaign]).get(campaign.pk, 0), list(first))


def photos_disputed(
    campaign: Campaign, *, limit: int, viewer: User | None = None, among: DisputedPhotos | None = None
) -> tuple[int, list[Disputed]]:
    """Return how many photos are disputed, and the first `limit` of them, the strongest reason first (three queries).

    With `viewer`, a reviewer, each says whether its predictions are hidden from that person. With `among`, the count is
    of that time, and only those of its first photos are read that are still disputed.
    """
    rows = disputed_rows(campaign)
    if among is not None:
        rows = rows.filter(image__in=among.first)
    by_strength: Any = rows.select_related("image")
    shown = by_strength.order_by("-strength", "pk")  # mypy does not know fields of annotations
    if viewer is not None:
        shown = shown.annotate(is_answered=_is_answered(viewer))
    found = list(shown[:limit])
    count = len(found)
    if among is not None:
        count = max(among.count, count)
    elif count == limit:
        count = rows.count()
    return count, [Disputed(row.image, row, _reasons(row), not getattr(row, "is_answered", True)) for row in found]


def predictions_hidden(campaign: Campaign, viewer: User) -> QuerySet[PhotoConsensus, Any]:
    """Return the ids of the disputed photos whose predictions are hidden from a reviewer (one query now).

    They are hidden until the person has answered: with a blind answer as annotator, or with a decision. A photo that
    was sent for more votes stays hidden while it waits for them, because it may come back for a decision.
    """
    return disputed_rows(campaign, with_sent=True).filter(~_is_answered(viewer)).values("image_id")


def is_prediction_hidden(image: Image, viewer: User) -> bool:
    """Return whether the predictions of a photo are hidden from a reviewer (two queries)."""
    return predictions_hidden(image.campaign, viewer).filter(image=image).exists()


def may_have_seen(image: Image, viewer: User) -> bool:
    """Return whether a reviewer has, or may have, seen a prediction of the photo (up to four queries).

    The site does not record which predictions a page showed before the photo was disputed.
    """
    own = {"image": image, "annotator": viewer, "saw_prediction": True}
    if Assignment.objects.filter(**own).exists() or Annotation.objects.filter(**own).exists():
        return True
    return not is_prediction_hidden(image, viewer)


def adjudication_of(image: Image) -> Adjudication | None:
    """Return the decision that counts (one query)."""
    return Adjudication.objects.filter(image=image, undone_at=None).select_related("reviewer").first()


def blind_decision_before(decision: Adjudication) -> Adjudication | None:
    """Return the reviewer's newest blind decision about the same photo before this one (one query)."""
    earlier = Adjudication.objects.filter(image=decision.image_id, reviewer=decision.reviewer_id, pk__lt=decision.pk)
    return earlier.filter(saw_prediction=False).first()


def _is_answered(viewer: User) -> Q:
    """Return the condition on rows with an `image` that the person has answered the photo."""
    votes = Annotation.objects.filter(image=OuterRef("image"), annotator=viewer).blind_votes().order_by()
    decisions = Adjudication.objects.filter(image=OuterRef("image"), reviewer=viewer)
    return Q(Exists(votes)) | Q(Exists(decisions))


def _times_usual(field: str, median: float, limit: float) -> Any:
    if median > 0:
        return Coalesce(F(field) / Value(median * limit), 0.0, output_field=FloatField())
    more = When(**{f"{field}__gt": 0.0}, then=Value(_MORE_THAN_NONE / limit))
    return Case(more, default=0.0, output_field=FloatField())


def _reasons(row: Any) -> list[str]:
    found = []
    if row.sos is not None:
        found.append((row.scatter, gettext("votes scatter (SOS\u00a0%(sos)s)") % {"sos": f"{row.sos:.1f}"}))
    if row.half_width is not None:
        found.append((row.width, gettext("wide interval: MOS ±\u00a0%(points)s") % {"points": f"{row.half_width:.1f}"}))
    if row.watch_posterior is not None:
        found.append((row.doubt, gettext("watch probability %(value)s") % {"value": f"{row.watch_posterior:.2f}"}))
    against = row.watch_votes - row.watch_yes
    found.append((row.tie, gettext("watch votes %(yes)s to %(no)s") % {"yes": row.watch_yes, "no": against}))
    return [text for strength, text in sorted(found, key=lambda one: -one[0]) if strength > 1]
