"""The methods report of a campaign: what a paper or an audit must state about how opinion scores were collected.

It follows what ITU-T P.910 and ITU-R BT.500 ask a report to state, as far as the application records it. The figures
come from `annotation.selectors.methods`; this module puts them into sentences and writes Markdown.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.measures.agreement.ceiling import FEWEST_PHOTOS
from annotation.measures.agreement.report import ScoreAgreement
from annotation.measures.intervals import Interval
from annotation.measures.signs import minus
from annotation.measures.votes import VoteTable

TITLE = "Methods report"
NOT_RECORDED = (
    "Not recorded by the application, so state it yourself: how annotators were recruited and paid, their age and "
    "sight, the kind of display, its brightness and calibration, the light in the room, and the viewing distance."
)
SOURCES = (
    "The report lists what ITU-T P.910 and ITU-R BT.500 ask for, as far as the application records it. "
    "It is not a certificate that the campaign follows them."
)
INTERVALS = (
    "95 % interval of the MOS of n votes: MOS ± t(n − 1 + ν)·s/√n, with s² = ((n − 1)·SOS² + ν·s₀²)/(n − 1 + ν); "
    "s₀² and ν are estimated from all photos of the campaign (Smyth, 2004)"
)


@dataclass(frozen=True)
class MethodsFigures:
    """Everything that the report states. Shares lie in 0 … 1, times are in UTC, NaN is unknown."""

    campaign: str
    instructions: str
    lowest: int
    highest: int
    mode: str
    made_at: datetime
    first_at: datetime | None
    last_at: datetime | None
    """Of the counted votes."""

    people: int
    """Annotators with a counted vote."""
    simulated_people: int
    simulated_votes: int
    votes_a_person: tuple[float, int, int]
    """Median, smallest and largest number of counted votes of one annotator."""
    practice_photos: int

    photos: int
    """Rated photos without a problem."""
    rated_photos: int
    """Photos with a counted vote."""
    votes_a_photo: tuple[float, int, int]
    """Of the rated photos: median, smallest and largest."""
    holdout_share: float
    lane_shares: tuple[tuple[str, float], ...]
    """How the photos of the counted votes were chosen: name of the lane and share of the answered assignments."""
    repeat_share: float
    gold_share: float
    anchoring_share: float

    answers: int
    """All rows: answers and skips, corrections and repeats included."""
    withdrawn: int
    """Rows about withdrawn photos. The numbers below leave them out."""
    corrected: int
    skipped: int
    repeats: int
    exposed: int
    """Votes given after the annotator saw a prediction."""
    counted: int
    screened_people: int
    screened_votes: int
    weighted_people: int
    """Annotators whose counted votes have a weight below 1, by a reviewer's decision."""
    weighted_votes: int
    weights: tuple[float, float]
    """Lowest and highest weight of these votes."""

    viewing_votes: int
    """Counted votes whose viewing conditions were looked at: all, or an even part of many."""
    viewing_share: float
    """Share of these votes with recorded viewing conditions."""
    viewport: tuple[int, int] | None
    """Median width and height of the page, in CSS pixels."""
    shown: tuple[int, int] | None
    """Median width and height of the photo on the page, in CSS pixels."""
    pixel_ratios: str
    schemes: str
    inputs: str
    zoomed_share: float
    seconds: float | None
    """Median time from showing a photo to the answer."""

    mean_width: float
    """Mean width of the intervals, in points."""
    single_votes: int
    """Photos with one vote, whose interval rests on the variance of the campaign alone."""
    variance: float
    degrees: float
    sos_a: float
    agreement: ScoreAgreement
    corrected_at: datetime | None
    """When the newest fit of the panel model was made; None without one."""
    corrected_votes: int
    """Votes that this fit rests on."""
    bias_spread: float
    """Standard deviation of the annotators' biases, in points."""
    corrected_error: float
    """Mean standard error of the corrected MOS, in points."""
    moved_by_weights: float | None
    """Mean distance by which the weights have moved the corrected MOS, in points; None when the fit used none."""
    moved_by_weights_most: float | None
    """The largest one."""
    watch_pairs: float
    """Share of the pairs of votes on one photo that agree about the watch; unsure votes are left out."""
    fingerprint: str

    decisions: int = 0
    """Photos about which a reviewer decided."""
    exposed_decisions: int = 0
    """Those of them that were decided or changed when predictions were, or may have been, visible."""
    decisions_train: bool = False
    """Training uses decisions in place of the votes."""


