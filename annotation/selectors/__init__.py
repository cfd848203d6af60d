"""Questions to the tables of the annotation app; nothing here writes."""
