"""The error for files that are not photos. Does not use Django."""


class PhotoRejected(Exception):
    """The bytes are not a photo that people can rate. The message tells the sender why."""
