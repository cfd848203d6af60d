"""`python -m benchmarks [NAME] [--data DIR]` runs one benchmark, or all, and prints one JSON line per claim.

Every module of this package without a leading underscore is a benchmark: it defines `measure(setting)`, which yields
claims. Each benchmark runs in a new process, so that its imports do not affect the next. The exit status is 1 when a
claim does not hold. With `--tables` the results of a benchmark replace its earlier ones in `results/` and in the table
of its page, when it has run to its end.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._claims import Claim, DataMissing, Setting
from benchmarks._tables import results_store


def names() -> list[str]:
    """Return the names of all benchmarks."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def run(name: str, setting: Setting) -> list[Claim]:
    """Run one benchmark in this process, print its claims, and return them."""
    claims = []
    for claim in importlib.import_module(f"benchmarks.{name}").measure(setting):
        print(claim.line(), flush=True)
        claims.append(claim)
    return claims


def run_all(arguments: list[str]) -> int:
    """Run every benchmark with these arguments, each in a process of its own. Returns the highest exit status."""
    commands = ([sys.executable, "-m", "benchmarks", name, *arguments] for name in names())
    return max(subprocess.run(command, check=False).returncode for command in commands)


def main() -> int:
    """Read the command line and run one benchmark or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=names(), help="name of a benchmark (default: run all)")
    parser.add_argument("--data", type=Path, help="folder of real photos or votes (default: generated ones)")
    parser.add_argument("--test", type=Path, help="folder of other photos with votes, to test on (learning)")
    parser.add_argument("--tiny", action="store_true", help="a very small run without meaningful results, for tests")
    parser.add_argument("--tables", action="store_true", help="replace the results in the tables of the pages")
    options = parser.parse_args()
    if options.tables and options.tiny:
        parser.error("--tiny has no results for the tables")
    if options.name is None:
        return run_all(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="iqs-bench-") as folder:
        # A temporary IQS_VAR protects the data of the instance in this checkout.
        os.environ["IQS_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
        try:
            claims = run(options.name, Setting(options.data, options.tiny, options.test))
        except DataMissing as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1
    if options.tables:
        results_store(options.name, [json.loads(claim.line()) for claim in claims])
    return 0 if all(claim.ok for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
