"""Access control: sessions, users, roles."""
