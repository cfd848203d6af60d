"""`python -m benchmarks [NAME] [--data DIR]` runs one benchmark, or all, and prints one JSON line per claim.

Every module of this package without a leading underscore is a benchmark: it defines `measure(setting)`, which yields
claims. Each runs in a process of its own, so that what one loads does not slow the next. The exit status is 1 when a
claim does not hold.
"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._claims import DataMissing, Setting


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


def main() -> int:
    """Read the command line and run what it names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=names(), help="one benchmark (default: all, one after the other)")
    parser.add_argument("--data", type=Path, help="folder of real photos (default: drawn ones)")
    parser.add_argument("--tiny", action="store_true", help="so little that the figures mean nothing; for tests")
    options = parser.parse_args()
    if options.name is None:
        commands = [[sys.executable, "-m", "benchmarks", name, *sys.argv[1:]] for name in names()]
        return max(subprocess.run(command, check=False).returncode for command in commands)
    with tempfile.TemporaryDirectory(prefix="iqs-bench-") as folder:
        # Some benchmarks read settings; none may touch the data of the instance in this checkout.
        os.environ["IQS_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
        try:
            return 0 if run(options.name, Setting(options.data, options.tiny)) else 1
        except DataMissing as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
