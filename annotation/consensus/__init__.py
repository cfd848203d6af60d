"""What several annotators say together. Pure numpy."""
