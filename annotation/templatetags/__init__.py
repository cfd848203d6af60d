"""Template filters that all apps use."""