@dataclass(frozen=True)
class Section:
    """One part of the report."""

    title: str
    rows: tuple[tuple[str, str], ...]
    quoted: str = ""
    """Text of the campaign's admin, word for word."""
    note: str = ""


def votes_fingerprint(votes: VoteTable) -> str:
    """Return the SHA-256 of the votes: answer id, photo id, annotator id, score, watch (1, 0, −1 for unsure) of each.

    The votes are in the order of the answer ids, and each value is a signed little-endian integer of 8 bytes. Two
    reports with the same fingerprint rest on the same votes. When the votes of some annotators count for a part, each
    row ends with the weight of the vote in millionths.
    """
    order = np.argsort(votes.annotation_ids)
    columns: list[NDArray[Any]] = [
        votes.annotation_ids,
        votes.image_ids,
        votes.annotator_ids,
        votes.scores,
        votes.watch,
    ]
    columns += [np.rint(1e6 * votes.weights)] if (votes.weights < 1).any() else []
    rows = np.stack([column[order].astype("<i8") for column in columns], axis=1)
    return hashlib.sha256(rows.tobytes()).hexdigest()


def sections(figures: MethodsFigures) -> list[Section]:
    """Return the report in words."""
    return [_task(figures), _people(figures), _photos(figures), _viewing(figures), _votes(figures), _results(figures)]


def markdown(figures: MethodsFigures) -> str:
    """Return the report as Markdown."""
    lines = [f"# {TITLE}: {_plain(figures.campaign)}", "", SOURCES, ""]
    lines += [f"* {_plain(name)}: {_plain(value)}" for name, value in head(figures)]
    for section in sections(figures):
        lines += ["", f"## {section.title}", ""]
        lines += [f"> {line}".rstrip() for line in section.quoted.splitlines()]
        lines += [""] if section.quoted else []
        lines += [f"* {_plain(name)}: {_plain(value)}" for name, value in section.rows]
        lines += ["", section.note] if section.note else []
    return "\n".join(lines) + "\n"


def head(figures: MethodsFigures) -> list[tuple[str, str]]:
    """Return date, period and fingerprint."""
    period = "no counted votes yet"
    if figures.first_at and figures.last_at:
        period = f"{figures.first_at:%Y-%m-%d} to {figures.last_at:%Y-%m-%d}"
    return [
        ("Made at", f"{figures.made_at:%Y-%m-%d %H:%M} UTC"),
        ("Votes from", period),
        ("Fingerprint of the votes (SHA-256)", figures.fingerprint),
    ]


def _task(figures: MethodsFigures) -> Section:
    rows = (
        ("Method", "single photo, absolute rating (ACR in P.910), one photo at a time, without a reference"),
        ("Opinion score", f"whole numbers from {figures.lowest} (lowest) to {figures.highest} (highest)"),
        ("Label", "watch, no watch, or unsure"),
        ("Predictions of models", figures.mode),
    )
    quoted = figures.instructions.strip()
    return Section("Task", rows, quoted=quoted, note="" if quoted else "The campaign has no instructions.")


def _people(figures: MethodsFigures) -> Section:
    people = f"{figures.people:,}"
    if figures.simulated_people:
        people += (
            f", of which {figures.simulated_people:,} simulated (programs, not people; "
            f"{_percent(figures.simulated_votes / max(1, figures.counted))} of the counted votes)"
        )
    practice = f"{figures.practice_photos:,}, with the expected answer shown; these answers are not saved"
    rows = (
        ("Annotators with counted votes", people),
        ("Counted votes of one annotator", _range(figures.votes_a_person)),
        ("Practice photos before the first rated photo", practice if figures.practice_photos else "none"),
    )
    return Section("Annotators", rows, note=NOT_RECORDED)


