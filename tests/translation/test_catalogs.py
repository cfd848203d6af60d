"""Every text of the sources is in the catalogs, is translated, and has the same values and plural forms."""

import re
from pathlib import Path

import polib
import pytest

from translation.catalogs import DOMAINS, LOCALE
from translation.collect import ROOT, template_texts
from translation.unmarked import unmarked_texts

CATALOGS = sorted(LOCALE.rglob("*.po"))
_VALUE = re.compile(r"%\(\w+\)s")
_TAG = re.compile(r"</?\w+")


def _key(one: str, many: str) -> tuple[str, str]:
    return one, many


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_catalogs_have_the_texts_of_the_sources(path: Path) -> None:
    """If this fails: `make messages`, then translate what is empty in the catalogs."""
    wanted = {_key(text.one, text.many) for text in DOMAINS[path.stem]()}
    there = {_key(entry.msgid, entry.msgid_plural) for entry in polib.pofile(str(path))}
    assert wanted - there == set()
    assert there - wanted == set()


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_all_texts_are_translated(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        assert entry.translated(), entry.msgid
        assert not entry.fuzzy, entry.msgid


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_translations_have_the_values_and_tags_of_the_text(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        if not entry.msgid_plural:
            pairs = [(entry.msgid, entry.msgstr)]
        else:
            assert sorted(entry.msgstr_plural) == [0, 1], entry.msgid
            pairs = [(entry.msgid, entry.msgstr_plural[0]), (entry.msgid_plural, entry.msgstr_plural[1])]
            # In a sentence some nouns have one form for both; of the names of things here, none has.
            assert _VALUE.search(entry.msgid) or entry.msgstr_plural[0] != entry.msgstr_plural[1], entry.msgid
        for text, translated in pairs:
            assert set(_VALUE.findall(text)) == set(_VALUE.findall(translated)), text
            assert sorted(_TAG.findall(text)) == sorted(_TAG.findall(translated)), text


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_compiled_catalogs_fit_their_sources(path: Path) -> None:
    assert polib.pofile(str(path)).to_binary() == path.with_suffix(".mo").read_bytes(), "Run `make messages`."


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: str(path.name))
def test_templates_have_no_unmarked_text(path: Path) -> None:
    assert unmarked_texts(path.read_text()) == []


def test_the_collector_reads_all_kinds_of_marks() -> None:
    source = (
        '{% translate "One" %}{% blocktranslate trimmed with a=b count n=c %}{{ a }} photo{% plural %}{{ a }} photos'
        '{% endblocktranslate %}{{ x|default:_("none") }}{% if y %}{% translate "50 %" %}{% endif %}'
    )
    texts = {(text.one, text.many) for text in template_texts(source, "a.html")}
    assert texts == {("One", ""), ("%(a)s photo", "%(a)s photos"), ("none", ""), ("50 %%", "")}


def test_the_finder_sees_text_and_attributes() -> None:
    assert unmarked_texts('<p title="Some words">{% translate "Marked" %} and <b>more</b> text</p>') == [
        "Some words",
        "and",
        "more",
        "text",
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "js").rglob("*.js")), ids=lambda path: str(path.name))
def test_modules_import_the_functions_that_translate(path: Path) -> None:
    code = path.read_text()
    used = set(re.findall(r"(?<![\w.])(n?gettext)\(", code)) if path.name != "texts.js" else set()
    imported = re.findall(r"^import \{([^}]*)\} from \"[./]*texts\.js\";$", code, re.MULTILINE)
    assert used <= {name.strip() for names in imported for name in names.split(",")}


# A comment, or a text of a module. Texts may have one level of braces in their values.
_TEXT = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{(?:[^{}`\n]|`[^`\n]*`|\{[^{}\n]*\})*\}|[^`\\\n])*`)",
    re.DOTALL,
)
_VALUES = re.compile(r"\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}")
_MARKED = re.compile(r"gettext\(\s*$|ngettext\(\s*\"[^\"]*\",\s*$|new Error\($")
# Two words in a row, and what neither a selector nor a list of classes has: a capital at the start, or a colon.
_WORDS = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")
_SENTENCE = re.compile(r"^(<p>)?[A-Z0-9]|: ")


def unmarked_sentences(code: str) -> list[str]:
    """Return the texts of a module that people read and that nothing translates."""
    found = []
    for match in _TEXT.finditer(code):
        words = _VALUES.sub("0", match[1][1:-1]) if match[1] else ""
        is_marked = _MARKED.search(code[max(0, match.start() - 300) : match.start()])
        if _WORDS.search(words) and _SENTENCE.search(words) and not is_marked:
            found.append(words)
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "js").rglob("*.js")), ids=lambda path: str(path.name))
def test_modules_have_no_unmarked_sentence(path: Path) -> None:
    assert unmarked_sentences(path.read_text()) == []


def test_the_finder_sees_sentences_in_modules() -> None:
    code = """
      // A comment is no text.
      note.show("The photo is gone");
      note.show(gettext("The photo is there"));
      note.show(`The server refused ${count === 1 ? "it" : count} now`);
      document.querySelector("input, select, textarea").className = "button primary";
      ngettext("One photo", "Many photos and more", 2);
    """
    assert unmarked_sentences(code) == ["The photo is gone", "The server refused 0 now"]
