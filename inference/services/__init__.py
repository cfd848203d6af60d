"""Verbs of the inference app: each service changes one thing, atomically."""
