"""`manage.py watch_thresholds PATH --labels CSV`: find the best watch threshold for a folder of labelled photos."""

import csv
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.labels import LabelsError, labels_match, table_read
from annotation.files.names import name_path, name_shown, name_text
from annotation.management.progress import ProgressBar
from annotation.measures.classification import best_threshold, f1, roc_auc, threshold_table
from annotation.measures.intervals import interval, resample_count
from inference.management.options import model_arguments, scorer_for
from inference.scoring.files import PathMissing, files_find
from inference.scoring.rows import Rules

THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_YES, _NO = {"1", "yes", "true", "watch"}, {"0", "no", "false", "no watch"}
_SEED = 1


class Command(BaseCommand):
    help = "Measure the watch probability against labels: ROC AUC, and F1, accuracy, precision, recall by threshold."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="A folder of photos; subfolders are included.")
        parser.add_argument(
            "--labels", type=Path, required=True, metavar="CSV", help="A CSV file with one row for each labelled photo."
        )
        parser.add_argument(
            "--image-column",
            default="file",
            metavar="NAME",
            help="The column with the file name, relative to PATH. Default: %(default)s.",
        )
        parser.add_argument(
            "--label-column",
            default="watch",
            metavar="NAME",
            help="The column with the label: 1 or 0, or yes or no. Default: %(default)s.",
        )
        model_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["path"].expanduser()
        labels = labels_read(options["labels"].expanduser(), options["image_column"], options["label_column"])
        try:
            path_of = {name_text(path.relative_to(folder)): path for path in files_find([folder]).photos}
            match = labels_match(labels, path_of)
        except PathMissing as missing:
            raise CommandError(str(missing), returncode=2) from missing
        except LabelsError as error:
            raise CommandError(f"{options['labels']}: {error}.") from error
        paths = {path_of[name]: label for name, label in match.found.items()}
        missing_names = match.missing
        if not paths:
            raise CommandError(
                f"None of the {len(labels)} files named in {options['labels']} is in {folder} "
                f"(the first one is {name_shown(missing_names[0])})."
            )
        scorer = scorer_for(
            Rules(options["synsets"]),
            options,
            distortions=False,
            watch_only=True,
            report=lambda sentence: self.stderr.write(sentence, str),
        )
        bar = ProgressBar(self.stderr, live=sys.stderr.isatty())
        found: dict[Path, float] = {}
        bad: list[tuple[str, str]] = []
        try:
            for rows in scorer.rows(paths, name=name_text, source=lambda path: path):
                for row in rows:
                    if row.watch_probability is None:
                        bad.append((row.file, row.reason))
                    else:
                        found[name_path(row.file)] = row.watch_probability
                bar.show(len(found) + len(bad), len(paths))
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Nothing was measured.", returncode=130) from None
        finally:
            bar.end()
        self._print_left_out(missing_names, bad, options)
        self._print_table(np.array(list(found.values())), np.array([paths[path] for path in found], dtype=np.int64))

    def _print_left_out(self, missing: list[str], bad: list[tuple[str, str]], options: dict[str, Any]) -> None:
        if missing:
            self.stderr.write(
                f"Left out: {len(missing)} labelled files that are not in {options['path']}, "
                f"for example {name_shown(missing[0])}.",
                str,
            )
        for name, reason in bad:
            self.stderr.write(f"Left out: {name_shown(name)}: {reason}", str)

    def _print_table(self, probabilities: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
        watches = int(labels.sum())
        if not 0 < watches < len(labels):
            raise CommandError(
                f"{watches} of {len(labels)} labelled photos show a watch; both kinds of photos are needed."
            )
        self.stdout.write(
            f"{len(labels)} photos, {watches} of them watches; "
            f"intervals: 95 %, {resample_count(len(labels))} resamples."
        )
        area = interval(roc_auc, probabilities, labels, seed=_SEED)
        self.stdout.write(f"ROC AUC {area.value:.4f} ({area.low:.4f}-{area.high:.4f}), n = {area.n}")
        best = best_threshold(probabilities, labels)
        self.stdout.write("\nthreshold      F1  accuracy  precision  recall     TP    FP    FN    TN")
        for row in threshold_table(probabilities, labels, sorted({*THRESHOLDS, best})):
            hits, alarms, misses = row.true_positives, row.false_positives, row.false_negatives
            precision = f"{hits / (hits + alarms):9.4f}" if hits + alarms else f"{'-':>9}"
            self.stdout.write(
                f"{row.threshold:9.4f}  {row.f1:6.4f}  {row.accuracy:8.4f}  {precision}  {hits / (hits + misses):6.4f}"
                f"  {hits:5} {alarms:5} {misses:5} {row.true_negatives:5}{'  best F1' if row.threshold == best else ''}"
            )
        top = interval(f1, probabilities > best, labels, seed=_SEED)
        self.stdout.write(
            f"\nBest F1 {top.value:.4f} ({top.low:.4f}-{top.high:.4f}) above {best:.4f}. This threshold was chosen on "
            "these labels; on other photos F1 will be slightly lower."
        )


def labels_read(path: Path, image_column: str, label_column: str) -> dict[str, bool]:
    """Return {file: is a watch} from a CSV file. Raises CommandError with the reason if the file is not usable."""
    columns = (image_column, label_column)
    try:
        table = table_read(path, columns)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeError, csv.Error) as error:
        raise CommandError(f"{path} is not a CSV file in UTF-8 or UTF-16: {error}.") from error
    for column in columns:
        if column not in table.header:
            raise CommandError(
                f"{path} has no column {column!r}, only {', '.join(map(repr, table.header)) or 'none'}; "
                "name it with --image-column or --label-column."
            )
    labels: dict[str, bool] = {}
    for line, row in table.rows:
        name, label = row[image_column] or "", (row[label_column] or "").strip().lower()
        if label not in _YES | _NO:
            raise CommandError(f"{path}, line {line}: {label!r} in column {label_column!r} is not a label; use 1 or 0.")
        if labels.setdefault(name, label in _YES) != (label in _YES):
            raise CommandError(f"{path}, line {line}: {name} has two different labels.")
    if not labels:
        raise CommandError(f"{path} has a header but no labels.")
    return labels
