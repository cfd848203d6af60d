"""Numbers on German pages look as on English ones: '1,234.5'.

Charts, tables for download and stored sentences have numbers too. One style on a page is clearer than two.
"""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
