"""Numbers on German pages look as on English ones: '1,234.5'.

Charts, tables for download and stored sentences have numbers too. One style on a page is clearer than two.
"""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3

# As in English: dates that Django writes itself, in the administration, look as those that templates write.
DATETIME_FORMAT = "j M Y, H:i T"
DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
