"""Whether the model keeps the stated tolerance when it decides, how much it decides, and whether a shift stops it.

DATA is a folder with photos and votes (photos.csv with `file,group,category`, votes.csv) for quality, or with labels
(photos.csv with `file,watch`) for watches, or one that holds both. Without it, photos are generated numbers.

One draw: a model learns from a part of the photos. The others are the campaign. Five times, audit photos are drawn
from them at random, each with the votes of a panel drawn from the real ones, and limits are calibrated. The truth is
exact, because all votes are known: the share of errors among all photos that the limits decide, by what panels of that
size say. Audit photos are drawn with replacement, as from a campaign with many more photos like these; without it would
be easier.

The rival is the plug-in limit: the most generous one that kept the tolerance on the same audit photos.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFilter

from annotation.measures.group_shares import percents
from annotation.measures.intervals import wilson_interval
from annotation.photos.decoding import photo_open
from benchmarks._claims import Claim, DataMissing, Setting
from benchmarks._learning_data import Extractor, RatedPhotos, photos_read
from benchmarks._plug_in_limit import plug_in_limit
from benchmarks._votes import table_rows
from benchmarks.learning import real_folder
from inference.decisions.calibration import (
    AuditPhotos,
    Statement,
    Tolerances,
    achieved,
    calibrate,
)
from inference.decisions.limits import Limits
from inference.networks.config import EFFICIENTNET_LITE2
from training.evaluation.drift import DriftVerdict, drift_test
from training.learning.score_line import score_line_fit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DRAWS, AUDITS, SHIFTS = 200, 5, 20
PANEL, PANELS = 5, 400
QUALITY_PHOTOS, WATCH_PHOTOS, FRESH = 300, 600, 60
#: On the scale 1 … 7: more than the middle is accepted.
CLASS_LIMITS = (4.0, 4.0)
CONFIDENCE = 0.95
NOTHING = Tolerances(None, None, None, None, None, confidence=CONFIDENCE, panel=PANEL)
_DECAYS = tuple(10 ** (power / 4) for power in range(-12, 13))
_BLUR = 4


@dataclass(frozen=True)
class Campaign:
    """Photos [N] that the model has not learned from, with its predictions and what panels say."""

    quality: Floats
    watch: Floats
    panels: Floats
    """Mean scores of drawn panels [N, P]; NaN without votes."""
    is_watch: Bools

    def audit(self, photos: int, rng: np.random.Generator) -> AuditPhotos:
        """Return audit photos, drawn with replacement."""
        chosen = rng.integers(len(self.quality), size=photos)
        return AuditPhotos(
            self.quality[chosen],
            self.watch[chosen],
            self.panels[chosen, rng.integers(self.panels.shape[1], size=photos)],
            self.is_watch[chosen],
            np.ones(photos, dtype=bool),
        )

    def error(self, statement: Statement, limit: float) -> float:
        """Return the true share of errors of a statement with this limit; NaN if it decides nothing."""
        if statement == Statement.MISSED:
            return float(np.mean(self.watch[self.is_watch] < limit))
        if statement == Statement.WATCH:
            return float(1 - np.mean(self.is_watch[self.watch >= limit]))
        if statement == Statement.SCORE:
            return float(np.mean(np.abs(self.panels - self.quality[:, None]) > limit))
        if statement == Statement.ACCEPTED:
            return float(np.mean(self.panels[self.quality >= limit] <= CLASS_LIMITS[1]))
        return float(np.mean(self.panels[self.quality < limit] > CLASS_LIMITS[0]))

    def tolerance_error(self, tolerances: Tolerances, statement: Statement) -> float:
        """Return the share of errors that is allowed."""
        if statement == Statement.SCORE:
            return 1 - tolerances.score_share
        allowed = getattr(tolerances, statement.value)
        assert isinstance(allowed, float)
        return allowed


Draw = Callable[[np.random.Generator], Campaign]


def measure(setting: Setting) -> Iterator[Claim]:
    """Yield how often each tolerance was kept, and how often a shift was noticed."""
    draws, shifts = (3, 2) if setting.tiny else (DRAWS, SHIFTS)
    with tempfile.TemporaryDirectory() as name:
        extract = Extractor(EFFICIENTNET_LITE2, Path(name)) if setting.data else None
        known, blurred, categories = _rated(setting, extract)
        if known is not None:
            yield from _kept(
                lambda rng: _quality_campaign(known, rng),
                {
                    Statement.ACCEPTED: (replace(NOTHING, accepted=0.1), replace(NOTHING, accepted=0.2)),
                    Statement.REJECTED: (replace(NOTHING, rejected=0.2), replace(NOTHING, rejected=0.3)),
                    Statement.SCORE: (replace(NOTHING, score_points=2.0),),
                },
                photos=QUALITY_PHOTOS,
                draws=draws,
                tiny=setting.tiny,
            )
            yield from _shifted(known, blurred, categories, draws=shifts, tiny=setting.tiny)
        features, watch = _watches(setting, extract)
        if len(watch):
            yield from _kept(
                lambda rng: _watch_campaign(features, watch, rng),
                {
                    Statement.MISSED: (replace(NOTHING, missed=0.05), replace(NOTHING, missed=0.1)),
                    Statement.WATCH: (replace(NOTHING, watch=0.05),),
                },
                photos=WATCH_PHOTOS,
                draws=draws,
                tiny=setting.tiny,
            )


def _kept(
    draw: Draw,
    cases: dict[Statement, tuple[Tolerances, ...]],
    *,
    photos: int,
    draws: int,
    tiny: bool,
) -> Iterator[Claim]:
    kept: dict[tuple[Statement, Tolerances], list[tuple[bool, bool, float | None]]] = {}
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        campaign = draw(rng)
        audits = [campaign.audit(photos, rng) for _ in range(1 if tiny else AUDITS)]
        for audit, (statement, some) in product(audits, cases.items()):
            for tolerances in some:
                found = calibrate(
                    tolerances,
                    audit,
                    class_limits=CLASS_LIMITS,
                    pool_quality=campaign.quality,
                    pool_watch=campaign.watch,
                ).findings[0]
                allowed = campaign.tolerance_error(tolerances, statement)
                naive = _naive(statement, allowed, audit, campaign)
                kept.setdefault((statement, tolerances), []).append(
                    (
                        found.limit is None or campaign.error(statement, found.limit) <= allowed + 1e-12,
                        naive is None or campaign.error(statement, naive) <= allowed + 1e-12,
                        None if found.limit is None else found.decided,
                    )
                )
    for (statement, tolerances), rows in kept.items():
        ours, rival = sum(row[0] for row in rows), sum(row[1] for row in rows)
        n = len(rows)
        decided = [row[2] for row in rows if row[2] is not None]
        share = f"{100 * np.mean(decided):.0f} %" if decided else "nothing"
        yield Claim(
            claim=f"{_words(statement, tolerances)}: kept in {_share(ours, n)} of {n} calibrations ({draws} models) "
            f"with {photos} audit photos; the model decides {share} of the photos, and cannot tell in "
            f"{n - len(decided)}",
            value=100 * ours / n,
            unit="% of the calibrations",
            baseline=f"plug-in limit: kept in {_share(rival, n)}",
            # The test of the scores is exact, so that chance alone puts half of such shares below 95 %.
            target=1 if tiny else round(100 * wilson_interval(round(CONFIDENCE * n), n).low, 1),
        )


def _words(statement: Statement, tolerances: Tolerances) -> str:
    allowed = getattr(tolerances, statement.value, None)
    return {
        Statement.ACCEPTED: f"At most {allowed or 0:.0%} of accepted photos are not acceptable",
        Statement.REJECTED: f"At most {allowed or 0:.0%} of rejected photos are acceptable",
        Statement.WATCH: f"At most {allowed or 0:.0%} of 'watch' are no watch",
        Statement.MISSED: f"At most {allowed or 0:.0%} of the watches are missed",
        Statement.SCORE: f"Scores within {tolerances.score_points} points for {tolerances.score_share:.0%}",
    }[statement]


def _naive(statement: Statement, allowed: float, audit: AuditPhotos, campaign: Campaign) -> float | None:
    """Return the plug-in limit: what kept the tolerance on the audit photos."""
    people, mean = audit.people_mean, audit.quality_mean
    if statement == Statement.ACCEPTED:
        return plug_in_limit(allowed, mean, people <= CLASS_LIMITS[1], campaign.quality)
    if statement == Statement.REJECTED:
        found = plug_in_limit(allowed, -mean, people > CLASS_LIMITS[0], -campaign.quality)
        return None if found is None else float(np.nextafter(-found, np.inf))
    if statement == Statement.WATCH:
        return plug_in_limit(allowed, audit.watch_probability, ~audit.people_watch, campaign.watch)
    if statement == Statement.SCORE:
        return float(np.quantile(np.abs(mean - people), 1 - allowed))
    own = np.sort(audit.watch_probability[audit.people_watch])
    return float(own[int(allowed * len(own))]) if len(own) else None


def _shifted(
    known: RatedPhotos, blurred: NDArray[np.float32], categories: NDArray[np.str_], *, draws: int, tiny: bool
) -> Iterator[Claim]:
    """Yield how often new photos of another kind are noticed: by drift, or by fresh audit votes."""
    kinds, sizes = np.unique(categories, return_counts=True)
    largest = kinds[np.argmax(sizes)]
    worlds: dict[str, tuple[Bools, NDArray[np.float32]]] = {
        f"photos of other themes ({largest})": (categories == largest, known.features),
        "blurred photos": (np.ones(len(known.groups), dtype=bool), blurred),
        "photos like those before": (np.ones(len(known.groups), dtype=bool), known.features),
    }
    tolerances = replace(NOTHING, accepted=0.2, score_points=2.0)
    for what, (is_new_kind, features) in worlds.items():
        drifts = breaks = noticed = 0
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            names = rng.permutation(np.unique(known.groups))
            # Photos of another theme come after all others; otherwise, a quarter of the groups is new.
            is_new = is_new_kind if not is_new_kind.all() else np.isin(known.groups, names[: len(names) // 4])
            before = ~is_new & ~np.isin(known.groups, np.unique(known.groups[is_new]))
            old, new = np.flatnonzero(before), np.flatnonzero(is_new)
            learned = np.isin(known.groups, names[len(names) // 4 :][::2]) & before
            predict = _ridge(known, np.flatnonzero(learned))
            then = _campaign_of(known, np.flatnonzero(before & ~learned), predict(known.features), rng)
            limits = calibrate(
                tolerances,
                then.audit(QUALITY_PHOTOS, rng),
                class_limits=CLASS_LIMITS,
                pool_quality=then.quality,
                pool_watch=then.watch,
            ).limits
            # People see the new photos as they are; for blurred ones, the votes of the sharp photo less one point.
            now = _campaign_of(known, new, predict(features), rng)
            if features is blurred:
                now = replace(now, panels=np.maximum(now.panels - 1, 1))
            drift = _drifted(known, features, old, new, rng)
            broken = _is_broken(tolerances, limits, now.audit(FRESH, rng))
            drifts, breaks, noticed = drifts + drift, breaks + broken, noticed + (drift or broken)
        is_calm = what == "photos like those before"
        yield Claim(
            claim=f"Deciding pauses after {what}: in {_share(noticed, draws)} of {draws} draws (drift of the features "
            f"{drifts}, {FRESH} fresh audit votes {breaks})",
            value=100 * (1 - noticed / draws) if is_calm else 100 * noticed / draws,
            unit="% of the draws without a false pause" if is_calm else "% of the draws",
            baseline="without the checks: never pauses",
            target=(0 if tiny else 85) if is_calm else (0 if tiny else 90),
        )


def _drifted(known: RatedPhotos, features: NDArray[np.float32], old: Ints, new: Ints, rng: np.random.Generator) -> bool:
    found = drift_test(
        known.features[old].astype(np.float64),
        features[new].astype(np.float64),
        known.groups[old],
        known.groups[new],
        rng,
    )
    return found.verdict == DriftVerdict.DRIFT


def _is_broken(tolerances: Tolerances, limits: Limits, fresh: AuditPhotos) -> bool:
    return any(one.is_broken for one in achieved(tolerances, limits, fresh, class_limits=CLASS_LIMITS))


def _quality_campaign(known: RatedPhotos, rng: np.random.Generator) -> Campaign:
    """Return the photos of half of the groups, with predictions learned from the others."""
    names = rng.permutation(np.unique(known.groups))
    learned = np.isin(known.groups, names[: len(names) // 2])
    predict = _ridge(known, np.flatnonzero(learned))
    return _campaign_of(known, np.flatnonzero(~learned), predict(known.features), rng)


def _campaign_of(known: RatedPhotos, photos: Ints, predicted: Floats, rng: np.random.Generator) -> Campaign:
    order = np.argsort(known.photo, kind="stable")
    starts = np.searchsorted(known.photo[order], np.arange(len(known.groups) + 1))
    scores = known.steps[order] + 1.0
    panels = [scores[rng.integers(starts[one], starts[one + 1], size=(PANELS, PANEL))].mean(axis=1) for one in photos]
    nobody = np.zeros(len(photos))
    return Campaign(predicted[photos], nobody, np.array(panels), nobody.astype(bool))


def _ridge(known: RatedPhotos, learned: Ints) -> Callable[[NDArray[np.float32]], Floats]:
    """Return a function of features [N, D]: the scores by the project's ridge, learned from these photos."""
    features = known.features[learned]
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3

    def inputs(some: NDArray[np.float32]) -> Floats:
        scaled: Floats = np.clip((some - mean) / spread, -8, 8).astype(np.float64) / np.sqrt(some.shape[1])
        return scaled

    histograms = known.histograms()[learned].astype(np.float64)
    votes = histograms.sum(axis=1)
    mos = histograms @ np.arange(1, known.bins + 1) / votes
    line = score_line_fit(
        inputs(features),
        mos,
        np.ones(len(learned)),
        np.zeros(len(learned)),
        groups=known.groups[learned],
        decays=_DECAYS,
        most_prior=0.0,
    )
    return lambda some: line.predict(inputs(some), np.zeros(len(some)))


