"""The error for files that are not accepted as photos. Pure."""


class PhotoRejected(Exception):
    """The bytes are not a photo that people can rate. The message tells the sender why."""
