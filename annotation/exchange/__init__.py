"""File formats for other programs: one module per format, and a registry. Pure: the caller passes the rows."""
