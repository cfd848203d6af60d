"""`python -m benchmarks [NAME] [--data DIR]` runs one benchmark, or all, and prints one JSON line per claim.

Every module of this package without a leading underscore is a benchmark: it defines `measure(setting)`, which yields
claims. Each benchmark runs in a new process, so that its imports do not affect the next. The exit status is 1 when a
claim does not hold. With `--tables` the results replace the tables in the README and in the pages of `PAGES`. On a
processor without VNNI those of the README go to `without_vnni.json` instead, which is the second column of its table.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks._claims import DataMissing, Setting
from inference.scoring.processor import has_vnni, processor_name

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
#: Benchmarks whose table is on another page than the README.
PAGES = {
    "active_learning": ROOT / "docs" / "reference" / "simulation.md",
    "audit": ROOT / "docs" / "reference" / "metrics.md",
    "classes": ROOT / "docs" / "reference" / "recipes.md",
    "consensus": ROOT / "docs" / "reference" / "consensus.md",
    "guarantee": ROOT / "docs" / "how-to" / "let-the-model-decide.md",
    "learning": ROOT / "docs" / "reference" / "recipes.md",
    "learning_curve": ROOT / "docs" / "reference" / "recipes.md",
    "watch_labels": ROOT / "docs" / "reference" / "recipes.md",
    "whole_network": ROOT / "docs" / "reference" / "recipes.md",
    "gate": ROOT / "docs" / "reference" / "metrics.md",
    "probability_fit": ROOT / "docs" / "reference" / "metrics.md",
    "personal": ROOT / "docs" / "reference" / "personal-scores.md",
}
SECOND = Path(__file__).parent / "without_vnni.json"
TABLE_BEGINS, TABLE_ENDS = "<!-- make bench begins -->", "<!-- make bench ends -->"


def names() -> list[str]:
    """Return the names of all benchmarks."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def run(name: str, setting: Setting) -> bool:
    """Run one benchmark in this process, print its claims, and return whether all hold."""
    holds = True
    for claim in importlib.import_module(f"benchmarks.{name}").measure(setting):
        print(claim.line(), flush=True)
        holds &= claim.ok
    return holds


def run_all(arguments: list[str], *, tables: bool) -> int:
    """Run every benchmark and print its lines. tables: replace the tables of the pages."""
    status = 0
    claims: dict[Path, list[dict[str, Any]]] = {}
    for name in names():
        of_page = claims.setdefault(PAGES.get(name, README), [])
        command = [sys.executable, "-m", "benchmarks", name, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                of_page.append(json.loads(line))
        status = max(status, process.returncode)
    for page, rows in claims.items() if tables else ():
        tables_write(page, rows)
    return status


def tables_write(page: Path, claims: list[dict[str, Any]]) -> None:
    """Replace the table of a page; without VNNI the second column of the README's table."""
    measured = f"measured on {date.today():%d %B %Y}"
    if page != README:
        page.write_text(table_put(page.read_text(), table(claims)))
    elif has_vnni():
        page.write_text(table_put(page.read_text(), table(claims, json.loads(SECOND.read_text()))))
    else:
        SECOND.write_text(json.dumps(second_column(claims, processor_name(), measured), indent=2) + "\n")


def second_column(claims: list[dict[str, Any]], processor: str, measured: str) -> dict[str, Any]:
    """Return what `without_vnni.json` contains: the ratios of the claims that have a key."""
    figures = {claim["key"]: f"{claim['value']:g}" for claim in claims if claim["key"]}
    return {"processor": processor, "measured": measured, "figures": figures}


def table(claims: list[dict[str, Any]], second: dict[str, Any] | None = None) -> str:
    """Return the claims as a Markdown table, including those that do not hold.

    `second`: the contents of `without_vnni.json`. Its figures are the last column. None: without this column.
    """
    rows = [
        f"| {claim['claim']} | {claim['value']:g} {claim['unit']} | {claim['baseline']} | "
        f"{_target(claim)}{'' if claim['ok'] else ', missed'} |"
        for claim in claims
    ]
    if second is None:
        return "\n".join(["| result | value | compared with | target |", "|---|---|---|---|", *rows])
    rows = [f"{row} {second['figures'].get(claim['key'], '')} |" for row, claim in zip(rows, claims, strict=True)]
    head = ["| result | ratio | baseline | target | without VNNI |", "|---|---|---|---|---|"]
    note = (
        f"Last column: the same on {second['processor']}, {second['measured']}. An empty cell was not measured there."
    )
    return "\n".join([*head, *rows, "", note])


def _target(claim: dict[str, Any]) -> str:
    """Return the target, or the lowest and the highest value."""
    return f"{claim['target']:g}" + (f" to {claim['highest']:g}" if "highest" in claim else "")


def table_put(text: str, lines: str) -> str:
    """Return the text with `lines` between the two markers. Raises ValueError when a marker is missing."""
    before, begin, rest = text.partition(TABLE_BEGINS)
    _old, end, after = rest.partition(TABLE_ENDS)
    if not (begin and end):
        raise ValueError(f"The page lacks {TABLE_BEGINS} or {TABLE_ENDS}.")
    return f"{before}{begin}\n{lines}\n{end}{after}"


def main() -> int:
    """Read the command line and run one benchmark or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=names(), help="name of a benchmark (default: run all)")
    parser.add_argument("--data", type=Path, help="folder of real photos or votes (default: generated ones)")
    parser.add_argument("--test", type=Path, help="folder of other photos with votes, to test on (learning)")
    parser.add_argument("--tiny", action="store_true", help="a very small run without meaningful results, for tests")
    parser.add_argument("--tables", action="store_true", help="replace the tables of the pages, when all run")
    options = parser.parse_args()
    if options.name is None:
        data = ["--data", str(options.data)] if options.data else []
        return run_all([*data, *(["--tiny"] if options.tiny else [])], tables=options.tables)
    with tempfile.TemporaryDirectory(prefix="iqs-bench-") as folder:
        # A temporary IQS_VAR protects the data of the instance in this checkout.
        os.environ["IQS_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
        try:
            return 0 if run(options.name, Setting(options.data, options.tiny, options.test)) else 1
        except DataMissing as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
