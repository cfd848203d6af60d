"""The calibration page, one module a section."""
