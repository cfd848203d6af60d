"""Campaigns with very many photos, votes and predictions, filled by PostgreSQL itself. Not a benchmark.

The votes are drawn: each photo has a quality, each annotator a bias, and a vote is both with noise. No photo has a
file or features.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from django.db.models import Model

    from annotation.models import Campaign, User
    from inference.models import ModelVersion

ANNOTATORS = 40
VOTES = 3
#: One photo in ten belongs to the holdout, on which versions are compared with people.
HOLDOUT = 10
#: One photo in a hundred has the tag 'rare'.
TAGGED = 100
#: Rows that one statement inserts, so that the progress bar moves.
_ROWS = 100_000

_QUALITY = "DROP TABLE IF EXISTS bench_photo; CREATE UNLOGGED TABLE bench_photo AS "
_QUALITY += "SELECT id, row_number() OVER (ORDER BY id) AS number, "
_QUALITY += "least(9.9, greatest(1.1, 5.5 + 1.7 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))) AS quality "
_QUALITY += "FROM annotation_image WHERE campaign_id = %s; CREATE UNIQUE INDEX ON bench_photo (number); "
_QUALITY += "ANALYZE bench_photo"
_NOISE = "(2.0 * (random() + random() + random() - 1.5))"
_SCORE = f"least(10, greatest(1, round(photo.quality + 0.05 * (person.place - 20) + {_NOISE})))"
_WATCH = (
    "CASE WHEN random() < 0.03 THEN 'unsure' WHEN (photo.number % 7 = 0) = (random() < 0.95) THEN 'yes' ELSE 'no' END"
)
_PEOPLE = "unnest(%(people)s::bigint[]) WITH ORDINALITY AS person (id, place)"
#: Each photo has the votes of `VOTES` annotators, who differ from photo to photo.
_OF_PHOTO = "(photo.number * 7 + photo.number / 40 + person.place) %% 40 < %(votes)s"


def annotators_make() -> list["User"]:
    """Create the annotators. Two in forty are programs."""
    from annotation.models import User

    return [
        User.objects.create(username=f"bench-{place:02}", password="!", is_simulated=place >= ANNOTATORS - 2)
        for place in range(ANNOTATORS)
    ]


def campaign_fill(campaign: "Campaign", people: list["User"], count: int) -> None:
    """Add `count` photos with votes, a champion with predictions, an older version, distortions, consensus and tags."""
    from django.utils import timezone

    from annotation.models import Annotation, Assignment, Image, Membership, PhotoConsensus, PhotoTag, Tag
    from inference.models import Disagreement, Distortion, ModelVersion, Prediction
    from inference.selectors import distortion_version

    Membership.objects.bulk_create(Membership(campaign=campaign, user=user) for user in people)
    older, version = (
        ModelVersion.objects.create(
            campaign=campaign,
            number=number,
            backbone="none",
            folder="none",
            checksum="0" * 64,
            recipe={"bins": 10, "synsets": []},
            is_champion=number == 2,
        )
        for number in (1, 2)
    )
    tag = Tag.objects.create(campaign=campaign, name="rare")
    steps = tqdm(total=9 * count + 2 * VOTES * count, unit="row", unit_scale=True, desc=campaign.slug, disable=None)
    with steps, _quick_inserts():
        many = _Filler(count, steps.update, {"people": [user.pk for user in people], "votes": VOTES})
        is_holdout = f"number %% {HOLDOUT} = 0"
        photo = Image(campaign=campaign, suffix=".jpg", byte_size=1, width=640, height=480, phash=0, queue_position=0.0)
        many.insert(
            photo,
            "generate_series(%(first)s::bigint, %(last)s::bigint) number",
            name="'photo-' || number || '.jpg'",
            sha256="lpad(to_hex(number), 64, '0')",
            phash="number",
            group="gen_random_uuid()",
            queue_position="random()",
            split=f"CASE WHEN {is_holdout} THEN 'holdout' ELSE 'train' END",
            votes_needed=f"CASE WHEN {is_holdout} THEN 5 ELSE {VOTES} END",
            open_slots=f"CASE WHEN {is_holdout} THEN 5 - {VOTES} ELSE 0 END",
            vote_count=f"{VOTES}",
        )
        many.run(_QUALITY, [campaign.pk])
        photos = "bench_photo photo WHERE photo.number BETWEEN %(first)s AND %(last)s"
        voted = f"bench_photo photo, {_PEOPLE} WHERE photo.number BETWEEN %(first)s AND %(last)s AND {_OF_PHOTO}"
        vote = Annotation(campaign=campaign, is_blind=True)
        many.insert(
            vote,
            voted,
            weight=VOTES,
            image="photo.id",
            annotator="person.id",
            client_id="gen_random_uuid()",
            score=_SCORE,
            watch=_WATCH.replace("%", "%%"),
            milliseconds="2000 + (random() * 6000)::int",
            created_at="now() - random() * interval '60 days'",
        )
        done = Assignment(campaign=campaign, state=Assignment.State.DONE, expires_at=timezone.now())
        many.insert(done, voted, weight=VOTES, image="photo.id", annotator="person.id")
        mean = f"least(9.9, greatest(1.1, 5.5 + 0.7 * (photo.quality - 5.5) + 0.5 * {_NOISE}))"
        for one, chosen in ((version, photos), (older, f"{photos} AND photo.{is_holdout}")):
            many.insert(
                Prediction(model_version=one, quality_std=1.2, synset_probabilities=[]),
                f"(SELECT photo.*, {mean} AS mean FROM {chosen}) photo",
                image="photo.id",
                quality_mean="photo.mean",
                watch_probability="power(random(), CASE WHEN photo.number %% 7 = 0 THEN 0.3 ELSE 6 END)",
                distribution="(SELECT array_agg(value / total ORDER BY score) FROM (SELECT score, value, sum(value) "
                "OVER () AS total FROM (SELECT score, exp(-power(score - photo.mean, 2) / 2.9) AS value "
                "FROM generate_series(1, 10) score) bins) shares)",
            )
        many.insert(
            Distortion(version=distortion_version(), state="done"),
            f"(SELECT photo.*, 100 * random() AS measured FROM {photos}) photo",
            image="photo.id",
            quality="photo.measured",
            quality_class="CASE WHEN photo.measured <= 10 THEN 'rejected' WHEN photo.measured <= 60 THEN 'pending' "
            "ELSE 'accepted' END",
            **dict.fromkeys(("blur", "noise", "exposure", "compression"), "power(random(), 4)"),
        )
        votes = "(SELECT image_id, count(*) AS votes, avg(score) AS mos, stddev(score) AS sos, "
        votes += "count(*) FILTER (WHERE watch = 'yes') AS yes, count(*) FILTER (WHERE watch <> 'unsure') AS sure "
        votes += "FROM annotation_annotation WHERE image_id IN (SELECT id FROM " + photos + ") GROUP BY image_id) vote"
        consensus = PhotoConsensus(campaign=campaign, low=1, high=10, corrected_error=0.5, updated_at=timezone.now())
        many.insert(
            consensus,
            votes,
            image="vote.image_id",
            votes="vote.votes",
            mos="vote.mos",
            sos="vote.sos",
            half_width="1.5",
            corrected_mos="vote.mos",
            watch_votes="vote.sure",
            watch_yes="vote.yes",
        )
        # Without statistics, the join would read all predictions for each part.
        many.run("ANALYZE inference_prediction; ANALYZE annotation_annotation", [])
        predicted = f"{votes} JOIN inference_prediction predicted ON predicted.image_id = vote.image_id "
        predicted += f"WHERE predicted.model_version_id = {version.pk}"
        many.insert(
            Disagreement(model_version=version),
            predicted,
            image="vote.image_id",
            quality="abs(predicted.quality_mean - vote.mos)",
            watch="abs(predicted.watch_probability - vote.yes / nullif(vote.sure, 0)::float)",
        )
        many.insert(PhotoTag(tag=tag), f"{photos} AND photo.number %% {TAGGED} = 0", image="photo.id")
        many.run("DROP TABLE bench_photo", [])
    _fits_make(campaign, people, count)
    _evaluation_make(version, VOTES * (count // HOLDOUT))


def statistics_update() -> None:
    """Do what the autovacuum of a running site has done: statistics of the tables, and which pages all can see."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _evaluation_make(version: "ModelVersion", votes: int) -> None:
    """Store an evaluation of the champion without figures: pages then ask how many votes came after it."""
    from dataclasses import asdict

    from training.models import Evaluation
    from training.selectors.comparison import scale_and_thresholds

    Evaluation.objects.create(
        model_version=version,
        image_count=votes // VOTES,
        vote_count=votes,
        fingerprint="0" * 64,
        settings=asdict(scale_and_thresholds(version)),
        metrics={},
    )


