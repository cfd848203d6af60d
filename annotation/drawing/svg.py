"""An SVG drawing, built as an element tree, so that every text is escaped."""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

ROW = 20
"""Height of a row of text, in pixels."""
_BASELINE = 16
"""Distance from the top of a row to the baseline of its text, in pixels."""
_TICK_GAP = 8
# XML 1.0, section 2.2: these characters are not allowed, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Svg(str):
    """The text of a complete SVG element. Templates print it without escaping."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text itself. Django and MarkupSafe call this instead of escaping."""
        return str(self)


def number(value: float) -> str:
    """Return a number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def percent(value: float) -> str:
    """Return a horizontal position or a width as a percentage."""
    return f"{number(value)}%"


class Drawing:
    """An SVG drawing to which `add` appends elements. With an empty name it is hidden from screen readers."""

    def __init__(self, *, name: str, height: float, width: float | None = None, classes: str = "") -> None:
        """`height` and `width` are in pixels. Without a width, the drawing fills its container."""
        named = {"role": "img", "aria-label": _clean(name)} if name else {"aria-hidden": "true"}
        size = {"height": number(height)} | ({"width": number(width)} if width is not None else {})
        self._root = Element(
            "svg",
            {"xmlns": "http://www.w3.org/2000/svg", "class": f"drawing {classes}".strip(), "focusable": "false"}
            | size
            | named,
        )
        # Screen readers read the name. The labels without context would be a list of numbers.
        self._parts = SubElement(self._root, "g", {"aria-hidden": "true"}) if name else self._root

    def add(self, tag: str, attributes: Mapping[str, str], text: str = "", into: Element | None = None) -> Element:
        """Append an element to `into`, or to the drawing, and return it."""
        element = SubElement(self._parts if into is None else into, tag, dict(attributes))
        if text:
            element.text = _clean(text)
        return element

    def stretched(self, *, top: float, height: float) -> Element:
        """Append and return an element for shapes whose coordinates cannot be percentages.

        Its x runs from 0 to 100 over the whole width. Its y is that of the drawing, starting at `top`.
        """
        return self.add(
            "svg",
            {
                "class": "stretched",
                "width": "100%",
                "y": number(top),
                "height": number(height),
                "viewBox": f"0 {number(top)} 100 {number(height)}",
                "preserveAspectRatio": "none",
            },
        )

    def rule(self, y: float, kind: str, first: float = 0, last: float = 100) -> None:
        """Append a horizontal line of class `kind` from `first` to `last` percent."""
        place = number(y)
        self.add("line", {"class": kind, "x1": percent(first), "x2": percent(last), "y1": place, "y2": place})

    def label(self, text: str, *, at: float, row: float, edge: float = 0, kind: str = "") -> None:
        """Append a text centred at `at` percent, in the row of text that starts at `row` pixels.

        Nearer than `edge` percent to an end of the drawing, the text is aligned to the inside instead of centred.
        """
        anchor = "start" if at < edge else "end" if at > 100 - edge else "middle"
        attributes = {"x": percent(at), "y": number(row + _BASELINE), "text-anchor": anchor}
        self.add("text", attributes | ({"class": kind} if kind else {}), text)

    def tick(self, text: str, y: float) -> None:
        """Append a text left of the drawing, and a grid line at its height. The class `ticked` adds the left margin."""
        self.rule(y, "gridline")
        attributes = {"x": "0", "y": number(y), "dx": str(-_TICK_GAP), "dy": ".35em", "text-anchor": "end"}
        self.add("text", attributes, text)

    def mark(self, kind: str, *, at: float, y: float) -> None:
        """Append a round mark. `people` is filled; `model` is outlined and larger, so that both are visible."""
        radius = "7" if kind == "model" else "5.5"
        self.add("circle", {"class": kind, "cx": percent(at), "cy": number(y), "r": radius})

    def finish(self) -> Svg:
        """Return the drawing as text."""
        return Svg(tostring(self._root, encoding="unicode"))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
