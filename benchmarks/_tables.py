"""The tables of measured claims in the README and the docs, drawn from the newest results of each benchmark.

`results/NAME.json` has the results of a benchmark and when they were measured, so one benchmark can be measured again
without the others. Not a benchmark.
"""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from inference.scoring.processor import has_vnni, processor_name

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
#: Benchmarks whose table is on another page than the README.
PAGES = {
    "active_learning": ROOT / "docs" / "reference" / "simulation.md",
    "audit": ROOT / "docs" / "reference" / "metrics.md",
    "classes": ROOT / "docs" / "reference" / "recipes.md",
    "drift": ROOT / "docs" / "reference" / "metrics.md",
    "consensus": ROOT / "docs" / "reference" / "consensus.md",
    "guarantee": ROOT / "docs" / "how-to" / "let-the-model-decide.md",
    "learning": ROOT / "docs" / "reference" / "recipes.md",
    "learning_curve": ROOT / "docs" / "reference" / "recipes.md",
    "watch_labels": ROOT / "docs" / "reference" / "recipes.md",
    "whole_network": ROOT / "docs" / "reference" / "recipes.md",
    "gate": ROOT / "docs" / "reference" / "metrics.md",
    "probability_fit": ROOT / "docs" / "reference" / "metrics.md",
    "personal": ROOT / "docs" / "reference" / "personal-scores.md",
    "near_duplicates": ROOT / "docs" / "reference" / "metrics.md",
    "slices": ROOT / "docs" / "reference" / "metrics.md",
}
RESULTS = Path(__file__).parent / "results"
SECOND = Path(__file__).parent / "without_vnni.json"
TABLE_BEGINS, TABLE_ENDS = "<!-- make bench begins -->", "<!-- make bench ends -->"


def results_store(name: str, claims: list[dict[str, Any]]) -> None:
    """Store what a benchmark has printed today, and draw the table of its page again.

    On a processor without VNNI, a benchmark of the README changes the second column of its table only.
    """
    page = PAGES.get(name, README)
    if page == README and not has_vnni():
        second = second_column(json.loads(SECOND.read_text()), claims, processor_name(), date.today())
        SECOND.write_text(json.dumps(second, indent=2) + "\n")
    else:
        found = {"measured": date.today().isoformat(), "claims": claims}
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    page.write_text(page_text(page))


def second_column(before: dict[str, Any], claims: list[dict[str, Any]], processor: str, day: date) -> dict[str, Any]:
    """Return what `without_vnni.json` contains afterwards: also the ratios of these claims, if they have a key."""
    figures = {claim["key"]: f"{claim['value']:g}" for claim in claims if claim["key"]}
    return {
        "processor": processor,
        "measured": f"measured on {day:%-d %B %Y}",
        "figures": before["figures"] | figures,
    }


def page_text(page: Path) -> str:
    """Return the text of a page with the table of its benchmarks' stored results."""
    files = [file for file in sorted(RESULTS.glob("*.json")) if PAGES.get(file.stem, README) == page]
    results = {file.stem: json.loads(file.read_text()) for file in files}
    claims = [claim for found in results.values() for claim in found["claims"]]
    second = json.loads(SECOND.read_text()) if page == README else None
    measured = measured_text((found["measured"], name) for name, found in results.items())
    return table_put(page.read_text(), f"{table(claims, second)}\n\n{measured}")


def measured_text(results: Iterable[tuple[str, str]]) -> str:
    """Return when the results were measured. results: (date in ISO 8601, name of the benchmark)."""
    days: dict[str, list[str]] = {}
    for day, name in sorted(results, reverse=True):
        days.setdefault(day, []).append(f"`{name}`")
    parts = [f"{', '.join(sorted(names))} on {date.fromisoformat(day):%-d %B %Y}" for day, names in days.items()]
    return f"Measured: {'; '.join(parts)}."


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
