"""SVG drawings as text: well-formed, escaped, and with a name or hidden."""

from xml.etree import ElementTree

import pytest
from django.template import Context, Template

from annotation.drawing.svg import Drawing, Svg, number, percent


def test_a_drawing_with_a_name_is_an_image_with_hidden_parts() -> None:
    drawing = Drawing(name="Answers a day", height=120, classes="ticked")
    drawing.rule(119.5, "axis")
    assert drawing.finish() == (
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing ticked" focusable="false" height="120" role="img" '
        'aria-label="Answers a day"><g aria-hidden="true">'
        '<line class="axis" x1="0%" x2="100%" y1="119.5" y2="119.5" /></g></svg>'
    )


def test_a_drawing_without_a_name_is_hidden() -> None:
    assert Drawing(name="", height=24, width=80).finish() == (
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" focusable="false" height="24" width="80" '
        'aria-hidden="true" />'
    )


@pytest.mark.parametrize("text", ['</text><script>alert("1")</script>', "a & b", "'\"><img src=x onerror=alert(1)>"])
def test_text_cannot_add_elements(text: str) -> None:
    drawing = Drawing(name=text, height=20)
    drawing.label(text, at=50, row=0)
    svg = drawing.finish()
    assert "<script" not in svg
    assert "<img" not in svg
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == text
    assert "".join(root.itertext()) == text


def test_characters_that_xml_does_not_allow_are_replaced() -> None:
    drawing = Drawing(name="a\x00b\x0b", height=20)
    drawing.label("\x1bc\ud800", at=50, row=0)
    root = ElementTree.fromstring(drawing.finish())
    assert root.get("aria-label") == "a\ufffdb\ufffd"
    assert "".join(root.itertext()) == "\ufffdc\ufffd"


def test_a_template_escapes_text_but_not_a_drawing() -> None:
    drawing = Drawing(name="", height=1).finish()
    assert isinstance(drawing, Svg)
    assert Template("{{ drawing }}{{ text }}").render(Context({"drawing": drawing, "text": "<svg>"})) == (
        str(drawing) + "&lt;svg&gt;"
    )


@pytest.mark.parametrize(("at", "anchor"), [(0, "start"), (19, "start"), (20, "middle"), (80, "middle"), (81, "end")])
def test_a_label_near_an_end_is_aligned_to_the_inside(at: float, anchor: str) -> None:
    drawing = Drawing(name="", height=20)
    drawing.label("blind 1.68", at=at, row=0, edge=20)
    assert f'text-anchor="{anchor}"' in drawing.finish()


def test_the_models_mark_is_larger_so_that_both_marks_are_visible() -> None:
    drawing = Drawing(name="", height=20)
    drawing.mark("model", at=50, y=10)
    drawing.mark("people", at=50, y=10)
    model, people = ElementTree.fromstring(drawing.finish())
    assert float(model.get("r", 0)) > float(people.get("r", 0))


def test_numbers_have_at_most_two_decimals() -> None:
    assert [number(value) for value in (0, 10, 1 / 3, 2.5, 100.0)] == ["0", "10", "0.33", "2.5", "100"]
    assert percent(12.5) == "12.5%"
