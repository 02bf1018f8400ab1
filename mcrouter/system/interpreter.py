"""What a router sets in its Python interpreter, so that neither garbage collection nor another thread delays the event
loop for long."""

import contextlib
import gc
import sys
from typing import Iterator

_TURN = 0.0005  # seconds


def freeze_gc() -> None:
    """Hides all existing objects from future garbage collections. Only for a process in which nothing but the router
    runs; has no effect on PyPy."""
    if hasattr(gc, "freeze"):
        gc.freeze()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Stops garbage collection within `with`, and hides the new objects from later collections: to visit all objects of
    a large policy delays a tick by 0.1 s or more. Only for a process in which nothing but the router runs."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            freeze_gc()
            gc.enable()


@contextlib.contextmanager
def short_gil_turns() -> Iterator[None]:
    """Favours the event loop while another thread works within `with`: stops garbage collection, and lets the loop wait
    only 0.5 ms, not 5 ms, for the GIL after each system call."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        with without_collection():
            yield
    finally:
        sys.setswitchinterval(before)
