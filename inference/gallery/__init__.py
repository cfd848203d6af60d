"""Photos of a campaign in an order: what a person asks for, where it is found, and as a table."""
