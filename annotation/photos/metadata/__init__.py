"""Removal of metadata from photo files, without decoding or compressing the picture again. Does not use Django."""
