"""The whole loop in a fresh instance, without a person."""