def _photos(figures: MethodsFigures) -> Section:
    chosen = "; ".join(f"{name} {_percent(share)}" for name, share in figures.lane_shares) or "unknown"
    rows = (
        ("Photos in the campaign", f"{figures.photos:,}, without practice, example, gold and damaged photos"),
        ("Photos with counted votes", f"{figures.rated_photos:,}"),
        ("Counted votes of one photo", _range(figures.votes_a_photo)),
        ("Order", "each annotator gets another random order of the photos that still need votes"),
        ("How the photos were chosen", chosen),
        ("Holdout", f"{_percent(figures.holdout_share)} of the photos, drawn at random at import"),
        ("Hidden repeats", _share(figures.repeat_share, "of the photos of an annotator are shown a second time")),
        ("Gold photos", _share(figures.gold_share, "of the photos shown have a known answer")),
        (
            "Anchoring experiment",
            _share(figures.anchoring_share, "of the photos show the prediction before the answer, chosen at random"),
        ),
    )
    return Section("Photos and order", rows)


def _viewing(figures: MethodsFigures) -> Section:
    part = f" (an even part of all {figures.counted:,})" if figures.viewing_votes < figures.counted else ""
    rows = [
        ("Recorded for", f"{_percent(figures.viewing_share)} of {figures.viewing_votes:,} counted votes{part}"),
        ("Photo", "the original file, never enlarged; 100 % by a key"),
    ]
    if figures.viewport:
        rows.append(("Size of the page, median", _size(figures.viewport)))
    if figures.shown:
        rows.append(("Size of the photo on the page, median", _size(figures.shown)))
    if figures.viewing_share > 0:
        rows += [
            ("Device pixels per CSS pixel", figures.pixel_ratios or "unknown"),
            ("Grey around the photo", figures.schemes or "unknown"),
            ("Input", figures.inputs or "unknown"),
            ("Looked at 100 %", f"{_percent(figures.zoomed_share)} of these votes"),
        ]
    seconds = "unknown" if figures.seconds is None else f"{figures.seconds:.1f} s, median"
    rows.append(("Time from the photo to the answer", seconds))
    return Section("Viewing conditions", tuple(rows))


def _votes(figures: MethodsFigures) -> Section:
    screening = "none: every annotator's votes count"
    if figures.screened_people:
        screening = (
            f"{figures.screened_people:,} annotators are excluded by a reviewer's decision, with "
            f"{figures.screened_votes:,} votes"
        )
    if figures.weighted_people:
        screening = "" if screening.startswith("none") else f"{screening}; "
        screening += _weights(figures)
    rows = (
        ("Answers and skips, all rows", f"{figures.answers:,}"),
        ("About photos that were withdrawn", f"{figures.withdrawn:,}, not counted"),
        ("Replaced by a correction", f"{figures.corrected:,}, not counted"),
        ("Skipped", f"{figures.skipped:,}, not counted"),
        ("Answers to hidden repeats", f"{figures.repeats:,}, not counted"),
        ("Given after seeing a prediction", f"{figures.exposed:,}, not counted"),
        ("Screening", screening),
        ("Decisions of reviewers about disputed photos", _decisions(figures)),
        ("Counted votes", f"{figures.counted:,}"),
    )
    return Section("Votes", rows)


