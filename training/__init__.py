"""Learning from people and judging what was learned."""
