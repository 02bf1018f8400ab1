"""Policies that ask one after the other, written as what they do: a generator that yields whom to ask.

    reply, outcomes = yield route, request      asks, and goes on with the answer
    return reply, outcomes                      the answer of the whole
"""

from typing import Any, Callable, Generator, Tuple

from ..proto import outcomes as o
from ..proto.background import background
from ..proto.replies import TOO_LARGE
from ..proto.requests import Request
from ..proto.rewriting import Value, store_of, values
from .base import NOBODY, start_guarded

Answer = Tuple[Any, bytes]
Steps = Generator[Tuple[Any, Request], Answer, Answer]

_HITS = o.VALUE + o.HEADER + o.NUMBER + o.DELETED + o.TOUCHED


def is_hit(outcomes: bytes) -> bool:
    """Whether a single command has found what it asked for."""
    return outcomes in _HITS


def follow(steps: Steps, sink: Any) -> None:
    """Takes the steps; `sink` gets what they return."""
    _Walker(steps, sink, lambda request: request).begin()


def in_background(steps: Steps) -> None:
    """Takes the steps, for whose end nobody waits."""
    _Walker(steps, NOBODY, background).begin()


class _Walker:
    """The sink of each step."""

    __slots__ = ("_prepared", "_sink", "_steps")

    def __init__(self, steps: Steps, sink: Any, prepared: Callable[[Request], Request]) -> None:
        self._steps = steps
        self._sink = sink
        self._prepared = prepared  # makes what is asked of a step's request

    def begin(self) -> None:
        """The first step."""
        self._go(None)

    def on_reply(self, reply: Any, outcomes: bytes) -> None:
        """The answer to a step."""
        self._go((reply, outcomes))

    def _go(self, answer: Any) -> None:
        try:
            route, request = self._steps.send(answer)
        except StopIteration as done:
            self._sink.on_reply(*done.value)
        else:
            start_guarded(route, self._prepared(request), self)


def value_of(reply: Any) -> Any:
    """The value that a get's reply has; None if it has none, or one too large to be held."""
    if reply is TOO_LARGE or not isinstance(reply, bytes):
        return None
    found = values(reply)
    return found[0] if found else None


def copy_of(origin: Request, verb: str, value: Value, exptime: int) -> Request:
    """A store of that value, for the client of `origin`."""
    return store_of(origin, verb, value.key, value.flags, exptime, value.data)


def ttl_in(reply: Any) -> Any:
    """The expiry time that the answer to `mg key t` tells, 0 for never; None if there is no such
    key, or the host says something else."""
    if not isinstance(reply, bytes) or not reply.startswith(b"HD "):
        return None
    told = [word[1:] for word in reply.split() if word[:1] == b"t"]
    if not told or not told[0].lstrip(b"-").isdigit():
        return None
    return max(0, int(told[0]))
