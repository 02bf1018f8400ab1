"""AsynclogRoute: keeps the deletes that a host did not get until the host is back. PoolRoute puts it around hosts."""

from typing import List, Optional

from ..config.fields import Field, Values, route
from ..config.hosts import parse_host
from ..proto import outcomes as o
from ..proto.client.lines import MAX_KEY
from ..proto.commands import DELETE, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.rewriting import routing_name
from ..proto.seams import Sink
from .framework.base import Route
from .framework.context import DeleteLog, RouteContext
from .framework.handle import Args, Handle
from .framework.renamed import StripPrefixRoute, prefix_of
from .null import default_reply

_UNDELIVERED = (o.OUR_ERRORS + o.SERVER_ERROR).translate(None, o.LOCAL)


class AsynclogRoute(Route):
    """Passes deletes on. A delete that fails is logged and then answered, so that the caller need not fail over.

    | the host                                  | the async log       | the answer          |
    | answers, also with CLIENT_ERROR           | is not used         | the host's          |
    | times out, is unhealthy, SERVER_ERROR ... | takes the delete    | NOT_FOUND (md: NF)  |
    | the same                                  | cannot take it      | the error           |

    A binary key (of md), which a line of text cannot hold, is not logged.
    """

    def __init__(self, args: Args, context: RouteContext, log: DeleteLog) -> None:
        self._target = args.target
        self._context = context
        self._log = log
        address = parse_host(args.host)
        self._host, self._port = (address.path, 0) if address.path else (address.host, address.port)
        self._pool = args.pool
        self._strips = isinstance(args.target, StripPrefixRoute)
        self.may_ask_another_host = args.target.may_ask_another_host

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the host."""
        self._target.start(request, _Delete(self, request, sink))

    def log(self, request: Request) -> bool:
        """Writes the delete to the async log; returns whether the log has taken it."""
        key = routing_name(request)
        if self._strips:
            key = key[len(prefix_of(key)) :]
        if len(key) > MAX_KEY or any(byte <= 32 or byte == 127 for byte in key):
            return False
        if not self._log.add(self._host, self._port, key, self._pool):
            return False
        self._context.count("asynclog_requests")
        return True

    def routes(self) -> List[Route]:
        """Returns the route to the host."""
        return [self._target]


class _Delete:
    """The sink of a delete."""

    __slots__ = ("_request", "_route", "_sink")

    def __init__(self, route: AsynclogRoute, request: Request, sink: Sink) -> None:
        self._route = route
        self._request = request
        self._sink = sink

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the host's answer; logs the delete if it was not delivered."""
        if outcomes in _UNDELIVERED and self._route.log(self._request):
            reply, outcomes = default_reply(*self._request.commands)
        self._sink.on_reply(reply, outcomes)


def _no_delete(args: Values, command: Command) -> Optional[int]:
    return None if command.kind == DELETE else int(args["target"])


def _make(args: Args, context: RouteContext) -> Route:
    return args.target if context.spool is None else AsynclogRoute(args, context, context.spool)


HANDLE = Handle("AsynclogRoute", (route("target"), Field("host"), Field("pool")), _make, specialise=_no_delete)
