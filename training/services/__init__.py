"""Verbs of the training app: each service changes one thing, atomically."""
