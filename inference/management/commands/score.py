"""`manage.py score PATH…`: score photos and write a table. Needs no database and no worker."""

import math
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from annotation.files.names import name_path, name_shown, name_text
from annotation.files.whole_file import is_stream
from annotation.management.progress import ProgressBar
from annotation.management.table_output import is_standard_output, table_output
from inference.management.options import model_arguments, scale, scorer_for, share
from inference.scoring.contact_sheet import sheet_html, sheet_write
from inference.scoring.files import FilesFound, PathMissing, files_find
from inference.scoring.resume import SORT_COLUMNS, RunTables
from inference.scoring.rows import Column, Rules, columns
from inference.scoring.tables import KINDS, CsvTable, ResumeError, StreamTable, Table
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
            output.add_argument(
                f"--{name}", type=Path, metavar="FILE", help=f"Write a table as {kind}; - is standard output."
            )
        output.add_argument("--sheet", type=Path, metavar="HTML", help="Write a page of the best and the worst photos.")
        output.add_argument(
            "--excel", action="store_true", help="Begin CSV with a byte order mark, so that Excel detects UTF-8."
        )
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
            help="Largest mean score of rejected photos, on the scale. Default: 5 on 1-10, on other scales at the same "
            "share of the range.",
        )
        rules.add_argument(
            "--pending-at",
            type=_score,
            metavar="SCORE",
            help="Largest mean score of pending photos, on the scale. Default: 6 on 1-10, and so on.",
        )
        rules.add_argument("--no-distortions", action="store_true", help="Skip the four distortion detectors; faster.")
        model_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        rules = _rules(options)
        tables = self._run_tables(rules, options)
        try:
            found = files_find(options["paths"], leave_out=_files_written(options))
        except PathMissing as missing:
            raise CommandError(str(missing), returncode=2) from missing
        if not found.photos and not found.refused:
            paths = ", ".join(name_shown(name_text(path)) for path in options["paths"])
            raise CommandError(f"There are no files in {paths}.")
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
        for path in _files_written(options):
            if path.is_dir() or not path.parent.is_dir():
                raise CommandError(f"{path} cannot be written: its folder does not exist, or it is a folder.")
        targets = [path if is_standard_output(path) else path.resolve() for path in _outputs(options).values()]
        if len(set(targets)) < len(targets):
            raise CommandError("Each kind of table needs its own file.")
        tables = [
            self._table(kind, path, table_columns, options) for kind, path in _outputs(options).items() if kind in KINDS
        ]
        if not tables:
            send = (lambda piece: None) if options["sheet"] else table_output(self.stdout)
            tables = [self._stream("csv", send, table_columns, options)]
        return RunTables(tables, rules, distortions=not options["no_distortions"])

    def _table(self, kind: str, path: Path, table_columns: Sequence[Column], options: dict[str, Any]) -> Table:
        if is_standard_output(path):
            return self._stream(kind, table_output(self.stdout), table_columns, options)
        if is_stream(path):
            return self._stream(kind, _PipeWriter(path), table_columns, options, name=str(path))
        if kind == "csv":
            return CsvTable(path, table_columns, for_excel=options["excel"])
        return KINDS[kind](path, table_columns)

    def _stream(
        self,
        kind: str,
        send: Callable[[bytes], object],
        table_columns: Sequence[Column],
        options: dict[str, Any],
        **named: str,
    ) -> StreamTable:
        hold = bool(options["sort"] or options["sheet"])
        return StreamTable(kind, send, table_columns, hold=hold, for_excel=options["excel"], **named)

    def _score(self, found: FilesFound, rules: Rules, tables: RunTables, options: dict[str, Any]) -> None:
        names = {path: name_text(path) for path in found.photos}
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
        sheet = _outputs(options).get("sheet")
        if sheet and is_standard_output(sheet):
            table_output(self.stdout)(sheet_html(tables.rows(), rules, thumbnail).encode())
        elif sheet:
            sheet_write(sheet, tables.rows(), rules, thumbnail)

    def _model_check(self, scorer: PhotoScorer, tables: RunTables) -> None:
        """Score one photo of the earlier run again to check that the model is the same."""
        if tables.sample is not None and (path := name_path(str(tables.sample["file"]))).is_file():
            for rows in scorer.rows([path], name=name_text, source=lambda path: path):
                tables.model_check(rows[0])

    def _failures_report(self, tables: RunTables) -> None:
        if not tables.failed:
            return
        self.stderr.write(f"{len(tables.failed)} of {len(tables)} files could not be scored:", str)
        for file, reason in list(tables.failed.items())[:_LISTED]:
            self.stderr.write(f"  {name_shown(file)}: {name_shown(reason)}", str)
        if len(tables.failed) > _LISTED:
            self.stderr.write(
                f"  … and {len(tables.failed) - _LISTED} more; the column `reason` of the table has all.", str
            )


def _rules(options: dict[str, Any]) -> Rules:
    lowest, bins = options["scale"]
    rules = Rules(
        options["synsets"],
        lowest,
        bins,
        options["threshold"],
        math.nan if options["reject_at"] is None else options["reject_at"],
        math.nan if options["pending_at"] is None else options["pending_at"],
    )
    if rules.reject_at > rules.pending_at:
        raise CommandError(f"--reject-at ({rules.reject_at:g}) must not be above --pending-at ({rules.pending_at:g}).")
    for name, limit in (("--reject-at", rules.reject_at), ("--pending-at", rules.pending_at)):
        if not rules.lowest <= limit <= rules.highest:
            raise CommandError(f"{name} ({limit:g}) must be on the scale {rules.lowest}-{rules.highest}.")
    return rules


def _outputs(options: dict[str, Any]) -> dict[str, Path]:
    """Return {kind: path} of the tables and the sheet; every name of standard output is `-`."""
    given = {kind: options[kind].expanduser() for kind in (*KINDS, "sheet") if options[kind]}
    return {kind: Path("-") if is_standard_output(path) else path for kind, path in given.items()}


def _files_written(options: dict[str, Any]) -> list[Path]:
    """Return the files that this run writes, so that they are not scored as photos."""
    paths = [path for path in _outputs(options).values() if not is_standard_output(path) and not is_stream(path)]
    return [*paths, *(path.with_name(f"{path.name}.rows") for path in paths)]


class _PipeWriter:
    """Writes to a pipe or a device. It is opened by the first write, because that waits for a reader."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def __call__(self, piece: bytes) -> None:
        if self._file is None:
            self._file = self.path.open("wb", buffering=0)
        self._file.write(piece)


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ArgumentTypeError(f"{text!r} is not a number")
    return score
