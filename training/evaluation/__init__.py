"""Models against people: metrics, comparison, findings in words, the promotion rule. Pure."""
