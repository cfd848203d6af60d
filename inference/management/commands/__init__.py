"""Commands of inference."""
