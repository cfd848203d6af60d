"""Dates that Django writes itself, in the administration, look as those that templates write."""

DATETIME_FORMAT = "j M Y, H:i T"
DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