def _weights(figures: MethodsFigures) -> str:
    """Return whose votes count for a part, where, and what it changes."""
    low, high = figures.weights
    part = _percent(low) if low == high else f"{_percent(low)} to {_percent(high)}"
    text = (
        f"the {figures.weighted_votes:,} votes of {figures.weighted_people:,} annotators count {part} each by a "
        "reviewer's decision: in the corrected MOS, the watch probability from people, training and evaluation. The "
        "MOS, its interval, the agreement and all numbers of votes count them fully"
    )
    if figures.moved_by_weights is None or figures.moved_by_weights_most is None:
        return text
    return (
        f"{text}. This moves the corrected MOS by {figures.moved_by_weights:.2f} points on average and "
        f"{figures.moved_by_weights_most:.2f} at most"
    )


def _decisions(figures: MethodsFigures) -> str:
    if not figures.decisions:
        return "none"
    use = (
        "training of models uses them in place of the votes"
        if figures.decisions_train
        else "training does not use them"
    )
    return (
        f"{figures.decisions:,}, of which {figures.exposed_decisions:,} given or changed after predictions were "
        f"visible; they are no votes, in no figure of this report and never used to evaluate a model; {use}"
    )


def _results(figures: MethodsFigures) -> Section:
    rows = (
        ("Opinion of a photo", "MOS: the mean of its counted votes"),
        ("Intervals", INTERVALS),
        ("s₀ and ν", f"{_number(np.sqrt(figures.variance))} points, {_number(figures.degrees, 1)} degrees of freedom"),
        (
            "Mean width of the intervals",
            f"{_number(figures.mean_width)} points, n = {figures.rated_photos:,} photos, "
            f"{figures.single_votes:,} of them with one vote",
        ),
        ("SOS parameter a (Hoßfeld et al., 2011)", _number(figures.sos_a, 3)),
        ("Corrected MOS", _corrected(figures)),
        *_agreement(figures.agreement),
        (
            "Agreement about the watch",
            f"{_number(100 * figures.watch_pairs, 1)} % of the pairs of votes on one photo are equal",
        ),
    )
    return Section("Results and their precision", rows)


def _corrected(figures: MethodsFigures) -> str:
    if figures.corrected_at is None:
        return "not estimated yet"
    return (
        f"beside the plain MOS, by a model with a bias, a gain and a noise for each annotator; fitted on "
        f"{figures.corrected_at:%Y-%m-%d %H:%M} UTC to {figures.corrected_votes:,} votes; standard deviation of the "
        f"biases {_number(figures.bias_spread)} points, mean standard error {_number(figures.corrected_error)} points"
    )


def _agreement(found: ScoreAgreement) -> tuple[tuple[str, str], ...]:
    if found.photos < FEWEST_PHOTOS:
        two = f"{found.photos:,} photos have two votes or more, and {FEWEST_PHOTOS} are needed"
        return (("Agreement about the score", f"unknown: {two}"),)
    ceiling = found.ceiling
    photos = f"n = {found.photos:,} photos with two votes"
    return (
        (
            "Agreement about the score",
            f"Krippendorff's alpha (interval level) {_interval(found.alpha)}, {photos} or more",
        ),
        ("Reliability of one vote", f"{ceiling.form.label} {_interval(ceiling.icc)}, because {ceiling.form.reason}"),
        (
            "Highest correlation with the MOS that a model can expect",
            f"{_interval(ceiling.value)}, the root of the reliability of the MOS",
        ),
    )


def _interval(found: Interval) -> str:
    if np.isnan(found.value):
        return "unknown"
    return minus(f"{found.value:.2f} (95 % interval {found.low:.2f} to {found.high:.2f})")


def _number(value: float, digits: int = 2) -> str:
    return "unknown" if np.isnan(value) else f"{value:.{digits}f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _range(values: tuple[float, int, int]) -> str:
    median, smallest, largest = values
    return f"{median:,.1f} (median), {smallest:,} to {largest:,}"


def _share(share: float, what: str) -> str:
    return f"{_percent(share)} {what}" if share else "none"


def _size(pixels: tuple[int, int]) -> str:
    return f"{pixels[0]:,} × {pixels[1]:,} CSS pixels"


def _plain(text: str) -> str:
    """Return the text on one line, with the signs that Markdown gives a meaning escaped."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#" else sign for sign in line)
