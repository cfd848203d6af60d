"""What tests read out of a chart's JSON."""

from typing import Any

from training.drawing.bokeh_chart import Chart


def models(chart: Chart, name: str) -> list[dict[str, Any]]:
    """Return every model of one kind in Bokeh's JSON."""
    found = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and node.get("name") == name:
                found.append(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(chart.payload["item"])
    return found


def table(chart: Chart) -> dict[str, Any]:
    """Return the columns of the source that is downloaded."""
    for source in models(chart, "ColumnDataSource"):
        if source["attributes"].get("name") == "table":
            return dict(source["attributes"]["data"]["entries"])
    raise AssertionError("no source to download")
