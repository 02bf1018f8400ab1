"""Routes that ask several routes in turn, each written as a generator of steps.

    reply, outcomes = yield route, request      asks the route, and resumes with its answer
    return reply, outcomes                      ends with this answer for the client
"""

from typing import Callable, Generator, Optional, Tuple

from ...proto import outcomes as o
from ...proto.background import background
from ...proto.reply import TOO_LARGE, Reply
from ...proto.request import Request
from ...proto.rewriting import Value, store_of, values
from ...proto.seams import Sink
from .base import DROP_REPLY, Route, start_guarded

Answer = Tuple[Reply, bytes]
Steps = Generator[Tuple[Route, Request], Answer, Answer]

_HITS = o.VALUE + o.HEADER + o.NUMBER + o.DELETED + o.TOUCHED


def is_hit(outcomes: bytes) -> bool:
    """Returns whether a single command has found its key."""
    return outcomes in _HITS


def follow(steps: Steps, sink: Sink) -> None:
    """Runs the steps; `sink` gets the answer that they return."""
    _Walker(steps, sink, lambda request: request).begin()


def in_background(steps: Steps) -> None:
    """Runs the steps with background requests, and drops the answer."""
    _Walker(steps, DROP_REPLY, background).begin()


class _Walker:
    """The sink of every step."""

    __slots__ = ("_prepared", "_sink", "_steps")

    def __init__(self, steps: Steps, sink: Sink, prepared: Callable[[Request], Request]) -> None:
        self._steps = steps
        self._sink = sink
        self._prepared = prepared  # turns a step's request into the one that is sent

    def begin(self) -> None:
        """Runs to the first step."""
        self._go(None)

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Resumes with the answer to a step."""
        self._go((reply, outcomes))

    def _go(self, answer: Optional[Answer]) -> None:
        try:
            route, request = self._steps.send(answer)  # type: ignore[arg-type]  # None begins them
        except StopIteration as done:
            self._sink.on_reply(*done.value)
        else:
            start_guarded(route, self._prepared(request), self)


def value_of(reply: Reply) -> Optional[Value]:
    """Returns the value in the reply to a get; None if there is none, or if it is too large to be held in memory."""
    if reply is TOO_LARGE or not isinstance(reply, bytes):
        return None
    found = values(reply)
    return found[0] if found else None


def copy_of(origin: Request, verb: str, value: Value, exptime: int) -> Request:
    """Returns a request that stores this value, on behalf of the client of `origin`."""
    return store_of(origin, verb, value.key, value.flags, exptime, value.data)


def ttl_in(reply: Reply) -> Optional[int]:
    """Returns the exptime from the answer to `mg key t`, 0 for never; None if there is no such key, or if the answer is
    of another form."""
    if not isinstance(reply, bytes) or not reply.startswith(b"HD "):
        return None
    told = [word[1:] for word in reply.split() if word[:1] == b"t"]
    if not told or not told[0].lstrip(b"-").isdigit():
        return None
    return max(0, int(told[0]))
