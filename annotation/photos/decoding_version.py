"""The version of the decoding. Each photo's row says which version made what is stored about it."""

#: Increase it whenever the decoded pixels of some file may change. Then add a function that recognises such files to
#: `annotation.photos.decoding_changes`, and run `makemigrations`: a default and an index depend on this number.
DECODING_VERSION = 2
#: Ignored colour profiles, gamma and colour codes.
FIRST_VERSION = 1
