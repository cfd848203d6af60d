"""Reads what queue strategies need to know about the open photos of a campaign: the columns of `Pool`.

Strategies that look only at votes get all open photos. The others get candidates: at most 50,000 open photos, which are
a uniform sample, and the 10,000 whose predicted watch probability is next to the threshold. The sample is the photos
with the lowest queue positions, which are random, so it changes little between two refreshes, and a worker need not
read their features again.

Photos that the model has decided are left out while it decides, because people need not rate them. Photos of the
holdout stay, because they measure the models and show whether the decisions are right.

Votes are independent votes of the split "train": what people say about holdout photos has no influence on what is
asked. Down-weighted annotators count in full here; the order of questions needs no more.
"""

import hashlib
from dataclasses import replace
from functools import cached_property

import numpy as np
from django.db.models import Count, Max
from numpy.typing import NDArray

from annotation.answers import independent_vote_sql
from annotation.models import LIVE, Annotation, Campaign, Image
from annotation.selectors.opinions import campaign_vote_variance
from annotation.selectors.screening import excluded_annotators
from inference.acquisition.quality_learner import QualityKnowledge, ScoreVotes, interval_gap, quality_knowledge
from inference.acquisition.strategy import Pool, Strategy
from inference.acquisition.watch_learner import FEWEST_ANSWERED, champion_input, watch_opinion
from inference.gallery.decisions import deciding, nothing_left_for_people
from inference.models import Feature, ModelVersion, Prediction
from inference.networks.config import WeightsMissing
from inference.postgres.copy import integers_read
from inference.selectors import backbone_key, champion, deployed_threshold, prediction_table
from inference.services.queue_features import COMPARED, Directions, directions_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Open photos that strategies with features choose among, and those next to the threshold beside them.
CANDIDATES, NEAR_THRESHOLD = 50_000, 10_000
#: Photos with answers that the quick models learn from: those answered last.
ANSWERED = 20_000
#: Changes when the columns would be others for the same campaign.
_VERSION = 1
_SPLITS = {"train": 0, "holdout": 1}

_OPEN = """
SELECT id, vote_count::bigint, votes_needed::bigint, open_slots::bigint, uuid_hash_extended("group", 0),
  CASE split WHEN 'train' THEN 0 WHEN 'holdout' THEN 1 ELSE 2 END::bigint, (queue_position * 1e15)::bigint
FROM annotation_image
WHERE campaign_id = %s AND open_slots > 0 AND problem = '' AND role = 'rated' ORDER BY id
"""
_VOTES = f"""
SELECT vote.image_id, count(*), sum(vote.score)::bigint, count(*) FILTER (WHERE vote.watch = 'yes'),
  count(*) FILTER (WHERE vote.watch = 'no'), max(vote.id)
FROM annotation_annotation vote JOIN annotation_image photo ON photo.id = vote.image_id
WHERE vote.campaign_id = %s AND photo.split = 'train' AND photo.role = 'rated' AND photo.withdrawn_at IS NULL
  AND {independent_vote_sql("vote")}
GROUP BY vote.image_id ORDER BY vote.image_id
"""  # noqa: S608  # made of constants


