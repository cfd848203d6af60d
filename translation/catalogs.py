"""Writes and compiles the catalogs of `locale/`: `python -m translation`."""

from collections.abc import Iterable
from pathlib import Path

import polib

from translation.collect import ROOT, Text, page_texts, script_texts

LOCALE = ROOT / "locale"
DOMAINS = {"django": page_texts, "djangojs": script_texts}


def update(path: Path, texts: Iterable[Text]) -> tuple[int, int]:
    """Bring a catalog up to date with the sources. Returns how many texts were added and removed."""
    catalog = polib.pofile(str(path), wrapwidth=118)
    known = {(entry.msgid, entry.msgid_plural): entry for entry in catalog}
    wanted: dict[tuple[str, str], polib.POEntry] = {}
    for text in texts:
        key = (text.one, text.many)
        entry = wanted.get(key) or known.get(key) or _entry(text)
        if key not in wanted:
            entry.occurrences = []
        if (text.place, "") not in entry.occurrences:
            entry.occurrences.append((text.place, ""))
        wanted[key] = entry
    catalog[:] = sorted(wanted.values(), key=lambda entry: (entry.occurrences[0][0], entry.msgid, entry.msgid_plural))
    catalog.save(str(path))
    return len(wanted.keys() - known.keys()), len(known.keys() - wanted.keys())


def compile_all() -> None:
    """Write the `.mo` file beside each catalog."""
    for path in sorted(LOCALE.rglob("*.po")):
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))


def _entry(text: Text) -> polib.POEntry:
    flags = ["python-format"] if "%(" in text.one or "%%" in text.one else []
    if text.many:
        return polib.POEntry(msgid=text.one, msgid_plural=text.many, msgstr_plural={0: "", 1: ""}, flags=flags)
    return polib.POEntry(msgid=text.one, flags=flags)
