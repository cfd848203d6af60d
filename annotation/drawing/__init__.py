"""SVG charts, drawn on the server: columns, lines, and marks on a line. Pure.

Horizontal positions are percentages of the width, and vertical positions are pixels. So a chart fills the width of its
container, and its text keeps its size. Classes in static/css/site.css set colours and line widths for light and dark
mode. A chart has an accessible name; the page also shows its numbers in a table.
"""