def _fits_make(campaign: "Campaign", people: list["User"], count: int) -> None:
    """Store a fit of the consensus, which workers of a running site make, and the mark of the disagreements."""
    from django.db.models import Max

    from annotation.models import Annotation, AnnotatorStatistics, ConsensusFit, ConsensusState
    from annotation.selectors.adjudications import usual_disagreement
    from annotation.selectors.answer_counts import answers_stored
    from inference.models import DisagreementMark, Prediction

    newest = Annotation.objects.filter(campaign=campaign).aggregate(newest=Max("pk"))["newest"]
    ConsensusState.objects.update_or_create(campaign=campaign, defaults={"seen_annotation": newest})
    fit = ConsensusFit.objects.create(
        campaign=campaign,
        is_full=True,
        newest_annotation=newest,
        votes=VOTES * count,
        photos=count,
        annotators=len(people),
        vote_variance=1.2,
        vote_variance_degrees=2.0 * count,
        mean=5.5,
        quality_spread=1.7,
        bias_spread=0.5,
        watch_share=1 / 7,
        figures=usual_disagreement(campaign) | {"answers": answers_stored(campaign, newest=newest)},
    )
    AnnotatorStatistics.objects.bulk_create(
        AnnotatorStatistics(
            campaign=campaign,
            annotator=user,
            votes=VOTES * count // len(people),
            bias=0.05 * (place - 20),
            bias_deviation=0.1,
            gain=1.0,
            gain_deviation=0.1,
            noise=1.0,
            information=0.5,
            watch_votes=VOTES * count // len(people),
            sensitivity=0.95,
            specificity=0.95,
            updated_at=fit.made_at,
        )
        for place, user in enumerate(people)
    )
    version = campaign.model_versions.get(is_champion=True)
    predictions = Prediction.objects.filter(model_version=version)
    DisagreementMark.objects.create(
        model_version=version,
        annotation_id=newest,
        annotations=VOTES * count,
        prediction_id=predictions.aggregate(newest=Max("pk"))["newest"],
        predictions=count,
    )


