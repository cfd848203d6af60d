"""Quality of single annotators: attention, self-agreement, agreement with others, anchoring. Pure numpy."""
