"""Import and export of many votes, compared with PostgreSQL's COPY of the rows that they write. All rows are generated.

COPY is the fastest way to get rows in and out. It gets finished rows: it finds no photo, creates no annotator and
checks no line.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks._campaign import images_make, temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._machine import machine

MEMORY_MIB = 500


def measure(setting: Setting) -> Iterator[Claim]:
    """Import votes and histograms, and export them again."""
    photos, people, each = (40, 10, 100) if setting.tiny else (50_000, 1_000, 1_000)
    rows = 200 if setting.tiny else 250_000
    with temporary_campaign("exchange") as (folder, campaign):
        from annotation.exchange.registry import FORMATS
        from annotation.selectors.export import annotation_records

        images_make(campaign, photos)
        votes = _votes_write(folder / "votes.csv", photos, people, min(each, photos))
        histograms = _histograms_write(folder / "histograms.csv", rows)
        seconds, memory = _measured(lambda: _import(campaign, "votes-csv", votes))
        count = people * min(each, photos)
        copied = _copy_seconds("annotation_annotation")
        yield from _claims(f"Importing {count:,} votes by {people:,} people", seconds, 180, copied, memory)
        seconds, memory = _measured(lambda: _import(campaign, "histogram-csv", histograms))
        copied = _copy_seconds("annotation_aggregatedvotes")
        yield from _claims(f"Importing {rows:,} histograms", seconds, 60, copied, memory)

        def export() -> None:
            with (folder / "out.csv").open("wb") as file:
                file.writelines(FORMATS["annotations-csv"].write(annotation_records(campaign)))

        seconds, memory = _measured(export)
        yield from _claims(f"Exporting {count:,} answers as CSV", seconds, 180, _copy_out_seconds(), memory)


def _claims(what: str, seconds: float, limit: float, copied: float, memory: float) -> Iterator[Claim]:
    yield machine().seconds_claim(what, seconds, limit, "s")
    yield Claim(
        claim=f"{what}: {seconds:.1f} s",
        value=copied / seconds,
        unit="times as fast",
        baseline=f"PostgreSQL's COPY of the same finished rows: {copied:.1f} s",
        target=0.03,
    )
    yield Claim(
        claim=f"{what}: memory rises to {memory:.0f} MiB",
        value=MEMORY_MIB / memory,
        unit="times below",
        baseline=f"limit: {MEMORY_MIB} MiB",
        target=1.0,
    )


def _import(campaign: Any, name: str, path: Path) -> None:
    from annotation.exchange.registry import READERS
    from annotation.models import VoteImport
    from annotation.services.vote_imports import vote_import_begin, vote_import_run

    begun = vote_import_begin(campaign=campaign, reader=READERS[name], source=path.name, state=VoteImport.State.RUNNING)
    done = vote_import_run(vote_import=begun, path=path)
    if done.state != VoteImport.State.DONE:
        raise RuntimeError(f"{done.message} {done.problems[:3]}")


def _votes_write(path: Path, photos: int, people: int, each: int) -> Path:
    """Write a file in which each of the people votes on `each` photos."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write("annotator,file,score\n")
        for person in range(people):
            chosen = rng.choice(photos, each, replace=False).tolist()
            scores = rng.integers(1, 11, each).tolist()
            lines = (f"p{person},{photo}.jpg,{score}\n" for photo, score in zip(chosen, scores, strict=True))
            file.writelines(lines)
    return path


def _histograms_write(path: Path, rows: int) -> Path:
    rng = np.random.default_rng(1)
    with path.open("w") as file:
        file.write("file," + ",".join(map(str, range(1, 11))) + "\n")
        for number, counts in enumerate(rng.poisson(21, (rows, 10)).tolist()):
            file.write(f"{number}.jpg," + ",".join(map(str, counts)) + "\n")
    return path


def _measured(action: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of an action, and the highest memory of this process during it, in MiB."""
    process, ended, highest = psutil.Process(), threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.02):
            highest[0] = max(highest[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    try:
        action()
    finally:
        seconds = time.perf_counter() - begin
        ended.set()
        watcher.join()
    return seconds, max(highest[0], process.memory_info().rss) / 1024**2


def _copy_seconds(table: str) -> float:
    """Return the seconds that COPY takes to write all rows of a table into an empty one with the same indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE copied (LIKE {table} INCLUDING ALL)")
        rows = io.BytesIO()
        with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
            for piece in copy:
                rows.write(piece)
        begin = time.perf_counter()
        with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
            copy.write(rows.getvalue())
        seconds = time.perf_counter() - begin
        cursor.execute("DROP TABLE copied")
    return seconds


def _copy_out_seconds() -> float:
    """Return the seconds that COPY takes to send all answers as CSV."""
    from django.db import connection

    begin = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy("COPY annotation_annotation TO STDOUT (FORMAT csv)") as copy:
        for _piece in copy:
            pass
    return time.perf_counter() - begin
