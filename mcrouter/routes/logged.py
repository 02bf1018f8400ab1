"""LoggingRoute: writes a log line for each request."""

import logging
from typing import List, Optional

from ..config.fields import Values, route
from ..proto import outcomes as o
from ..proto.commands import ADMIN, COMMANDS, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from ..system.logs import get_logger
from .framework.base import Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle

_LOG = get_logger(__name__)
_WORDS = {
    o.VALUE: "hit", o.PARTIAL: "some hits", o.MISS: "miss", o.STORED: "stored", o.NOT_STORED: "not stored",
    o.EXISTS: "exists", o.NOT_FOUND: "not found", o.DELETED: "deleted", o.TOUCHED: "touched", o.NUMBER: "number",
    o.OK: "ok", o.TEXT: "text", o.HEADER: "ok", o.ERROR: "error", o.CLIENT_ERROR: "client error",
    o.SERVER_ERROR: "server error", o.TIMEOUT: "timeout", o.LOST: "connection lost", o.UNAVAILABLE: "unavailable",
    o.TKO: "unhealthy", o.LOCAL: "local error", o.LEFT_OUT: "no memory",
}  # fmt: skip
_SHOWN = 60  # bytes of a key
_KEYS = 10  # of a request


class LoggingRoute(Route):
    """Passes every request on, and logs its outcome at level INFO.

    | the target | the answer  | the log line                              |
    | answers x  | x           | get 'key': hit, 0.3 ms                    |
    | fails      | the failure | get 'key': timeout, 1000.2 ms             |

    A run is one line with the outcomes of its commands. Bytes of a key that are not ASCII are shown as escapes.
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.target
        self.context = context
        target = args.target
        self.takes_runs, self.may_ask_another_host, self.splits = (
            target.takes_runs,
            target.may_ask_another_host,
            target.splits,
        )

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target."""
        self._target.start(request, _Watched(self.context, request, sink) if _LOG.isEnabledFor(logging.INFO) else sink)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the target continue: it was given the request unchanged."""
        self._target.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns the target."""
        return [self._target]


class _Watched:
    """The sink of a request that is logged."""

    __slots__ = ("_begun", "_context", "_request", "_sink")

    def __init__(self, context: RouteContext, request: Request, sink: Sink) -> None:
        self._context = context
        self._request = request
        self._sink = sink
        self._begun = context.now()

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Logs the target's answer, and passes it on."""
        ms = (self._context.now() - self._begun) * 1000
        _LOG.info("%s: %s, %.1f ms", describe(self._request), became(outcomes), ms)
        self._sink.on_reply(reply, outcomes)


def describe(request: Request) -> str:
    """Returns the commands and keys of a request as text for the log."""
    names = ", ".join(dict.fromkeys(COMMANDS[command].name for command in request.commands))
    keys = request.names()
    shown = " ".join(ascii(key[:_SHOWN])[1:] for key in keys[:_KEYS])
    more = f" and {len(keys) - _KEYS} more" if len(keys) > _KEYS else ""
    return f"{names} {shown}{more}".rstrip()


def became(outcomes: bytes) -> str:
    """Returns the outcomes in words, with counts if there are several."""
    if len(outcomes) == 1:
        return _WORDS[outcomes]
    codes = [bytes([code]) for code in dict.fromkeys(outcomes)]
    return " and ".join(f"{outcomes.count(code)} {_WORDS[code]}" for code in codes)


def _about_no_key(args: Values, command: Command) -> Optional[int]:
    return int(args["target"]) if command.kind == ADMIN else None


HANDLE = Handle("LoggingRoute", (route("target", principal=True),), LoggingRoute, specialise=_about_no_key)