@contextmanager
def _quick_inserts() -> Iterator[None]:
    """Leave out the checks of foreign keys. Not for `Client` requests: they have a connection with checks."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET jit = off")
        cursor.execute("SELECT setseed(0.5)")
        try:
            yield
        finally:
            cursor.execute("RESET session_replication_role; RESET synchronous_commit; RESET jit")


class _Filler:
    """Inserts rows of a model: the values of an example, and SQL for the columns that differ."""

    def __init__(self, count: int, tell: Callable[[int], object], parameters: dict[str, Any]) -> None:
        self.count, self.tell, self.parameters = count, tell, parameters

    def insert(self, example: "Model", source: str, *, weight: int = 1, **columns: str) -> None:
        """Insert a row for each row of `source`, which has %(first)s and %(last)s. columns: SQL by field name."""
        from django.db import connection

        values: dict[str, Any] = {}
        expressions: dict[str, str] = {}
        for field in example._meta.concrete_fields:
            if field.primary_key and not field.is_relation:
                continue
            if field.name in columns:
                expressions[field.column] = columns.pop(field.name)
                continue
            values[f"value_{field.column}"] = field.get_db_prep_save(field.pre_save(example, True), connection)
            expressions[field.column] = f"%(value_{field.column})s"
            if values[f"value_{field.column}"] is not None:
                expressions[field.column] += (
                    f"::{field.rel_db_type(connection) if field.is_relation else field.db_type(connection)}"
                )
        if columns:
            raise ValueError(f"{type(example).__name__} has no {', '.join(columns)}.")
        names = ", ".join(f'"{name}"' for name in expressions)
        statement = f'INSERT INTO "{example._meta.db_table}" ({names}) SELECT {", ".join(expressions.values())} '
        statement += f"FROM {source}"
        for first in range(1, self.count + 1, _ROWS):
            last = min(first + _ROWS - 1, self.count)
            with connection.cursor() as cursor:
                cursor.execute(statement, self.parameters | values | {"first": first, "last": last})
            self.tell(weight * (last - first + 1))

    def run(self, statement: str, parameters: list[Any]) -> None:
        """Run another statement."""
        from django.db import connection

        with connection.cursor() as cursor:
            for part in statement.split("; "):
                cursor.execute(part, parameters if "%s" in part else None)


def seconds_told(what: str, action: Callable[[], object]) -> float:
    """Run something that takes long, write on the terminal how long it took, and return the seconds."""
    start = time.perf_counter()
    action()
    seconds = time.perf_counter() - start
    tqdm.write(f"{what}: {seconds:.1f} s", file=sys.stderr)
    return seconds
