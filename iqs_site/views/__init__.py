"""Pages that use all apps: home, the overview of a campaign, search, documentation, errors, and health checks."""
