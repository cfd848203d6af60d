"""The tables of the README and the docs show the newest results of each benchmark."""

import json
from datetime import date
from pathlib import Path

import pytest

from benchmarks import _tables
from benchmarks.__main__ import names
from benchmarks._claims import Claim
from benchmarks._tables import (
    PAGES,
    README,
    RESULTS,
    SECOND,
    TABLE_BEGINS,
    TABLE_ENDS,
    measured_text,
    page_text,
    results_store,
    second_column,
    table,
    table_put,
)
from benchmarks.scoring import LARGE

NO_SECOND = {"processor": "", "measured": "", "figures": {}}
DRAWN = [README, *dict.fromkeys(PAGES.values())]


def test_the_table_in_the_readme_is_replaced_and_shows_missed_targets():
    claims = [
        json.loads(Claim("Saving", 2.0, "times as fast", "waiting", target=2.0).line()),
        json.loads(Claim("Reading", 1.0, "times as fast", "walking", target=2.0).line()),
    ]

    text = table_put(f"Before\n{TABLE_BEGINS}\nold\n{TABLE_ENDS}\nAfter\n", table(claims, NO_SECOND))

    assert "old" not in text
    assert "| Saving | 2 times as fast | waiting | 2 |  |" in text
    assert "| Reading | 1 times as fast | walking | 2, missed |  |" in text
    assert text.startswith("Before\n")
    assert text.endswith("After\n")


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="lacks"):
        table_put("no markers", "")


@pytest.mark.parametrize("page", [README, *PAGES.values()], ids=lambda page: page.name)
def test_the_pages_have_markers_for_their_tables(page: Path):
    assert table_put(page.read_text(), "rows")


def test_a_table_without_a_second_machine_has_no_column_for_it():
    claim = json.loads(Claim("Covering", 95.0, "%", "Student's t", target=93).line())

    assert table([claim]).splitlines()[2] == "| Covering | 95 % | Student's t | 93 |"


def test_a_range_of_allowed_values_is_shown() -> None:
    claim = Claim("Covering", 95.0, "%", "Student's t", target=93, highest=98)

    assert "| Covering | 95 % | Student's t | 93 to 98 |  |" in table([json.loads(claim.line())], NO_SECOND)


def test_the_second_column_has_the_figures_of_the_rows_with_a_key() -> None:
    claims = [
        json.loads(Claim("Saving", 2.0, "times as fast", "waiting", 2.0, key="save").line()),
        json.loads(Claim("Reading", 3.0, "times as fast", "walking", 2.0).line()),
    ]
    before = {"processor": "older", "measured": "long ago", "figures": {"save": "9", "score": "3"}}
    second = second_column(before, claims, "EPYC, avx2", date(2026, 5, 1))
    assert second["figures"] == {"save": "2", "score": "3"}, "other benchmarks keep their figures"
    first, other, _, note = table(claims, second | {"figures": {"save": "1.1 s"}}).splitlines()[2:]
    assert first == "| Saving | 2 times as fast | waiting | 2 | 1.1 s |"
    assert other == "| Reading | 3 times as fast | walking | 2 |  |"
    assert "EPYC, avx2, measured on 1 May 2026" in note


def test_every_figure_of_the_second_column_belongs_to_a_row() -> None:
    figures = json.loads(SECOND.read_text())["figures"]
    source = "".join(path.read_text() for path in SECOND.parent.glob("*.py"))
    large = {f"scoring_{megapixels}_megapixels" for megapixels in LARGE}
    assert Path(SECOND).is_file()
    assert [key for key in figures if f'key="{key}"' not in source and key not in large] == []


@pytest.mark.parametrize("page", DRAWN, ids=lambda page: page.name)
def test_a_page_shows_what_is_stored(page: Path) -> None:
    assert page.read_text() == page_text(page), "a table was changed by hand, or results without their table"


def test_stored_results_are_those_of_benchmarks() -> None:
    assert {file.stem for file in RESULTS.glob("*.json")} <= set(names())


def test_one_benchmark_is_measured_again_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before\n{TABLE_BEGINS}\n{TABLE_ENDS}\nAfter\n")
    # Replaced, so that the test does not write into the repository.
    monkeypatch.setattr(_tables, "RESULTS", tmp_path)
    monkeypatch.setattr(_tables, "PAGES", {"walk": page, "wait": page})
    old, other, new = (
        [json.loads(Claim(text, 2.0, "times", "nothing", 1.0).line())] for text in ("Old", "Other", "New")
    )
    results_store("walk", old)
    results_store("wait", other)
    results_store("walk", new)
    rows = [line[2:7].strip(" |") for line in page.read_text().splitlines() if line.startswith("| ")]
    assert rows == ["resul", "Other", "New"]
    assert f"Measured: `wait`, `walk` on {date.today():%-d %B %Y}." in page.read_text()


def test_the_days_of_measuring_are_shown_newest_first() -> None:
    found = measured_text([("2026-01-09", "b"), ("2026-02-10", "c"), ("2026-01-09", "a")])
    assert found == "Measured: `c` on 10 February 2026; `a`, `b` on 9 January 2026."
