"""Finds text in templates that is not marked for translation."""

import re

# Names, units and abbreviations that are the same in every language.
_SAME = {
    "IQS", "MOS", "SRCC", "PLCC", "RMSE", "KRCC", "ROC", "AUC", "ECE", "PIT", "EMD", "RPS", "JSON", "CSV", "PNG", "SVG",
    "API", "PR", "ICC", "Brier", "ONNX", "Parquet", "UTC", "MB", "GB", "kB", "ms", "px", "Ctrl", "Esc", "Enter", "iqs",
    "SHA", "SOS", "MAE", "html", "doctype", "DOCTYPE",
}  # fmt: skip
_SHOWN = ("aria-label", "title", "alt", "placeholder", "label", "data-label", "data-unit", "data-title", "hx-confirm")
_COMMENT = re.compile(r"\{%\s*comment\s*%\}.*?\{%\s*endcomment\s*%\}|\{#.*?#\}|<!--.*?-->", re.S)
_BLOCK = re.compile(r"\{%\s*blocktranslate\b.*?\{%\s*endblocktranslate\s*%\}", re.S)
_CLASSES = re.compile(r"\{%\s*block page_class\s*%\}.*?\{%\s*endblock\s*%\}", re.S)
_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)
_CODE = re.compile(r"<(script|style|svg|pre|code|kbd)\b.*?</\1>", re.S)
_ATTRIBUTE = re.compile(rf'\s(?:{"|".join(_SHOWN)})="([^"]*)"')
_ELEMENT = re.compile(r"<[^>]*>", re.S)
_WORD = re.compile(r"[A-Za-z]{2,}")


def unmarked_texts(source: str) -> list[str]:
    """Return the texts of a template that are shown and not marked: attributes first, then those between elements."""
    for pattern in (_COMMENT, _BLOCK, _CLASSES, _TAG):
        source = pattern.sub("\0", source)
    shown = [text for text in _ATTRIBUTE.findall(source) if _has_words(text)]
    plain = _ELEMENT.sub("\0", _CODE.sub("\0", source))
    return shown + [text.strip() for text in plain.split("\0") if _has_words(text)]


def _has_words(text: str) -> bool:
    return any(word not in _SAME for word in _WORD.findall(re.sub(r"&\w+;", " ", text)))
