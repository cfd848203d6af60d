"""Tasks of Label Studio with annotations and predictions, as JSON. Pure.

A project for them has this labelling configuration, with the lowest and the highest score of the scale:

    <View>
      <Image name="image" value="$image"/>
      <Number name="score" toName="image" min="1" max="10"/>
      <Choices name="watch" toName="image" choice="single">
        <Choice value="yes"/><Choice value="no"/><Choice value="unsure"/>
      </Choices>
    </View>

Source: Label Studio's documentation, "Label Studio JSON format of annotated tasks" and "Import pre-annotated data".
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from annotation.exchange.format import Format
from annotation.exchange.json_array import array_entries
from annotation.exchange.reading import WATCH_LABELS, Vote, VoteReader, Wrong
from annotation.exchange.records import TaskPrediction, TaskRecord, VoteRecord
from annotation.exchange.values import LineError, json_text, name_read, score_read, time_read
from annotation.files.names import text_encodable
from annotation.language import gettext_noop

# Label Studio puts eight hexadecimal digits in front of the names of uploaded files.
_UPLOADED = re.compile(r"^/data/upload/.*/[0-9a-f]{8}-")
_SCORE_TYPES = ("rating", "number")  # also the keys of their values


class LabelStudio(Format[TaskRecord], VoteReader):
    """One task for each photo, with an annotation for each vote and a prediction for each model version.

    Written annotations have the key `annotator` instead of `completed_by`: Label Studio refuses people whom it does not
    know, ignores unknown keys, and gives annotations without `completed_by` to the person who imports them.

    Scores are written as numbers, never as ratings: Label Studio refuses a result whose type is not that of its
    control, and votes and predictions have the same control. A rating is a number of stars, so a mean is none.

    When it is read, a vote is an annotation with one rating or one number. Its annotator is `annotator`, or else the
    email, the name or the number in `completed_by`. A choice of yes, no or unsure is its watch label. Annotations that
    were cancelled are left out. The name of the photo is `file` in the task's data, or else the end of the address in
    `image`, without the digits that Label Studio puts in front of it. The line is the number of the task. Tasks are
    read one at a time; a task has at most 1,000,000 characters.
    """

    name = "label-studio"
    label = gettext_noop("Label Studio (JSON)")
    description = gettext_noop("Tasks with their annotations; written also with predictions.")
    suffix = ".json"
    content_type = "application/json"
    record = TaskRecord
    reads = Vote

    def write(self, rows: Iterable[TaskRecord], *, for_excel: bool = False) -> Iterator[bytes]:
        """Yield an array of tasks, one at a time."""
        yield b"["
        for number, row in enumerate(rows):
            yield f"{',' if number else ''}\n{json.dumps(_task(row), ensure_ascii=False)}".encode()
        yield b"\n]\n"

    def read(self, path: Path, scale: tuple[int, int]) -> Iterator[Vote | Wrong]:
        """Yield the votes of the file, as `VoteReader.read` says."""
        for number, task in enumerate(array_entries(path), start=1):
            try:
                yield from _votes(number, task, scale)
            except LineError as error:
                yield Wrong(number, str(error))


def _task(row: TaskRecord) -> dict[str, Any]:
    file = text_encodable(row.file)
    return {
        "data": {"image": row.address, "file": file, "sha256": row.sha256},
        "annotations": [_annotation(vote) for vote in row.votes],
        "predictions": [_prediction(prediction) for prediction in row.predictions],
    }


def _annotation(vote: VoteRecord) -> dict[str, Any]:
    result = [_score(vote.score)]
    if vote.watch:
        result.append(_choice(vote.watch))
    return {
        "annotator": text_encodable(vote.annotator),
        "created_at": vote.given_at.isoformat(),
        "was_cancelled": False,
        "result": result,
    }


def _prediction(prediction: TaskPrediction) -> dict[str, Any]:
    result = [_score(round(prediction.quality_mean, 4)), _choice("yes" if prediction.is_watch else "no")]
    return {
        "model_version": str(prediction.version),
        "score": prediction.watch_probability,
        "result": result,
    }


def _score(score: float) -> dict[str, Any]:
    return {"from_name": "score", "to_name": "image", "type": "number", "value": {"number": score}}


def _choice(label: str) -> dict[str, Any]:
    return {"from_name": "watch", "to_name": "image", "type": "choices", "value": {"choices": [label]}}


def _votes(number: int, task: object, scale: tuple[int, int]) -> Iterator[Vote]:
    """Yield the votes of a task. Raises LineError."""
    if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
        raise LineError(gettext_noop("The task is not a JSON object with data."))
    photo = _photo(task["data"])
    annotations = task.get("annotations") or []
    if not isinstance(annotations, list):
        raise LineError(gettext_noop("The annotations are not a list."))
    for annotation in annotations:
        if not isinstance(annotation, Mapping) or not isinstance(annotation.get("result", []), list):
            raise LineError(gettext_noop("An annotation is not a JSON object with a list of results."))
        if annotation.get("was_cancelled"):
            continue
        results = [one for one in annotation.get("result", []) if isinstance(one, Mapping)]
        yield Vote(
            line=number,
            photo=photo,
            annotator=_annotator(annotation),
            score=_score_of(results, scale),
            watch=_watch_of(results),
            given_at=time_read(json_text(annotation.get("created_at"), "time")),
        )


def _photo(data: Mapping[str, object]) -> str:
    if data.get("file"):
        return name_read(json_text(data["file"], "file"))
    address = json_text(data.get("image"), "image")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise LineError(gettext_noop("The image is not an address.")) from None
    # Files on the server of Label Studio have their path in the query: /data/local-files/?d=folder/1.jpg
    path = parts.query.removeprefix("d=") if parts.path.startswith("/data/local-files/") else parts.path
    name = PurePosixPath(unquote(_UPLOADED.sub("", path))).name
    return name_read(name)


def _annotator(annotation: Mapping[str, object]) -> str:
    given = annotation.get("annotator", annotation.get("completed_by"))
    if isinstance(given, Mapping):
        names = (given.get("email"), given.get("username"), given.get("id"))
        given = next((name for name in names if name not in (None, "")), None)
    return name_read(json_text(given, "annotator"), gettext_noop("name of the annotator"))


def _score_of(results: list[Mapping[str, Any]], scale: tuple[int, int]) -> int:
    """Return the rating or the number of an annotation. Raises LineError unless there is one."""
    scores = [_value(one, kind) for one in results for kind in _SCORE_TYPES if one.get("type") == kind]
    if len(scores) != 1:
        words = (
            gettext_noop("An annotation has %(count)s ratings. A vote needs one.")
            if scores
            else gettext_noop("An annotation has no ratings. A vote needs one.")
        )
        raise LineError(words % {"count": len(scores)})
    return score_read(json_text(scores[0], "score"), scale)


def _watch_of(results: list[Mapping[str, Any]]) -> str:
    choices = [_value(one, "choices") for one in results if one.get("type") == "choices"]
    labels = [label for chosen in choices if isinstance(chosen, list) for label in chosen]
    known = [label for label in labels if isinstance(label, str) and label and label in WATCH_LABELS]
    return known[0] if len(known) == 1 else ""


def _value(result: Mapping[str, Any], key: str) -> object:
    value = result.get("value")
    return value.get(key) if isinstance(value, Mapping) else None
