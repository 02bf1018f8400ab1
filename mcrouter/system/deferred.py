"""Modules that a start does not use. Each is imported when it is first used, or else right after the start, in portions
between the ticks of the event loop (`importing`): the files on disk may be replaced by another version later, and a
process must never run parts of both.

    if TYPE_CHECKING:
        from .stats import summary
    else:
        summary = own("stats.summary")

Such a line takes the place of an import. What no running process needs (the demo, the subcommands) is not declared so.

A module that is imported in this way must not have `from . import submodule`, nor `from .package.module import name` if
that package is not loaded yet (so packages are declared before what imports from them): for both, Python waits until
the outermost package is loaded. That may be a program that starts a router while it is imported, and waits for answers.
"""

import os
import threading
from collections import deque
from importlib import import_module
from typing import Any, Deque, Generator

from .logs import PACKAGE, get_logger

logger = get_logger(__name__)

_waiting: Deque[str] = deque()
_importing = threading.RLock()  # a fork must not copy a module that is half imported
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_importing.acquire, after_in_parent=_importing.release, after_in_child=_importing.release
    )


class Deferred:
    """Stands for a module until one of its names is used."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._module is None:
            with _importing:
                self._module = import_module(self._name)
        return getattr(self._module, name)


def own(name: str) -> Any:
    """Returns a stand-in for a module of this package; `name` is relative to the package, as `stats.summary`."""
    return standard(f"{PACKAGE}.{name}")


def before(*names: str) -> None:
    """Has `importing` import modules of this package before the one that is declared next, which imports them, so that
    no step of it takes too long; also packages that are not loaded yet."""
    ahead(*(f"{PACKAGE}.{name}" for name in names))


def standard(name: str) -> Any:
    """Returns a stand-in for a module of the standard library."""
    ahead(name)
    return Deferred(name)


def ahead(*names: str) -> None:
    """Does the same as `before`, for modules of the standard library."""
    _waiting.extend(names)


def importing() -> Generator[None, None, None]:
    """Imports all modules that have been deferred; yields after each."""
    while _waiting:
        with _importing:
            name = _waiting.popleft() if _waiting else __name__  # another router in this process imports, too
            try:
                import_module(name)
            except Exception as error:
                logger.warning("cannot import %s: %r; what needs it will fail", name, error)
        yield
    logger.debug("all modules are imported")
