"""One script per claim of the README; each measures a ratio against a named baseline in the same run."""
