"""Verbs of the annotation app: each service changes one thing, atomically."""
