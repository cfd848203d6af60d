"""Charts of models against people. Pure."""
