"""Management of training."""
