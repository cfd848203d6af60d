"""Tables that commands write as Parquet, read back with arro3."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.exchange.registry import FORMATS
from annotation.models import Annotation, Campaign
from tests.annotation.exchange.test_parquet import rows_in
from tests.opinions_and_predictions import vote

ROWS = {"annotations-parquet": 3, "votes-parquet": 3, "consensus-parquet": 2, "annotators-parquet": 2}


@pytest.fixture
def voted(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any]) -> list[Annotation]:
    """Return three votes on two photos."""
    first, second = make_image(1, name="=1.jpg"), make_image(2, name="é, 2.jpg")
    return [vote(first, people["alice"], 1), vote(first, people["bob"], 10, "yes"), vote(second, people["alice"], 3)]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("export_annotations", "annotations-parquet"),
        ("export_votes", "votes-parquet"),
        ("export_consensus", "consensus-parquet"),
        ("export_consensus", "annotators-parquet"),
    ],
)
def test_each_command_writes_parquet(
    campaign: Campaign, voted: list[Annotation], tmp_path: Path, command: str, name: str
) -> None:
    call_command("refresh_consensus", "watches")
    call_command(command, "watches", "--format", name, "--out", str(tmp_path / "a.parquet"))
    rows = rows_in((tmp_path / "a.parquet").read_bytes())
    assert [tuple(row) for row in rows] == [FORMATS[name].record._fields] * ROWS[name]


def test_names_and_times_of_votes_are_as_they_are_stored(voted: list[Annotation], tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    call_command("export_votes", "watches", "--format", "votes-parquet", "--out", str(path))
    assert [tuple(row.values()) for row in rows_in(path.read_bytes())] == [
        (one.annotator.username, one.image.name, one.score, one.watch, one.created_at) for one in voted
    ]


def test_a_terminal_gets_no_parquet(campaign: Campaign) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for options in ([], ["--out", "-"]):
        with pytest.raises(CommandError, match=r"A terminal cannot show Annotations \(Parquet\)\. Name a file"):
            call_command(
                "export_annotations", "watches", "--format", "annotations-parquet", *options, stdout=Terminal()
            )
    terminal = Terminal()
    call_command("export_annotations", "watches", stdout=terminal)
    assert terminal.getvalue().startswith("annotation,image,")
