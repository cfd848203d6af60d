"""Who may see what: sessions, users, roles."""
