"""Questions to the tables of the training app; nothing here writes."""
