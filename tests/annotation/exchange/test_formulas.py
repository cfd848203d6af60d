"""No exported table has a cell that a spreadsheet would run, and every table is read back as it was."""

import ast
import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.rows import csv_pieces, csv_rows, formula_guard, formula_unguard
from annotation.models import Annotation, AnnotatorStatistics, AuditKind, AuditRecord, Campaign, Image, ImportBatch
from inference.services.queue_priorities import priorities_refresh
from tests.inference.tiny_models import tiny_models_place
from tests.opinions_and_predictions import consensus_make, predictions_make, version_make

ROOT = Path(settings.BASE_DIR)
HOSTILE = [
    "=1+1.jpg",
    "a;=1+1.jpg",
    'a;"=1+1".jpg',
    "a\t@SUM(A1).jpg",
    "a\n-1+1.jpg",
    "a\r+1+1.jpg",
    " =1+1.jpg",
    "\ufeff=1+1.jpg",
    "\u200b=1+1.jpg",
    '"=1+1".jpg',
    "'=1+1.jpg",
    "a;'=1+1.jpg",
    "＝1+1.jpg",
]
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def cells_as_spreadsheets_read_them(text: str) -> Iterable[str]:
    """Yield the cells with each delimiter that spreadsheets use, with quotes and as programs without quotes read it."""
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from row
    for line in text.replace("\r", "\n").split("\n"):
        for cell in line.replace("\t", ";").split(";"):
            yield cell.strip('"')


def formulas(text: str) -> list[str]:
    """Return the cells that begin like a formula, except numbers."""
    return [
        cell
        for cell in cells_as_spreadsheets_read_them(text)
        if cell.lstrip('\ufeff\u200b "').startswith(SIGNS) and not is_number(cell)
    ]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("text", HOSTILE)
def test_the_guard_holds_wherever_a_cell_can_begin(text: str) -> None:
    table = "".join(csv_pieces(["id", "name", "id2"], [[1, text, 2]]))
    assert formulas(table) == []
    assert list(csv_rows(io.StringIO(table, newline=""))) == [["id", "name", "id2"], ["1", text, "2"]]


@given(st.text(alphabet="'=+-@\t\r\n; \"1a＝\u200b,.e\0", max_size=12) | st.text())
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    assert formula_unguard(formula_guard(text)) == text


@given(st.lists(st.text(alphabet="'=-\n; \"1", max_size=5), unique=True, max_size=8))
def test_two_texts_never_share_a_cell(texts: list[str]) -> None:
    assert len(set(map(formula_guard, texts))) == len(texts)


def test_a_long_text_takes_no_long_time() -> None:
    for text in ("\n" * 300_000, "\n " * 150_000, ";'" * 150_000, " " * 300_000):
        formula_guard(text)  # with the square of the length this would not end


@pytest.mark.parametrize("mark", [False, True])
def test_a_table_with_or_without_a_mark_for_excel_is_read_back(mark: bool) -> None:
    rows = [["=1", "é"], ["b\n", ""]]
    text = "".join(csv_pieces(["a", "b"], rows, byte_order_mark=mark))
    assert text.startswith("\ufeff") == mark
    assert list(csv_rows(io.StringIO(text, newline=""))) == [["a", "b"], *rows]


