"""What Django lacks of PostgreSQL: binary COPY and bit strings."""
