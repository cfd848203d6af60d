"""Queries of the training app; nothing here writes to the database."""