def test_only_one_module_writes_csv() -> None:
    writers = set()
    for app in ("annotation", "inference", "training", "iqs_site"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in {"writer", "DictWriter", "to_csv", "write_csv"}:
                    writers.add(path.relative_to(ROOT).as_posix())
    assert writers == {"annotation/exchange/rows.py"}


# --- every export ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile_campaign(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> Campaign:
    """Every text of the campaign that a person or a file gives is a formula."""
    Campaign.objects.update(name="=1+1", description="=1+1", instructions="@SUM(A1)")
    people["alice"].username = "@alice"
    people["alice"].save()
    batch = ImportBatch.objects.create(campaign=campaign, source="=1+1", state=ImportBatch.State.DONE)
    for number, name in enumerate(HOSTILE):
        image = make_image(number, name=name, batch=batch, problem=name, guidance=name)
        Annotation.objects.create(
            client_id=uuid4(), campaign=campaign, image=image, annotator=people["alice"], skip_reason=name
        )
        AuditRecord.objects.create(kind=AuditKind.EXPORT, campaign=campaign, by=people["alice"], what=name)
        consensus_make(image, 5.0)
    AnnotatorStatistics.objects.create(
        campaign=campaign,
        annotator=people["alice"],
        votes=1,
        bias=0.0,
        bias_deviation=1.0,
        gain=1.0,
        gain_deviation=1.0,
        noise=1.0,
        information=1.0,
        updated_at=timezone.now(),
    )
    return campaign


def csv_addresses(client: Any, campaign: Campaign) -> dict[str, str]:
    """Return {address: table} of every address that answers a GET with CSV."""
    found = {}
    for name in (str(key) for key in get_resolver().reverse_dict if isinstance(key, str)):
        for arguments in ([campaign.slug], [campaign.slug, 1], [1], []):
            try:
                address = reverse(name, args=arguments)
            except NoReverseMatch:
                continue
            if "logout" in name or "login" in name:
                continue
            response = client.get(address)
            if response.get("Content-Type", "").startswith("text/csv"):
                found[address] = b"".join(response.streaming_content).decode()
    return found


def test_no_table_on_a_page_has_a_formula(client_of: Callable[[str], Any], hostile_campaign: Campaign) -> None:
    images = list(hostile_campaign.images.all())
    predictions_make(version_make(hostile_campaign), images, [5.0] * len(images))
    # The table of the next photos has those of lanes with an order.
    Campaign.objects.filter(pk=hostile_campaign.pk).update(lane_shares={"fewest_votes": 1.0})
    hostile_campaign.images.update(open_slots=3, problem="")
    hostile_campaign.refresh_from_db()
    priorities_refresh(campaign=hostile_campaign)
    tables = csv_addresses(client_of("ada"), hostile_campaign)
    assert len(tables) >= 3
    for address, table in tables.items():
        assert formulas(table) == [], address
        rows = list(csv_rows(io.StringIO(table, newline="")))
        # The table of annotators has no text of theirs but the user name. That of compared photos has only photos of
        # the holdout, and there are none.
        texts = {"@alice"} if address.endswith("/annotators.csv") else set(HOSTILE)
        texts = set() if address.endswith("/calibration/photos.csv") else texts
        cells = {cell for row in rows for cell in row}
        if address.endswith("/next/photos.csv"):  # the first twenty photos
            assert texts & cells
            continue
        assert texts <= cells, address


@pytest.mark.parametrize(
    "name", ["annotations-csv", "consensus-csv", "annotators-csv", "photos-table", "predictions-table"]
)
def test_a_download_for_excel_begins_with_a_mark(
    client_of: Callable[[str], Any], hostile_campaign: Campaign, name: str
) -> None:
    place = reverse(name, args=["watches"])
    plain = b"".join(client_of("rita").get(place).streaming_content)
    marked = b"".join(client_of("rita").get(f"{place}?excel=1").streaming_content)
    assert marked == b"\xef\xbb\xbf" + plain
    assert client_of("alice").get(f"{place}?excel=1").status_code == 403


def test_the_command_exports_no_formula(hostile_campaign: Campaign, tmp_path: Path) -> None:
    call_command("export_annotations", "watches", "--out", str(tmp_path / "a.csv"), "--excel")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert formulas(data.decode("utf-8-sig")) == []


@pytest.mark.parametrize("sort", ["file", "-quality"])
def test_scores_have_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, sort: str) -> None:
    tiny_models_place(settings.MODELS_ROOT)
    folder = tmp_path / "photos"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in HOSTILE:
        Path(name).write_bytes(b"no photo")
    from tests.conftest import photo_bytes

    Path(HOSTILE[0]).write_bytes(photo_bytes(1))
    call_command("score", ".", "--csv", str(tmp_path / "a.csv"), f"--sort={sort}", "--no-distortions")
    assert formulas((tmp_path / "a.csv").read_bytes().decode()) == []
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert {row[0] for row in csv_rows(file)} == {"file", *HOSTILE}
