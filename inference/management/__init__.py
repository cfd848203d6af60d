"""Management of inference."""
