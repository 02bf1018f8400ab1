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
"""An answer that is computed step by step: about how many microseconds a step took, and the (name, value) pairs that it
gave."""

Stats = Callable[[List[str]], Optional[Portions]]
"""From the words behind `stats` to the answer; None: there is no such group."""

Do = Callable[[Request, Iterator[int]], None]
"""Takes the steps of the work that answers a request; each says about how many microseconds it took."""

# Microseconds that it costs to say that there is no such group of `stats`; and how many bytes cost one.
_UNKNOWN, _BYTES = 10, 50
_MANY = 200  # hosts; a look at so many stands for a second, at fewer for the tick
_STANDS = 1.0  # seconds

# The memcached whose protocol this is. Clients read the answer as a memcached's: libmemcached does not understand one
# that begins with no number, or with 0, and emcache none of several words.
_SPOKEN = "1.6.18"


class LocalRoute(Route):
    """`version`, `stats` (the router's own), `verbosity`; `quit` has closed the connection before it gets here.

    Other commands get a SERVER_ERROR that says so. A group of statistics that there is not gets a CLIENT_ERROR, in
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
        """`do` has `stats` computed, which are of so many `hosts`; `now()` in seconds is the same within a tick."""
        self._stats = stats
        self._do = do or _at_once
        self._now = now
        self._hosts = hosts
        self._known: Dict[str, _Answer] = {}  # those of `stats`, by its words
        self._version = f"VERSION {_SPOKEN}-mcrouter-{version}\r\n".encode()
        self._answers: Dict[str, Tuple[bytes, bytes]] = {
            "version": (self._version, o.TEXT),
            "verbosity": (b"OK\r\n", o.OK),
            "mn": (b"MN\r\n", o.HEADER),
        }

    def start(self, request: Request, sink: Sink) -> None:
        """Answers at once; `stats` when there is time for it."""
        name = COMMANDS[request.commands[0]].name
        answer = self._answers.get(name)
        if name == "stats":
            self._do(request, self._stat_lines(request, sink))
        elif answer is None:
            sink.on_reply(f"SERVER_ERROR mcrouter: LocalRoute does not serve {name}\r\n".encode(), o.UNAVAILABLE)
        else:
            sink.on_reply(*answer)

    def _stat_lines(self, request: Request, sink: Sink) -> Iterator[int]:
        """Steps that are shared: what clients ask while an answer is made, or stands, is computed once."""
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
            answer.until = self._now() + (_STANDS if self._hosts > _MANY else 0.0)


class _Answer:
    """An answer of `stats`, and the steps by which it is made: each client that waits for it takes the next one."""

    def __init__(self) -> None:
        self.steps: Iterator[int] = iter(())
        self.reply: Tuple[bytes, bytes] = INTERNAL_ERROR, o.LOCAL  # until it is made
        self.until = math.inf  # when it is too old


def _at_once(_request: Request, steps: Iterator[int]) -> None:
    for _ in steps:
        pass


HANDLE = Handle("LocalRoute", (), lambda args, context: context.local)
