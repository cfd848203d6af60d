"""A running instance: embedded servers, supervised processes, and checks before the start."""
