"""The best and the worst photos of a table as one self-contained HTML page. Pure."""

import base64
import heapq
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from string import Template

from annotation.files.names import name_path, name_shown
from annotation.files.whole_file import whole_file
from annotation.photos.rejected import PhotoRejected
from inference.scoring.photo_reading import thumbnail_make
from inference.scoring.rows import Cells, Rules

SHOWN = 20  # best and worst photos each, as in NIMA's notebooks
_PAGE = Template((Path(__file__).parent / "contact_sheet.html").read_text(encoding="utf-8"))


Thumbnails = Callable[[Path], bytes]


def sheet_write(path: Path, rows: Iterable[Cells], rules: Rules, thumbnails: Thumbnails = thumbnail_make) -> None:
    """Write the page for a table's rows. The file is complete or does not appear."""
    with whole_file(path, "w") as file:
        file.write(sheet_html(rows, rules, thumbnails))


def sheet_html(rows: Iterable[Cells], rules: Rules, thumbnails: Thumbnails = thumbnail_make) -> str:
    """Return the page for rows. Opens the photos by their file names, relative to the working directory.

    `thumbnails` makes the thumbnail of a photo. It raises PhotoRejected or OSError if there is none.
    """
    kept = [row for row in rows if row["quality_mean"] is not None]
    best = heapq.nlargest(SHOWN, kept, key=_rank)
    # No photo appears in both lists.
    worst = heapq.nsmallest(min(SHOWN, len(kept) - len(best)), kept, key=_rank)
    watches = sum(bool(row["watch"]) for row in kept)
    return _PAGE.substitute(
        count=f"{len(kept):,} photo{'' if len(kept) == 1 else 's'}",
        watches=f"{watches:,} watch{'' if watches == 1 else 'es'}",
        threshold=f"{rules.threshold:g}",
        scale=f"{rules.lowest}-{rules.lowest + rules.bins - 1}",
        best_title=f"Top {len(best)}" if best else "No photo could be scored",
        best="".join(_tile(place, row, thumbnails) for place, row in enumerate(best, start=1)),
        worst_hidden="" if worst else "hidden",
        worst_title=f"Bottom {len(worst)}",
        worst="".join(_tile(len(kept) - place, row, thumbnails) for place, row in enumerate(worst)),
    )


def _rank(row: Cells) -> tuple[float, str]:
    mean = row["quality_mean"]
    assert isinstance(mean, float)
    return mean, str(row["file"])


def _tile(place: int, row: Cells, thumbnails: Thumbnails) -> str:
    file = str(row["file"])
    watch = "watch" if row["watch"] else "no watch"
    picture = thumbnail_address(name_path(file), thumbnails)
    shown = (
        f'<img src="{picture}" alt="" loading="lazy">'
        if picture
        else '<div class="gone">file not found or unreadable</div>'
    )
    return (
        f'<li><figure><div class="frame">{shown}</div><figcaption>'
        f'<span class="head"><strong>{row["quality_mean"]:.2f}</strong>'
        f"<small>± {row['quality_std']:.2f}</small>"
        f'<span class="rank">{place}</span></span>'
        f'<span class="tags"><span class="badge {row["quality_class"]}">{row["quality_class"]}</span>'
        f'<span class="badge {watch.replace(" ", "-")}">{watch} {row["watch_probability"]:.3f}</span></span>'
        f'<span class="file" title="{_exact(file)}">{escape(name_shown(Path(file).name))}</span>'
        "</figcaption></figure></li>"
    )


def _exact(text: str) -> str:
    """Return a text for an attribute. HTML would read a carriage return as a line end."""
    return escape(text).replace("\r", "&#13;")


def thumbnail_address(path: Path, thumbnails: Thumbnails = thumbnail_make) -> str:
    """Return a thumbnail of a photo as a `data:` URL; "" if the photo cannot be read."""
    try:
        return "data:image/webp;base64," + base64.b64encode(thumbnails(path)).decode()
    except (PhotoRejected, OSError):
        return ""
