"""`manage.py score PATH…`: score photos and write a table. Needs no database and no worker."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.progress import ProgressBar
from inference.management.options import model_arguments, scale, scorer_for, share
from inference.scoring.contact_sheet import sheet_write
from inference.scoring.files import FilesFound, PathMissing, files_find
from inference.scoring.resume import SORT_COLUMNS, RunTables
from inference.scoring.rows import Rules, classes_for_scale, columns, file_name
from inference.scoring.tables import KINDS, ResumeError, StreamTable
from inference.serving.scorer import PhotoScorer, thumbnail

_LISTED = 20  # failed files listed at the end; the table has all
_SORTS = [sign + name for name in SORT_COLUMNS for sign in ("", "-")]


class Command(BaseCommand):
    help = "Score photos: watch probability, quality, distortions. Run the same command again to resume."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        # argparse would treat -quality in `--sort -quality` as an option.
        for place in range(len(argv) - 1, 0, -1):
            if argv[place - 1] == "--sort" and argv[place] in _SORTS:
                argv[place - 1 : place + 1] = [f"--sort={argv[place]}"]
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="PATH", help="Photos or folders, including subfolders."
        )
        output = parser.add_argument_group("output", "Several are allowed. Default: CSV to standard output.")
        for name, kind in (("csv", "CSV"), ("jsonl", "JSON Lines"), ("parquet", "Parquet")):
            output.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"Write a table as {kind}.")
        output.add_argument("--sheet", type=Path, metavar="HTML", help="Write a page of the best and the worst photos.")
        output.add_argument("--parts", action="store_true", help="Add the probability of each synset.")
        output.add_argument(
            "--sort",
            choices=_SORTS,
            metavar="KEY",
            help="Sort the finished table by quality, watch, file or distortion; -quality and so on: largest first.",
        )
        output.add_argument("--restart", action="store_true", help="Start again instead of resuming.")
        rules = parser.add_argument_group("rules")
        rules.add_argument("--scale", type=scale, default=(1, 10), help="Lowest and highest score. Default: 1-10.")
        rules.add_argument(
            "--threshold",
            type=share,
            default=0.05,
            help="Photos above this watch probability count as a watch. Default: %(default)s.",
        )
        rules.add_argument(
            "--reject-at",
            type=_score,
            metavar="SCORE",
            help="Largest mean score of rejected photos. Default on 1-10: 5.",
        )
        rules.add_argument(
            "--pending-at",
            type=_score,
            metavar="SCORE",
            help="Largest mean score of pending photos. Default on 1-10: 6.",
        )
        rules.add_argument("--no-distortions", action="store_true", help="Skip the four distortion detectors; faster.")
        model_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        rules = _rules(options)
        tables = self._run_tables(rules, options)
        try:
            found = files_find(options["paths"], leave_out=_output_paths(options))
        except PathMissing as missing:
            raise CommandError(str(missing), returncode=2) from missing
        if not found.photos and not found.refused:
            raise CommandError(f"There are no files in {', '.join(str(path) for path in options['paths'])}.")
        try:
            if options["restart"]:
                tables.clear()
            tables.resume()
            self._score(found, rules, tables, options)
        except ResumeError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. The rows written so far are kept; run the same command again to resume.", returncode=130
            ) from None
        except BrokenPipeError:  # the reader of standard output has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        except OSError as error:
            raise CommandError(f"The table cannot be written: {error}.") from error
        self._failures_report(tables)
        if not tables.scored:
            raise CommandError("None of the files could be scored.")

    def _run_tables(self, rules: Rules, options: dict[str, Any]) -> RunTables:
        table_columns = columns(rules, parts=options["parts"])
        files = [(kind, options[kind].expanduser()) for kind in KINDS if options[kind]]
        for path in _output_paths(options):
            if path.is_dir() or not path.parent.is_dir():
                raise CommandError(f"{path} cannot be written: its folder does not exist, or it is a folder.")
        if len({path.resolve() for _, path in files}) < len(files):
            raise CommandError("Each kind of table needs its own file.")
        tables: list[Any] = [KINDS[kind](path, table_columns) for kind, path in files]
        if not tables:
            wanted = not options["sheet"]
            tables = [
                StreamTable(
                    self._print if wanted else lambda text: None,
                    table_columns,
                    hold=bool(options["sort"] or options["sheet"]),
                )
            ]
        return RunTables(tables, rules, distortions=not options["no_distortions"])

    def _print(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def _score(self, found: FilesFound, rules: Rules, tables: RunTables, options: dict[str, Any]) -> None:
        names = {path: file_name(path) for path in found.photos}
        waiting = [path for path, name in names.items() if name not in tables]
        total = len(names) + len(found.refused)
        already = total - len(waiting) - sum(row.file not in tables for row in found.refused)
        tables.append(found.refused)
        if waiting:
            scorer = scorer_for(
                rules,
                options,
                distortions=not options["no_distortions"],
                report=lambda sentence: self.stderr.write(sentence, str),
            )
            if already:
                self.stderr.write(f"Resuming: {already} of {total} files are in the table.", str)
                self._model_check(scorer, tables)
            bar = ProgressBar(self.stderr, live=sys.stderr.isatty(), already=already)
            done = total - len(waiting)
            try:
                for rows in scorer.rows(waiting, name=names.__getitem__, source=lambda path: path):
                    tables.append(rows)
                    done += len(rows)
                    bar.show(done, total)
            finally:
                bar.end()
            seconds = bar.seconds
            self.stderr.write(
                f"{len(waiting)} files in {seconds:.1f} s, {len(waiting) / max(seconds, 1e-9):.0f} photos/s.", str
            )
        tables.finish(options["sort"])
        if options["sheet"]:
            sheet_write(options["sheet"].expanduser(), tables.rows(), rules, thumbnail)

    def _model_check(self, scorer: PhotoScorer, tables: RunTables) -> None:
        """Score one photo of the earlier run again to check that the model is the same."""
        if tables.sample is not None and (path := Path(str(tables.sample["file"]))).is_file():
            for rows in scorer.rows([path], name=str, source=lambda path: path):
                tables.model_check(rows[0])

    def _failures_report(self, tables: RunTables) -> None:
        if not tables.failed:
            return
        self.stderr.write(f"{len(tables.failed)} of {len(tables)} files could not be scored:", str)
        for file, reason in list(tables.failed.items())[:_LISTED]:
            self.stderr.write(f"  {ascii(file) if not file.isprintable() else file}: {reason}", str)
        if len(tables.failed) > _LISTED:
            self.stderr.write(
                f"  … and {len(tables.failed) - _LISTED} more; the column `reason` of the table has all.", str
            )


def _rules(options: dict[str, Any]) -> Rules:
    lowest, bins = options["scale"]
    reject_at, pending_at = classes_for_scale(lowest, bins)
    reject_at = reject_at if options["reject_at"] is None else options["reject_at"]
    pending_at = pending_at if options["pending_at"] is None else options["pending_at"]
    if reject_at > pending_at:
        raise CommandError(f"--reject-at ({reject_at:g}) must not be above --pending-at ({pending_at:g}).")
    return Rules(options["synsets"], lowest, bins, options["threshold"], reject_at, pending_at)


def _output_paths(options: dict[str, Any]) -> list[Path]:
    """Return the files that this run writes, so that they are not scored as photos."""
    paths = [options[kind].expanduser() for kind in (*KINDS, "sheet") if options[kind]]
    return [*paths, *(path.with_name(f"{path.name}.rows") for path in paths)]


def _score(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
