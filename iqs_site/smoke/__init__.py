"""The smoke run: a test of the whole cycle, from import to rollback, in a temporary instance."""
