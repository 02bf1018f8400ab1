"""LocalRoute: what the router answers by itself."""

import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from ..proto import outcomes as o
from ..proto.commands import COMMANDS
from ..proto.requests import Request
from .base import Route
from .handle import Handle

Stats = Callable[[List[str]], Optional[Iterable[Tuple[str, object]]]]
"""From the words behind `stats` to (name, value) pairs; None: there are none of that name."""

Do = Callable[[Request, Iterator[int]], None]
"""Takes the steps of the work that answers a request; each says about how many microseconds it took."""

# Microseconds that `stats` cost: its lines, each host that is looked at, a group that there is not; and how many bytes
# cost one more.
_LINES, _HOST, _UNKNOWN, _BYTES = 500, 20, 10, 50
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
        self._known: Dict[str, Tuple[float, bytes]] = {}  # answers of `stats` by its words: until when they stand
        self._version = f"VERSION {_SPOKEN}-mcrouter-{version}\r\n".encode()
        self._answers: Dict[str, Tuple[bytes, bytes]] = {
            "version": (self._version, o.TEXT),
            "verbosity": (b"OK\r\n", o.OK),
            "mn": (b"MN\r\n", o.HEADER),
        }

    def start(self, request: Request, sink: Any) -> None:
        """Answers at once; `stats` when there is time for it."""
        name = COMMANDS[request.kinds[0]].name
        answer = self._answers.get(name)
        if name == "stats":
            self._do(request, self._stat_lines(request, sink))
        elif answer is None:
            sink.on_reply(f"SERVER_ERROR mcrouter: LocalRoute does not serve {name}\r\n".encode(), o.UNAVAILABLE)
        else:
            sink.on_reply(*answer)

    def _stat_lines(self, request: Request, sink: Any) -> Iterator[int]:
        """One step: what all clients are told that ask the same in one tick is computed once."""
        words = request.data.decode(errors="replace").split()[1:]
        until, reply = self._known.get(" ".join(words), (0.0, b""))
        if reply and self._now() <= until:
            sink.on_reply(reply, o.TEXT)
            yield len(reply) // _BYTES
            return
        pairs = self._stats(words)
        if pairs is None:
            sink.on_reply(b"CLIENT_ERROR bad stats command\r\n", o.CLIENT_ERROR)
            yield _UNKNOWN
            return
        lines = [f"STAT {name} {value}\r\n".encode(errors="replace") for name, value in pairs]
        reply = b"".join(lines) + b"END\r\n"
        self._known[" ".join(words)] = (self._now() + (_STANDS if self._hosts > _MANY else 0.0), reply)
        sink.on_reply(reply, o.TEXT)
        yield _LINES + _HOST * self._hosts + len(reply) // _BYTES


def _at_once(_request: Request, steps: Iterator[int]) -> None:
    for _ in steps:
        pass


HANDLE = Handle("LocalRoute", (), lambda args, kit: kit.local)
