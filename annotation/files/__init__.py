"""Atomic file writes for every app. Pure; imports nothing of the project."""
