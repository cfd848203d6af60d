"""People and their judgements: campaigns, photos, the queue, annotations and their consensus."""
