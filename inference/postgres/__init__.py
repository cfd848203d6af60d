"""PostgreSQL features that Django lacks: binary COPY and bit strings."""
