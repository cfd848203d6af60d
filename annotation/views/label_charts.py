"""Charts and tables of the label analysis, for the votes of a campaign and for those of one import."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from annotation.drawing.axis import Tick, axis_end
from annotation.drawing.columns import Series, columns
from annotation.drawing.svg import Svg
from annotation.measures import label_analysis
from annotation.measures.intervals import wilson_interval
from annotation.measures.label_analysis import ClassShare
from annotation.models import Campaign
from annotation.selectors.campaign_quality import LabelCounts
from annotation.selectors.vote_summaries import VoteSummary


def campaign_labels(campaign: Campaign, counted: LabelCounts) -> dict[str, Any]:
    """Return what the label analysis of a campaign's own votes shows."""
    classes = [
        (gettext("rejected"), counted.rejected),
        (gettext("pending"), counted.pending),
        (gettext("accepted"), counted.accepted),
    ]
    watch = [(gettext("watch"), counted.watch), (gettext("no watch"), counted.no_watch)]
    tables = [(gettext("Quality classes"), classes)] + (
        [(gettext("Watch labels"), watch)] if counted.watch + counted.no_watch else []
    )
    scores = [str(score) for score in campaign.scores]
    return {
        "undecided": counted.undecided,
        "limits": (campaign.reject_at, campaign.pending_at),
        **_middle(counted.in_middle, sum(counted.photos), campaign.scale_min, campaign.scale_max),
        **_distributions(scores, counted.votes, counted.photos),
        "class_tables": [_class_table(name, label_analysis.balanced(counts)) for name, counts in tables],
    }


def imported_labels(summary: VoteSummary) -> dict[str, Any]:
    """Return what the label analysis of one import of votes shows."""
    tables = []
    if summary.rated:
        classes = [
            (gettext("rejected"), summary.rejected),
            (gettext("pending"), summary.pending),
            (gettext("accepted"), summary.accepted),
        ]
        tables.append((gettext("Quality classes"), classes))
    labelled = summary.watch + summary.no_watch
    if labelled:
        tables.append(
            (gettext("Watch labels"), [(gettext("watch"), summary.watch), (gettext("no watch"), summary.no_watch)])
        )
    return {
        "undecided": summary.undecided or None if labelled else None,
        "watch_share": wilson_interval(summary.watch, labelled) if labelled and not summary.rated else None,
        "labelled": labelled,
        "limits": summary.limits,
        **_middle(summary.in_middle, summary.rated, *summary.scale),
        **_distributions(summary.bins, summary.counts, summary.means),
        "class_tables": [_class_table(name, label_analysis.balanced(counts)) for name, counts in tables],
    }


def _middle(inside: int, photos: int, lowest: int, highest: int) -> dict[str, Any]:
    return {
        "photos": photos,
        "in_middle": inside,
        "middle": label_analysis.share_in_middle(inside, photos),
        "middle_ends": label_analysis.middle_of(lowest, highest),
        "middle_share": label_analysis.MIDDLE,
    }


def _distributions(bins: Sequence[str], votes: Sequence[int] | None, photos: Sequence[int]) -> dict[str, Any]:
    """Return charts and rows of votes by score, if they are known, and of photos by MOS."""
    known: Sequence[int | None] = votes or [None] * len(bins)
    return {
        "score_rows": list(zip(bins, known, photos, strict=True)),
        "score_drawing": _shares_drawing(gettext("Votes by score"), bins, [votes], gettext("score of a vote"))
        if votes
        else "",
        "score_votes": sum(votes) if votes else None,
        "mos_drawing": _shares_drawing(gettext("Photos by MOS"), bins, [photos], gettext("MOS, rounded"))
        if any(photos)
        else "",
    }


def _class_table(name: str, classes: Sequence[ClassShare]) -> tuple[str, Sequence[ClassShare], Svg]:
    return name, classes, _class_drawing(name, classes)


def _class_drawing(name: str, classes: Sequence[ClassShare]) -> Svg:
    shares = [[one.share for one in classes], [one.balanced_share for one in classes]]
    return _shares_drawing(
        gettext("%(name)s, share of photos before and after balancing") % {"name": name},
        [one.name for one in classes],
        shares,
        "",
    )


def _shares_drawing(name: str, labels: Sequence[str], counts: Sequence[Sequence[float]], axis: str) -> Svg:
    """Draw one series of counts, or two beside each other, in percent of their sum."""
    percents = [[100 * count / max(sum(one), 1e-12) for count in one] for one in counts]
    end = min(axis_end(max(max(one) for one in percents)), 100.0)
    titles = [_title(label, [one[place] for one in percents]) for place, label in enumerate(labels)]
    return columns(
        name=gettext("%(name)s; the table has the numbers") % {"name": name},
        series=[Series(kind, one) for kind, one in zip(("people", "others"), percents, strict=False)],
        end=end,
        labels=labels,
        ticks=[Tick(end * part, f"{end * part:g} %") for part in (0, 0.5, 1)],
        titles=titles,
        axis_label=axis,
        beside=len(counts) > 1,
        height=140,
    )


def _title(label: str, percents: Sequence[float]) -> str:
    """Return for example 'rejected: 20 %', or with the share after balancing 'rejected: 20 %, then 33 %'."""
    first, *after = (f"{one:.0f}" for one in percents)
    if not after:
        return f"{label}: {first} %"
    return gettext("%(label)s: %(first)s %%, then %(second)s %%") % {
        "label": label,
        "first": first,
        "second": after[0],
    }
