"""Models, loaded once per process, and scoring of photos without a database."""
