"""The system calls of descriptors, in front of the kernel's: those of the simulated world go to its kernel.

The engine binds them when it is imported (`from os import read`), so they are replaced before.
"""

import os
import sys
from typing import Any, Callable

BASE = 1 << 20
"""The first descriptor of the simulated world; the real ones are lower."""

_NAMES = ("read", "write", "writev", "close")


class World:
    """Where the calls go: `kernel` is that of the run at hand."""

    kernel: Any = None


def replace() -> None:
    """Replaces them in this process. Raises RuntimeError when the engine has bound the real ones already."""
    if "mcrouter.engine.loop" in sys.modules:
        raise RuntimeError("the engine was imported before its system calls were replaced")
    for name in _NAMES:
        setattr(os, name, _dispatching(name, getattr(os, name)))


def _dispatching(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(fd: int, *args: Any) -> Any:
        if type(fd) is int and fd >= BASE:
            return getattr(World.kernel, name)(fd, *args)
        return real(fd, *args)

    return call
