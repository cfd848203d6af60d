"""Tests of inference.projection."""
