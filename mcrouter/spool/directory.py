"""Checks at the start that the spool's directory can be written to: the first delete that fails may come much later."""

import errno
import os


def check_directory(path: str) -> None:
    """Raises OSError if files cannot be made in the directory, or if it is not there and cannot be made."""
    place = os.path.abspath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place)
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)
