"""LocalRoute: what the router answers by itself."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from ..proto import outcomes as o
from ..proto.commands import COMMANDS
from ..proto.requests import Request
from .base import Route
from .handle import Handle

Stats = Callable[[List[str]], Optional[Iterable[Tuple[str, object]]]]
"""From the words behind `stats` to (name, value) pairs; None: there are none of that name."""

# The memcached whose protocol this is. Clients read the answer as a memcached's: libmemcached does not understand one
# that begins with no number, or with 0, and emcache none of several words.
_SPOKEN = "1.6.18"


class LocalRoute(Route):
    """`version`, `stats` (the router's own), `verbosity`; `quit` has closed the connection before it gets here.

    Other commands get a SERVER_ERROR that says so. A group of statistics that there is not gets a CLIENT_ERROR, in
    facebook/mcrouter's words.
    """

    def __init__(self, version: str, stats: Stats) -> None:
        self._stats = stats
        self._version = f"VERSION {_SPOKEN}-mcrouter-{version}\r\n".encode()
        self._answers: Dict[str, Callable[[Request], Tuple[bytes, bytes]]] = {
            "version": lambda request: (self._version, o.TEXT),
            "verbosity": lambda request: (b"OK\r\n", o.OK),
            "stats": self._stat_lines,
            "mn": lambda request: (b"MN\r\n", o.HEADER),
        }

    def start(self, request: Request, sink: Any) -> None:
        """Answers at once."""
        name = COMMANDS[request.kinds[0]].name
        answer = self._answers.get(name)
        if answer is None:
            sink.on_reply(f"SERVER_ERROR mcrouter: LocalRoute does not serve {name}\r\n".encode(), o.UNAVAILABLE)
        else:
            sink.on_reply(*answer(request))

    def _stat_lines(self, request: Request) -> Tuple[bytes, bytes]:
        pairs = self._stats(request.data.decode(errors="replace").split()[1:])
        if pairs is None:
            return b"CLIENT_ERROR bad stats command\r\n", o.CLIENT_ERROR
        lines = [f"STAT {name} {value}\r\n".encode(errors="replace") for name, value in pairs]
        return b"".join(lines) + b"END\r\n", o.TEXT


HANDLE = Handle("LocalRoute", (), lambda args, kit: kit.local)