def _watch_campaign(features: NDArray[np.float32], watch: Bools, rng: np.random.Generator) -> Campaign:
    """Return two thirds of the photos, with predictions of a logistic regression that learned from the others."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    order = rng.permutation(len(watch))
    learned, rest = order[: len(watch) // 3], order[len(watch) // 3 :]
    parts = min(64, len(learned) - 1, features.shape[1])
    model = make_pipeline(StandardScaler(), PCA(parts, random_state=0), LogisticRegression(C=0.01, max_iter=1000)).fit(
        features[learned], watch[learned]
    )
    probability = model.predict_proba(features[rest])[:, 1]
    nobody = np.full((len(rest), 1), np.nan)
    return Campaign(np.zeros(len(rest)), probability, nobody, watch[rest])


def _rated(
    setting: Setting, extract: Extractor | None
) -> tuple[RatedPhotos | None, NDArray[np.float32], NDArray[np.str_]]:
    """Return the photos with votes, their features when blurred [N, D], and their categories [N]."""
    if extract is None:
        return _generated(np.random.default_rng(5))
    folder = real_folder(setting.data)
    if folder is None:
        return None, np.zeros((0, 1), dtype=np.float32), np.zeros(0, dtype="U1")
    known = photos_read(folder, extract)
    rows = table_rows(folder / "photos.csv")
    pictures = (photo_open(folder / "photos" / row["file"]) for row in rows)
    blurred = extract.of_pictures([picture.filter(ImageFilter.GaussianBlur(_BLUR)) for picture in pictures])
    return known, blurred, np.array([row.get("category", "") or "" for row in rows])


def _generated(rng: np.random.Generator) -> tuple[RatedPhotos, NDArray[np.float32], NDArray[np.str_]]:
    """Return numbers like those of 240 photos in 120 groups, with 20 votes each; those when blurred; categories."""
    count, size, votes = 240, 40, 20
    features = rng.normal(size=(count, size)).astype(np.float32)
    quality = 4 + features[:, :4].sum(axis=1) * 0.5
    photo = np.repeat(np.arange(count), votes)
    steps = np.clip(np.rint(quality[photo] + rng.normal(0, 1.2, len(photo))), 1, 7).astype(np.int64) - 1
    number = np.arange(count) // 2
    categories = np.where(number % 2 == 0, "a", np.where(number % 4 == 1, "b", "c"))
    features[categories == "a", 4:12] += 1.5
    groups = np.array([f"g{one}" for one in number])
    known = RatedPhotos(features, groups, photo, photo, steps, 7)
    blurred = features + np.float32(1.5)
    return known, blurred, categories


def _watches(setting: Setting, extract: Extractor | None) -> tuple[NDArray[np.float32], Bools]:
    """Return features [N, D] and labels [N] of the folder's photos; generated ones without a folder."""
    if setting.data is None or extract is None:
        rng = np.random.default_rng(6)
        watch = rng.random(600) < 0.3
        features = rng.normal(size=(600, 40)).astype(np.float32)
        features[:, 0] += 3 * watch
        return features, watch
    path = setting.data / "photos.csv"
    rows = table_rows(path) if path.is_file() else []
    if not rows or "watch" not in rows[0]:
        if real_folder(setting.data) is None:
            raise DataMissing(
                f"This benchmark needs votes.csv, or photos.csv with the column watch, in {setting.data}."
            )
        return np.zeros((0, 1), dtype=np.float32), np.zeros(0, dtype=bool)
    features = extract.of_files([setting.data / "photos" / row["file"] for row in rows])
    config = EFFICIENTNET_LITE2
    return features[:, config.pooled_start : config.pooled_stop], np.array([row["watch"] == "1" for row in rows])


def _share(hits: int, n: int) -> str:
    """Return a share in percent with its interval."""
    found = wilson_interval(hits, n)
    value, low, high = percents([found.value, found.low, found.high])
    return f"{value} % ({low}–{high})"
