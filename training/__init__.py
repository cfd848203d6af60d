"""Learning from answers, and evaluating the result."""
