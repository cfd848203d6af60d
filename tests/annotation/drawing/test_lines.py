"""Line charts, and marks on a line."""

from xml.etree import ElementTree

from annotation.drawing.axis import Tick
from annotation.drawing.lines import Line, LineMark, lines, marks_on_line

NAMESPACE = "{http://www.w3.org/2000/svg}"


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(NAMESPACE + tag))


def test_points_of_lines_are_scaled_to_the_ranges() -> None:
    svg = lines(
        name="Loss",
        lines=[Line("train", [0, 1, 2], [0, 1, 2]), Line("validation", [0, 2], [2, 0])],
        x_range=(0, 2),
        y_range=(0, 2),
        x_ticks=[Tick(0, "0"), Tick(2, "2")],
        y_ticks=[Tick(1, "1.0")],
        x_label="epoch",
        best=(2, 0),
        height=100,
    )
    assert [(element.get("class"), element.get("points")) for element in elements(svg, "polyline")] == [
        ("train", "0,108 50,58 100,8"),
        ("validation", "0,8 100,108"),
    ]
    best = elements(svg, "circle")[0]
    assert (best.get("class"), best.get("cx"), best.get("cy")) == ("best", "100%", "108")
    assert [element.text for element in elements(svg, "text")] == ["1.0", "0", "2", "epoch"]
    plot = elements(svg, "svg")[1]
    assert (plot.get("viewBox"), plot.get("preserveAspectRatio")) == ("0 8 100 100", "none")


def test_the_farthest_mark_has_room_for_its_label() -> None:
    svg = marks_on_line(
        name="Distances",
        marks=[LineMark("model", 0, "prediction"), LineMark("people", 2, "blind 2.00")],
        interval=(-1, 1),
    )
    model, people = elements(svg, "circle")
    assert model.get("cx") == "4%"
    assert people.get("cx") == "79.2%"  # 4 + 94 / 1.25
    interval = next(element for element in elements(svg, "line") if element.get("class") == "interval people")
    assert (interval.get("x1"), interval.get("x2")) == ("4%", "41.6%")  # a distance is never below 0


def test_texts_are_in_three_rows() -> None:
    marks = [LineMark("model", 0, "a"), LineMark("people", 0, "b"), LineMark("people", 0, "c", is_above=False)]
    svg = marks_on_line(name="All at 0", marks=marks, interval=(0, 0))
    rows = [float(element.get("y", 0)) for element in elements(svg, "text")]
    assert rows[0] + 15 <= rows[1] < 50 < rows[2]
    assert {element.get("text-anchor") for element in elements(svg, "text")} == {"start"}
