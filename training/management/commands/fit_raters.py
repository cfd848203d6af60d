"""`manage.py fit_raters VOTES.csv --out FILE`: fit simulated annotators to the votes of a real panel."""

import csv
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from annotation.files.whole_file import whole_file
from training.simulation.raters import PanelUnusable, RaterPanel, raters_fitted

_COLUMNS = ("annotator", "file", "score")


class Command(BaseCommand):
    help = (
        "Fit simulated annotators to the votes of a real panel: how their bias, gain and noise are distributed. "
        "`simulate --raters` uses the file."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "votes", type=Path, metavar="CSV", help="Votes with the columns annotator, file and score, one a row."
        )
        parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="The file to write.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["votes"].expanduser()
        rows = votes_read(path)
        _, photo = np.unique([row["file"] for row in rows], return_inverse=True)
        _, annotator = np.unique([row["annotator"] for row in rows], return_inverse=True)
        try:
            scores = [float(row["score"]) for row in rows]
            panel = raters_fitted(photo, annotator, scores, fitted_on=f"{path.parent.name}/{path.name}")
        except (PanelUnusable, ValueError) as error:
            raise CommandError(f"{path}: {error}.") from error
        with whole_file(options["out"].expanduser(), "w") as file:
            json.dump(panel.as_json(), file, indent=2)
            file.write("\n")
        self.stdout.write(summary(panel))


def votes_read(path: Path) -> list[dict[str, str]]:
    """Return the rows. Raises CommandError with the reason if the file is not usable."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeError, csv.Error) as error:
        raise CommandError(f"{path} is not a CSV file in UTF-8: {error}.") from error
    if missing:
        raise CommandError(f"{path} has no column {' and no column '.join(missing)}.")
    return rows


def summary(panel: RaterPanel) -> str:
    """Return what the panel is like, in a few lines."""
    noise = np.exp(panel.log_noise[0])
    return (
        f"{panel.votes:,} votes on the scale {panel.lowest}-{panel.highest}; "
        f"{panel.annotators:,} annotators with enough votes.\n"
        f"bias: standard deviation {panel.bias[1]:.2f} points\n"
        f"gain: {panel.gain[0]:.2f} ± {panel.gain[1]:.2f}\n"
        f"noise: typically {noise:.2f} points, from {noise * np.exp(-panel.log_noise[1]):.2f} to "
        f"{noise * np.exp(panel.log_noise[1]):.2f} for two in three\n"
        f"Votes lie {panel.vote_deviation:.2f} points from the mean of their photo; those of simulated annotators "
        f"{panel.simulated_deviation:.2f}."
    )
