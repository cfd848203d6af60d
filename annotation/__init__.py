"""People and their answers: campaigns, photos, the queue, annotations and their consensus."""
