"""`python -m benchmarks [NAME] [--data DIR]` runs one benchmark, or all, and prints one JSON line per claim.

Every module of this package without a leading underscore is a benchmark: it defines `measure(setting)`, which yields
claims. Each benchmark runs in a new process, so that its imports do not affect the next. The exit status is 1 when a
claim does not hold. With `--readme` the results replace the table in the README.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._claims import DataMissing, Setting

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


def run_all(arguments: list[str], readme: Path | None) -> int:
    """Run every benchmark and print its lines; write them into the table of `readme` unless it is None."""
    status, claims = 0, []
    for name in names():
        command = [sys.executable, "-m", "benchmarks", name, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                claims.append(json.loads(line))
        status = max(status, process.returncode)
    if readme is not None and claims:
        readme.write_text(table_put(readme.read_text(), table(claims)))
    return status


def table(claims: list[dict[str, Any]]) -> str:
    """Return the claims as a Markdown table, including those that do not hold."""
    rows = [
        f"| {claim['claim']} | {claim['value']:g} {claim['unit']} | {claim['baseline']} | "
        f"{claim['target']:g}{'' if claim['ok'] else ', missed'} |"
        for claim in claims
    ]
    return "\n".join(["| result | ratio | baseline | target |", "|---|---|---|---|", *rows])


def table_put(text: str, lines: str) -> str:
    """Return the text with `lines` between the two markers. Raises ValueError when a marker is missing."""
    before, begin, rest = text.partition(TABLE_BEGINS)
    _old, end, after = rest.partition(TABLE_ENDS)
    if not (begin and end):
        raise ValueError(f"The README lacks {TABLE_BEGINS} or {TABLE_ENDS}.")
    return f"{before}{begin}\n{lines}\n{end}{after}"


def main() -> int:
    """Read the command line and run one benchmark or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=names(), help="name of a benchmark (default: run all)")
    parser.add_argument("--data", type=Path, help="folder of real photos (default: generated photos)")
    parser.add_argument("--tiny", action="store_true", help="a very small run without meaningful results, for tests")
    parser.add_argument("--readme", type=Path, help="file whose table is replaced, when all benchmarks run")
    options = parser.parse_args()
    if options.name is None:
        data = ["--data", str(options.data)] if options.data else []
        return run_all([*data, *(["--tiny"] if options.tiny else [])], options.readme)
    with tempfile.TemporaryDirectory(prefix="iqs-bench-") as folder:
        # A temporary IQS_VAR protects the data of the instance in this checkout.
        os.environ["IQS_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
        try:
            return 0 if run(options.name, Setting(options.data, options.tiny)) else 1
        except DataMissing as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
