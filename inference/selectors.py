"""Questions to the tables of the inference app; nothing here writes."""
