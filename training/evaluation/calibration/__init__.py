"""Figures of the calibration page. Pure: a worker computes them once, and the page reads them."""
