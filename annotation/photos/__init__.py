"""Photo files: decoding with limits, folders and zips, storage, near-duplicates."""
