"""Has all modules that a start does not use imported right after it (system/deferred.py), between the ticks of an event
loop."""

import contextlib
import gc
from typing import Any, Callable, Optional

from ..engine.loop import PollGroup
from ..system.deferred import importing
from ..system.interpreter import freeze_gc
from .portions import in_portions

_FIRST_CLIENT = 0.5  # seconds that the modules which a start does not need wait for the first client
_FIRST_ANSWER = 0.02  # seconds that they wait for its answer


def import_rest(loop: PollGroup, has_had_client: Callable[[], bool], owns_process: bool) -> None:
    """Has the rest imported once the first client has had time to be answered, or when none comes.

    Then enables the garbage collector in a process that runs nothing but the router.
    """
    at_last = loop.clock() + _FIRST_CLIENT

    def look() -> None:
        if loop.clock() < at_last and not has_had_client():
            loop.call_later(_FIRST_ANSWER, look)
        else:
            loop.call_later(_FIRST_ANSWER, begin)

    def begin() -> None:
        in_portions(loop, importing(), done, contextlib.nullcontext())

    def done(_result: Any, _error: Optional[Exception]) -> None:
        if owns_process:
            freeze_gc()  # without a collection, which would hold the tick up: there is hardly any garbage
            gc.enable()

    look()
