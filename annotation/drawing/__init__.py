"""Charts as SVG, drawn by the server: columns, lines, and marks on a line. Pure.

Every place across is a percentage of the width, every place up and down is in pixels. So a chart is as wide as its
place while its text keeps its size. Colours and line widths are classes of static/css/site.css, which also knows light
and dark. A chart brings its accessible name; a table with the numbers stands beside it in the page.
"""
