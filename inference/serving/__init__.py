"""Models loaded once per process, and photos scored by them without a database."""
