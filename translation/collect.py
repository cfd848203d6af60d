"""Collects the texts to translate from templates, Python files and JavaScript modules.

The texts of a template are read from the nodes that Django makes of it, so they are exactly those that it looks up.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.template import Template
from django.template.base import FilterExpression, Node, NodeList, TextNode, TokenType
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.functional import Promise

ROOT = Path(__file__).resolve().parent.parent
_APPS = ("iqs_site", "training", "inference", "annotation")
_ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
_PLURAL = {"ngettext", "ngettext_lazy"}
_CALL = re.compile(r'\b(n?gettext)\(\s*("(?:[^"\\]|\\.)*")(?:,\s*("(?:[^"\\]|\\.)*"))?')


@dataclass(frozen=True)
class Text:
    """A text of the sources, in English."""

    one: str
    many: str
    """The plural form; '' for a text without one."""
    place: str
    """The file, relative to the repository."""


def page_texts() -> Iterator[Text]:
    """Yield the texts of templates and of Python files (`django.po`)."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from template_texts(path.read_text(), str(path.relative_to(ROOT)))
    for app in _APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from python_texts(path.read_text(), str(path.relative_to(ROOT)))


def script_texts() -> Iterator[Text]:
    """Yield the texts of JavaScript modules (`djangojs.po`)."""
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        for name, one, many in _CALL.findall(path.read_text()):
            texts = [ast.literal_eval(text) for text in (one, many) if text]
            yield Text(texts[0], texts[1] if name == "ngettext" else "", str(path.relative_to(ROOT)))


def template_texts(source: str, place: str) -> Iterator[Text]:
    """Yield the texts of a template."""
    for node in _nodes(Template(source).nodelist):
        if isinstance(node, BlockTranslateNode):
            one, many = _block_text(node, node.singular), _block_text(node, node.plural) if node.plural else ""
            yield Text(one, many, place)
        if isinstance(node, TranslateNode) and isinstance(node.filter_expression.var.literal, str):
            yield Text(node.filter_expression.var.literal.replace("%", "%%"), "", place)
        for text in _marked(node, set()):
            yield Text(text, "", place)


def python_texts(source: str, place: str) -> Iterator[Text]:
    """Yield the texts of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        wanted = 1 if name in _ONE else 2 if name in _PLURAL else 0
        texts = [
            one.value for one in node.args[:wanted] if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if wanted and len(texts) == wanted:
            yield Text(texts[0], texts[1] if wanted == 2 else "", place)


def _block_text(node: BlockTranslateNode, tokens: list) -> str:  # type: ignore[type-arg]
    parts = [
        token.contents.replace("%", "%%") if token.token_type == TokenType.TEXT else f"%({token.contents})s"
        for token in tokens
    ]
    text = "".join(parts)
    return " ".join(line.strip() for line in text.strip().splitlines()) if node.trimmed else text


def _nodes(nodelist: object) -> Iterator[Node]:
    for node in nodelist:  # type: ignore[attr-defined]
        if isinstance(node, TextNode):
            continue
        yield node
        seen = set()
        for name in (*node.child_nodelists, "nodelist"):
            child = getattr(node, name, None)
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield from _nodes(child)
        for _, child in getattr(node, "conditions_nodelists", ()):
            if id(child) not in seen:
                seen.add(id(child))
                yield from _nodes(child)


def _marked(value: object, seen: set[int]) -> Iterator[str]:
    """Yield the texts in `_("…")` of a node: in its expressions, in arguments of filters and of includes."""
    if id(value) in seen or isinstance(value, str | int | float | bytes | type(None)):
        return
    seen.add(id(value))
    if isinstance(value, Promise):
        yield value._args[0]  # type: ignore[attr-defined]  # what gettext_lazy was called with
    elif isinstance(value, FilterExpression):
        yield from _marked(value.var, seen)
        for _, arguments in value.filters:
            yield from _marked([argument for _, argument in arguments], seen)
    elif isinstance(value, dict):
        yield from _marked(list(value.values()), seen)
    elif isinstance(value, list | tuple) and not isinstance(value, NodeList):
        for one in value:
            if not isinstance(one, Node):
                yield from _marked(one, seen)
    elif type(value).__module__.startswith("django.template") and hasattr(value, "__dict__"):
        hidden = {"origin", "token", "parser", "nodelist", "conditions_nodelists", "child_nodelists", "template"}
        yield from _marked([one for name, one in vars(value).items() if name not in hidden], seen)
