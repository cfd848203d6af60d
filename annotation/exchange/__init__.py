"""Files that other programs read: one module a format, and a registry of them. Pure: rows come from outside."""