class QueuePool:
    """The open photos of a campaign. Each column is read or computed when a strategy first asks for it."""

    def __init__(self, campaign: Campaign, rng: np.random.Generator) -> None:
        """Read the open photos and their votes (one query). `rng` draws the samples of the ensemble."""
        self._campaign, self._rng = campaign, rng
        ids, votes, needed, slots, groups, self._split, self._position = integers_read(_OPEN, [campaign.pk], count=7)
        self._all = Pool(ids, votes, needed, slots, groups=groups)

    def pool(self, strategy: Strategy) -> Pool:
        """Return the photos that the strategy chooses among, with its columns."""
        columns = strategy.columns - {"groups"}
        pool = self._base(strategy) if not columns else self._candidates
        return replace(
            pool,
            groups=pool.groups if "groups" in strategy.columns else None,
            **{name: getattr(self, f"_{name}") for name in columns},
        )

    def fingerprint(self, strategy: Strategy) -> str:
        """Return the SHA-256 of everything that the strategy's priorities follow from, without random numbers."""
        digest = hashlib.sha256(f"{_VERSION} {strategy.name}".encode())
        pool = self._base(strategy)
        for values in (pool.image_ids, pool.votes, pool.votes_needed, pool.open_slots, pool.groups):
            digest.update(np.asarray(values).tobytes())
        if strategy.columns - {"groups"}:
            digest.update(self._facts.encode())
        return digest.hexdigest()

    @property
    def decided(self) -> tuple[int, int]:
        """Return how many open photos the strategies leave out because a model has decided them, and their votes."""
        return int(self._is_decided.sum()), int(self._all.open_slots[self._is_decided].sum())

    def _base(self, strategy: Strategy) -> Pool:
        is_asked = ~self._is_decided
        if strategy.split is not None:
            is_asked &= self._split == _SPLITS[strategy.split]
        return _rows(self._all, np.flatnonzero(is_asked))

    @cached_property
    def _is_decided(self) -> NDArray[np.bool_]:
        """Which open photos outside the holdout a model has decided, [N] (up to five queries).

        None in a campaign without a holdout: the random photos of such a campaign are its only audit photos, and they
        would no longer be a random part of it.
        """
        found = deciding(self._campaign)
        holdout = self._campaign.images.filter(LIVE, role=Image.Role.RATED, split=Image.Split.HOLDOUT)
        if found.limits is None or found.rule is None or not holdout.exists():
            return np.zeros(len(self._all), dtype=bool)
        said = Prediction.objects.filter(
            nothing_left_for_people(found.limits, found.rule.tolerances, path=""),
            model_version=found.version,
            image__open_slots__gt=0,
            image__extra_votes=0,  # a reviewer has asked people for more votes
            image__problem="",
            image__role=Image.Role.RATED,
        )
        decided = np.fromiter(said.values_list("image_id", flat=True).iterator(chunk_size=20_000), dtype=np.int64)
        is_decided: NDArray[np.bool_] = np.isin(self._all.image_ids, decided) & (self._split != _SPLITS["holdout"])
        return is_decided

    @cached_property
    def _facts(self) -> str:
        """What the columns follow from beside the open photos: answers, features, the champion and its predictions."""
        answers = Annotation.objects.filter(campaign=self._campaign).aggregate(newest=Max("pk"))["newest"]
        try:
            key = backbone_key(self._campaign.backbone)
        except WeightsMissing:
            key = ""
        features = Feature.objects.filter(image__campaign=self._campaign, backbone=key, state=Feature.State.DONE)
        version = self._version
        predictions = 0 if version is None else Prediction.objects.filter(model_version=version).count()
        threshold = None if version is None else deployed_threshold(version)
        excluded = excluded_annotators(self._campaign.pk)
        known = features.aggregate(n=Count("pk"))["n"]
        return f"{answers} {excluded} {key} {known} {version and version.pk} {threshold} {predictions}"

    @cached_property
    def _version(self) -> ModelVersion | None:
        return champion(self._campaign)

    @cached_property
    def _candidates(self) -> Pool:
        is_asked = ~self._is_decided & (self._split == _SPLITS["train"])
        train = np.flatnonzero(is_asked)
        if len(train) > CANDIDATES:
            first = train[np.argpartition(self._position[train], CANDIDATES)[:CANDIDATES]]
            near = np.flatnonzero(np.isin(self._all.image_ids, self._near_threshold()))
            train = np.union1d(first, near[is_asked[near]])
        return _rows(self._all, train)

    def _near_threshold(self) -> list[int]:
        """Return the photos whose predicted watch probability is next to the threshold (two queries on an index)."""
        if self._version is None:
            return []
        threshold = deployed_threshold(self._version)
        said = Prediction.objects.filter(model_version=self._version)
        above = said.filter(watch_probability__gte=threshold).order_by("watch_probability", "image")
        below = said.filter(watch_probability__lt=threshold).order_by("-watch_probability", "-image")
        half = NEAR_THRESHOLD // 2
        return [pk for rows in (above, below) for pk in rows.values_list("image_id", flat=True)[:half]]

    @cached_property
    def _answered(self) -> Ints:
        """Photos with independent votes, [6, A]: id, votes, sum of scores, yes, no, newest answer; by id."""
        rows = integers_read(_VOTES, [self._campaign.pk], count=6)
        if rows.shape[1] > ANSWERED:
            rows = rows[:, np.sort(np.argpartition(-rows[5], ANSWERED)[:ANSWERED])]
        return rows

    @cached_property
    def _own_votes(self) -> Ints:
        """The same for each candidate, [6, N]; 0 without votes."""
        votes = np.zeros((6, len(self._candidates)), dtype=np.int64)
        place = np.searchsorted(self._candidates.image_ids, self._answered[0])
        place = np.minimum(place, max(len(self._candidates) - 1, 0))
        found = self._candidates.image_ids[place] == self._answered[0] if len(self._candidates) else place < 0
        votes[:, place[found]] = self._answered[:, found]
        return votes

    @cached_property
    def _directions(self) -> tuple[Directions, Directions] | None:
        """Directions of the candidates [N, D] and of the photos with votes [A, D]; None without features."""
        ids, answered = self._candidates.image_ids, self._answered[0]
        together = np.union1d(ids, answered)
        rows = directions_of(self._campaign, together)
        if rows is None:
            return None
        return rows[np.searchsorted(together, ids)], rows[np.searchsorted(together, answered)]

    @cached_property
    def _features(self) -> NDArray[np.float32] | None:
        return None if self._directions is None else self._directions[0][:, :COMPARED]

    @cached_property
    def _answered_features(self) -> NDArray[np.float32] | None:
        if self._directions is None:
            return None
        has_left = ~np.isin(self._answered[0], self._candidates.image_ids)
        return self._directions[1][has_left][:, :COMPARED]

    @cached_property
    def _predicted(self) -> tuple[Floats, Floats] | None:
        """Predicted means and watch probabilities [2, N] of the candidates, [2, A] of photos with votes; NaN: none."""
        if self._version is None:
            return None
        ids, answered = self._candidates.image_ids, self._answered[0]
        together = np.union1d(ids, answered)
        table = prediction_table(self._version, together)
        said = np.full((2, len(together)), np.nan)
        place = np.searchsorted(together, table.image_ids)
        said[:, place] = table.quality_mean, table.watch_probability
        return said[:, np.searchsorted(together, ids)], said[:, np.searchsorted(together, answered)]

    def _inputs(self, of_predicted: int) -> tuple[Directions, Directions] | None:
        """Return inputs [N, D] of the candidates and [A, D] of photos with votes, for the quick models.

        Directions, and what the champion says: its mean (0) or its watch probability (1). None without either.
        """
        parts: list[tuple[Directions, Directions]] = []
        if self._directions is not None:
            parts.append(self._directions)
        if self._predicted is not None and self._version is not None:
            own, answered = (said[of_predicted] for said in self._predicted)
            if of_predicted:
                threshold = deployed_threshold(self._version)
                own, answered = champion_input(own, threshold), champion_input(answered, threshold)
            else:
                centre = float(np.nanmean(answered)) if np.isfinite(answered).any() else 0.0
                own, answered = np.nan_to_num(own - centre), np.nan_to_num(answered - centre)
            parts.append((own[:, None].astype(np.float32), answered[:, None].astype(np.float32)))
        if not parts:
            return None
        asked, given = (np.concatenate([part[side] for part in parts], axis=1) for side in (0, 1))
        return asked, given

    @cached_property
    def _vote_noise(self) -> float:
        """Variance of one vote around the true score; before two people have rated a photo, a sixth of the scale²."""
        typical = campaign_vote_variance(self._campaign)
        return typical.mean if typical.is_known else ((self._campaign.bins - 1) / 6) ** 2

    @cached_property
    def _knowledge(self) -> QualityKnowledge | None:
        inputs = self._inputs(0)
        if inputs is None:
            return None
        asked, answered = inputs
        known, learned = _known(asked), _known(answered)
        given = _score_votes(self._answered[:, learned])
        if not known.any():
            return None
        own = _score_votes(self._own_votes[:, known])
        found = quality_knowledge(answered[learned], given, asked[known], own, vote_variance=self._vote_noise)
        if found is None:
            return None
        return QualityKnowledge(_spread_out(found.mean, known), _spread_out(found.variance, known))

    @cached_property
    def _quality_mean(self) -> Floats | None:
        return None if self._knowledge is None else self._knowledge.mean

    @cached_property
    def _quality_variance(self) -> Floats | None:
        return None if self._knowledge is None else self._knowledge.variance

    @cached_property
    def _vote_variance(self) -> Floats:
        return np.full(len(self._candidates), self._vote_noise)

    @cached_property
    def _quality_disagreement(self) -> Floats | None:
        if self._predicted is None or self._answered.shape[1] < FEWEST_ANSWERED:
            return None
        own = _score_votes(self._own_votes)
        return interval_gap(self._predicted[0][0], own, vote_variance=self._vote_noise)

    def _quick_opinion(self, *, spread: bool) -> Floats | None:
        """Return what a quick model learned from all answers says about the candidates, [N]: probability or spread.

        None while it has too few answers; NaN for candidates without features.
        """
        has_label = self._answered[3] + self._answered[4] > 0
        inputs = self._inputs(1)
        if inputs is None:
            return None
        asked, answered = inputs
        known, learned = _known(asked), _known(answered) & has_label
        if not known.any():
            return None
        yes, no = self._answered[3][learned], self._answered[4][learned]
        found = watch_opinion(answered[learned], yes, no, asked[known], self._rng if spread else None)
        values = None if found is None else found.spread if spread else found.probability
        return None if values is None else _spread_out(values, known)

    @cached_property
    def _quick_probability(self) -> Floats | None:
        return self._quick_opinion(spread=False)

    @property
    def is_watch_of_champion(self) -> bool:
        """Return whether the watch probabilities of the photos are the champion's, not those of the quick model."""
        return self._quick_probability is None

    @cached_property
    def _watch_probability(self) -> Floats | None:
        """The quick model's; the champion's while the answers of enough photos are nearly all the same.

        None while fewer than 20 photos have a watch label, so that typical photos come first.
        """
        if self._quick_probability is not None or self._predicted is None:
            return self._quick_probability
        labelled = (self._answered[3] + self._answered[4] > 0).sum()
        return self._predicted[0][1] if labelled >= FEWEST_ANSWERED else None

    @cached_property
    def _watch_spread(self) -> Floats | None:
        return self._quick_opinion(spread=True)

    @cached_property
    def _watch_threshold(self) -> float:
        """½ for the quick model, whose input is 0 where the deployed decision turns; the champion's own otherwise."""
        if self._quick_probability is not None or self._version is None:
            return 0.5
        return deployed_threshold(self._version)

    @cached_property
    def _watch_yes(self) -> Ints:
        yes: Ints = self._own_votes[3]
        return yes

    @cached_property
    def _watch_no(self) -> Ints:
        no: Ints = self._own_votes[4]
        return no


def _rows(pool: Pool, rows: Ints) -> Pool:
    """Return some rows of a pool without columns beside the groups."""
    groups = None if pool.groups is None else pool.groups[rows]
    return Pool(pool.image_ids[rows], pool.votes[rows], pool.votes_needed[rows], pool.open_slots[rows], groups=groups)


def _known(inputs: Directions) -> NDArray[np.bool_]:
    """Return which rows are without NaN."""
    return np.asarray(np.isfinite(inputs).all(axis=1))


def _score_votes(rows: Ints) -> ScoreVotes:
    return ScoreVotes(rows[1], rows[2].astype(np.float64))


def _spread_out(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return values [K] at the K known rows of [N], NaN at the others."""
    rows = np.full(len(known), np.nan)
    rows[known] = values
    return rows
