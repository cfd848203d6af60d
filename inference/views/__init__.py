"""Pages of the inference app, one module per page."""
