"""Photo files: decoding within limits, folders and archives, near-duplicates."""
