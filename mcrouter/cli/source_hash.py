"""A hash of this package's sources: the same for a folder, a zip and the single script, under any name."""

import hashlib
import os
import sys
from typing import Dict

_DIGITS = 12


def source_hash() -> str:
    """Returns the first hex digits of a SHA-256 over all modules: path in the package, length and text of each."""
    whole = hashlib.sha256()
    for path, text in sorted(sources().items()):
        whole.update(b"%b %d\n%b" % (path.encode(), len(text), text))
    return whole.hexdigest()[:_DIGITS]


def sources() -> Dict[str, bytes]:
    """Returns the text of each module by its path in the package, as `engine/clients/connection.py`."""
    package = sys.modules[__name__.rsplit(".", 2)[0]]
    carried = getattr(package, "__sources__", None)  # set in the single script, which has no files
    if carried is not None:
        return {path: text.encode() for path, text in carried.items()}
    where = package.__path__[0]
    return _in_folder(where) if os.path.isdir(where) else _in_zip(where)


def _in_folder(where: str) -> Dict[str, bytes]:
    found = {}
    for folder, _, names in os.walk(where):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, where).replace(os.sep, "/")] = file.read()
    return found


def _in_zip(where: str) -> Dict[str, bytes]:
    import zipfile

    archive = where
    while not os.path.isfile(archive):
        archive = os.path.dirname(archive)
    start = where[len(archive) + 1 :].replace(os.sep, "/")
    start += "/" if start else ""
    with zipfile.ZipFile(archive) as file:
        names = [name for name in file.namelist() if name.startswith(start) and name.endswith(".py")]
        return {name[len(start) :]: file.read(name) for name in names}
