"""LocalRoute: what the router answers by itself."""

import math
import time
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from ..proto import outcomes as o
from ..proto.commands import COMMANDS
from ..proto.guard import INTERNAL_ERROR
from ..proto.request import Request
from ..proto.seams import Sink
from .framework.base import Route
from .framework.handle import Handle

Portions = Iterable[Tuple[int, List[Tuple[str, object]]]]
"""The steps by which an answer to `stats` is computed: (cost in microseconds, the (name, value) pairs of this step)."""

Stats = Callable[[List[str]], Optional[Portions]]
"""Returns the answer to `stats` with these arguments; None if there is no such group of statistics."""

Do = Callable[[Request, Iterator[int]], None]
"""Does the work that answers a request, step by step; each step yields its cost in microseconds."""

_UNKNOWN = 10  # microseconds: the cost of the answer that there is no such group of statistics
_BYTES = 50  # bytes of an answer that cost one microsecond
_MANY = 200  # hosts; an answer about more of them is valid for `_VALID`, an answer about fewer for one tick
_VALID = 1.0  # seconds

# The version of memcached whose protocol the router speaks. It begins the router's version, because clients parse that:
# libmemcached cannot read one that begins with another character than a digit, or with 0, emcache one of several words.
_SPOKEN = "1.6.18"


class LocalRoute(Route):
    """Answers `version`, `stats` (the router's own), `verbosity` and `mn`; `quit` closes the connection before a route
    is asked.

    Other commands get a SERVER_ERROR that names the command. An unknown group of statistics gets a CLIENT_ERROR, in
    facebook/mcrouter's words.
    """

    def __init__(
        self,
        version: str,
        stats: Stats,
        do: Optional[Do] = None,
        now: Callable[[], float] = time.monotonic,
        hosts: int = 0,
    ) -> None:
        """`do` computes the answers to `stats`; `hosts`: how many hosts these are about; `now()`: seconds, the same
        within a tick."""
        self._stats = stats
        self._do = do or _at_once
        self._now = now
        self._hosts = hosts
        self._known: Dict[str, _Answer] = {}  # the answers to `stats`, by its arguments
        self._version = f"VERSION {_SPOKEN}-mcrouter-{version}\r\n".encode()
        self._answers: Dict[str, Tuple[bytes, bytes]] = {
            "version": (self._version, o.TEXT),
            "verbosity": (b"OK\r\n", o.OK),
            "mn": (b"MN\r\n", o.HEADER),
        }

    def start(self, request: Request, sink: Sink) -> None:
        """Answers at once; `stats` as `do` finds the time."""
        (command,) = request.commands
        name = COMMANDS[command].name
        answer = self._answers.get(name)
        if name == "stats":
            self._do(request, self._stat_lines(request, sink))
        elif answer is None:
            sink.on_reply(f"SERVER_ERROR mcrouter: LocalRoute does not serve {name}\r\n".encode(), o.UNAVAILABLE)
        else:
            sink.on_reply(*answer)

    def _stat_lines(self, request: Request, sink: Sink) -> Iterator[int]:
        """Yields the cost of each step of an answer to `stats`, which is shared while it is computed or valid."""
        words = request.data.decode(errors="replace").split()[1:]
        answer = self._known.get(" ".join(words))
        if answer is None or answer.until < self._now():
            portions = self._stats(words)
            if portions is None:
                sink.on_reply(b"CLIENT_ERROR bad stats command\r\n", o.CLIENT_ERROR)
                yield _UNKNOWN
                return
            answer = self._known[" ".join(words)] = _Answer()
            answer.steps = self._making(answer, portions)
        for cost in answer.steps:
            yield cost
        sink.on_reply(*answer.reply)
        yield len(answer.reply[0]) // _BYTES

    def _making(self, answer: "_Answer", portions: Portions) -> Iterator[int]:
        lines: List[bytes] = []
        try:
            for cost, pairs in portions:
                lines += [f"STAT {name} {value}\r\n".encode(errors="replace") for name, value in pairs]
                yield cost
            answer.reply = b"".join(lines) + b"END\r\n", o.TEXT
        finally:
            answer.until = self._now() + (_VALID if self._hosts > _MANY else 0.0)


class _Answer:
    """An answer to `stats`, and the steps that compute it: each client that waits for it makes the next step."""

    def __init__(self) -> None:
        self.steps: Iterator[int] = iter(())
        self.reply: Tuple[bytes, bytes] = INTERNAL_ERROR, o.LOCAL  # until it is computed
        self.until = math.inf  # the time until which it is valid


def _at_once(_request: Request, steps: Iterator[int]) -> None:
    for _ in steps:
        pass


HANDLE = Handle("LocalRoute", (), lambda args, context: context.local)
