"""Measures of models against people, with intervals. Pure numpy."""
