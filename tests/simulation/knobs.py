"""The size constants of the engine, and the small values that a run may give them: short runs then reach every branch."""

from random import Random
from types import ModuleType
from typing import List, NamedTuple, Tuple

from mcrouter.engine import loop, writing
from mcrouter.engine.clients import frontend, inbox, large_values, memory, outbox
from mcrouter.engine.hosts import journal
from mcrouter.engine.hosts.connections import exchange, lingering, streaming, streaming_pool
from mcrouter.engine.hosts.connections import inbox as host_inbox
from mcrouter.proto import runs
from mcrouter.proto.client import parser
from mcrouter.proto.client import stream as client_stream
from mcrouter.proto.host import reply_cutter
from mcrouter.proto.host import stream as host_stream
from mcrouter.routes.framework import keyed, pieces


class Knob(NamedTuple):
    """A constant, in each module that has it under the name, and what it may be."""

    name: str
    modules: Tuple[ModuleType, ...]
    values: Tuple[float, ...]


KNOBS = (
    Knob("_READ_SIZE", (inbox,), (16, 64, 200, 16384)),
    Knob("_READ_MORE", (inbox,), (64, 300, 130816)),
    Knob("_LARGE", (client_stream,), (50, 16384)),
    Knob("_LARGE_FLUSH", (outbox,), (50, 500, 65536)),
    Knob("FIRST_WINDOW", (outbox, frontend), (1, 2, 4, 16)),
    Knob("_WINDOW_MOST", (outbox,), (1, 16, 1024)),
    Knob("_MANY_PIECES", (client_stream,), (2, 512)),
    Knob("PIECE", (inbox, streaming), (100, 300)),
    Knob("LEAST", (exchange, streaming), (50, 16384)),
    Knob("_IDLE_MOST", (streaming_pool,), (0, 1, 4)),
    Knob("_LITTLE", (host_inbox,), (0, 20, 1024)),
    Knob("_STEPS", (memory,), (2, 16, 1000)),
    Knob("_TURN", (memory,), (1, 20)),
    Knob("READ_SIZE", (host_inbox,), (32, 100, 500, 130816)),
    Knob("_WORTH", (writing,), (10, 300, 32768)),
    Knob("_MOST", (writing,), (3, 1000)),
    Knob("_LARGE", (host_stream,), (40, 16384)),
    Knob("_PASSING", (reply_cutter,), (30, 200, 16384)),
    Knob("_AT_ONCE", (reply_cutter,), (1, 2, 1024)),
    Knob("_LARGE", (parser,), (50, 16384)),
    Knob("_SEEN_OFTEN", (runs,), (1, 3, 32)),
    Knob("_MAX_PATTERNS", (runs,), (1, 64)),
    Knob("_RENEW_AFTER", (runs,), (2, 1 << 17)),
    Knob("_MAX_LENGTHS", (runs,), (2, 1024)),
    Knob("_TURNS", (loop,), (1, 2, 4)),
    Knob("_TURNS", (inbox,), (1, 2, 8)),
    Knob("_TURNS", (streaming,), (1, 2, 8)),
    Knob("_LOOKS", (loop,), (1, 16)),
    Knob("_COMES_AND_GOES", (loop,), (0, 4 << 20)),
    Knob("_READS", (host_inbox,), (1, 2, 16)),
    Knob("_READS", (lingering,), (1, 16)),
    Knob("_READ", (lingering,), (1, 1 << 16)),
    Knob("_FIRST", (large_values,), (1, 300, 65536)),
    Knob("_ACCEPTS", (frontend,), (1, 64)),
    Knob("_BATCH", (journal,), (1, 3, 512)),
    Knob("_SMALL", (writing,), (1, 1024)),
    Knob("_PAUSE", (keyed,), (0.0005, 0.001, 0.01)),
    Knob("_WORTH", (pieces,), (30, 500, 65536)),
    Knob("_LARGE", (pieces,), (20, 4096)),
)


def _as_they_are() -> List[Tuple[ModuleType, str, float]]:
    """What they are without a run. Raises LookupError when one is not there any more."""
    found = []
    for knob in KNOBS:
        for module in knob.modules:
            if not hasattr(module, knob.name):
                raise LookupError(f"{module.__name__} has no {knob.name} any more: adapt tests/simulation/knobs.py")
            found.append((module, knob.name, getattr(module, knob.name)))
    return found


_ORIGINAL = _as_they_are()


def restore() -> None:
    """Gives all of them the values that they have without a run."""
    for module, name, value in _ORIGINAL:
        setattr(module, name, value)


def turn(chance: Random) -> None:
    """Gives each of them one of its values."""
    for knob in KNOBS:
        value = chance.choice(knob.values)
        for module in knob.modules:
            setattr(module, knob.name, value)
