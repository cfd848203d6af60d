"""Command-line options that the commands for scoring photos share."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from annotation.models import DEFAULT_SYNSETS
from inference.networks.config import WeightsMissing
from inference.networks.model_files import ModelFileError
from inference.scoring.predictor import DeviceMissing
from inference.scoring.rows import Rules
from inference.serving.scorer import PhotoScorer, scorer_load

MOST_BINS = 101  # scores on a scale


def model_arguments(parser: ArgumentParser) -> None:
    """Add the options for model and threads."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--heads",
        type=Path,
        metavar="DIR",
        help="Folder with heads.safetensors and card.json, for example of a model version. Default: the shipped prior.",
    )
    group.add_argument("--backbone", metavar="NAME", help="Backbone. Default: the one that the heads were trained for.")
    group.add_argument(
        "--synsets",
        type=synsets,
        default=tuple(DEFAULT_SYNSETS),
        metavar="N,N,…",
        help="ImageNet classes that count as a watch. Default: "
        + ", ".join(f"{number} {name}" for number, name in DEFAULT_SYNSETS.items())
        + ".",
    )
    group.add_argument(
        "--threads",
        type=whole_number,
        default=settings.IQS_THREADS,
        metavar="N",
        help="Default: IQS_THREADS, which is %(default)s here.",
    )


def scorer_for(
    rules: Rules, options: dict[str, Any], *, distortions: bool, report: Any, watch_only: bool = False
) -> PhotoScorer:
    """Return the scorer for the options. Raises CommandError with the reason if it cannot be loaded."""
    try:
        return scorer_load(
            rules,
            heads=options["heads"] and options["heads"].expanduser(),
            backbone=options["backbone"],
            watch_only=watch_only,
            distortions=distortions,
            threads=options["threads"],
            report=report,
        )
    except (ModelFileError, WeightsMissing, DeviceMissing) as error:
        raise CommandError(str(error)) from error


def scale(text: str) -> tuple[int, int]:
    """Read a scale such as 1-10 as (lowest score, number of scores)."""
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal()) or not 2 <= int(high) - int(low) + 1 <= MOST_BINS:
        raise ArgumentTypeError(f"{text!r} is not a scale; give the lowest and highest score, for example 0-4 or 1-10")
    return int(low), int(high) - int(low) + 1


def synsets(text: str) -> tuple[int, ...]:
    """Read ImageNet classes, 0 to 999, separated by commas."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) < 1000 for word in words) or len(set(words)) < len(words):
        raise ArgumentTypeError(f"{text!r}: give ImageNet classes from 0 to 999, separated by commas, without repeats")
    return tuple(int(word) for word in words)


def whole_number(text: str) -> int:
    """Read a whole number above zero."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value
