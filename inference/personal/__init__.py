"""What one annotator would answer. Pure."""
