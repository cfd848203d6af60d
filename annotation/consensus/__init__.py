"""Combines the answers of several annotators. Pure numpy."""
