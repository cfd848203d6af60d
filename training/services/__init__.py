"""Services of the training app: each function makes one change, in a transaction."""
