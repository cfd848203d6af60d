"""Sentences for pages are marked for translation where they are written."""

import ast
from collections.abc import Iterator

from translation.collect import ROOT

# Errors whose messages pages show, though workers store them.
_SHOWN = {"LineError", "VoteFileError", "PhotoRejected", "damaged", "VoteImportRefused"}
# What charts call their texts.
_OF_CHARTS = {"name", "axis_label", "x_label", "y_label"}
_CHARTS = {"columns", "lines", "points", "marks_on_line"}


def _calls(*folders: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield (place, name of the function, call) of the Python files below the folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", name, node


def _is_sentence(node: ast.expr) -> bool:
    """Return whether the text is written in place and has words; a short one can be a name or a unit."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return " " in "".join(texts).strip()


def test_errors_that_pages_show_are_marked() -> None:
    found = _calls("annotation/exchange", "annotation/photos", "annotation/services")
    assert [place for place, name, call in found if name in _SHOWN and call.args and _is_sentence(call.args[0])] == []


def test_texts_of_charts_are_marked() -> None:
    """For screen readers and on axes: neither the test of templates nor a look at the page finds them."""
    found = _calls("annotation/views", "inference/templatetags", "inference/views", "iqs_site")
    plain = [
        place
        for place, name, call in found
        if name in _CHARTS and any(one.arg in _OF_CHARTS and _is_sentence(one.value) for one in call.keywords)
    ]
    assert plain == []
