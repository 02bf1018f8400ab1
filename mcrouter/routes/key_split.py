"""KeySplitRoute: stores each key under several names, so that several hosts share the load of a hot key."""

from typing import Callable, List, Optional, Tuple

from ..config.fields import Field, Values, number, route, switch
from ..proto import outcomes as o
from ..proto.background import background
from ..proto.commands import ADMIN, BY_NAME, Command
from ..proto.guard import guarded
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.rewriting import longest_key
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, COPY, DROP_REPLY, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import names_of
from .framework.renamed import ask_renamed, renamed

_ROOM = len("::999")  # bytes
_LEAST, _MOST = 2, 1000
_GET, _SETS, _DELETES = (
    bytes(BY_NAME[name].number for name in names) for names in (("get",), ("set", "ms"), ("delete", "md"))
)


class KeySplitRoute(Route):
    """Gives each key `replicas` names: key, key::1, key::2 ... The host id selects the name that this router uses, its
    own name.

    | command                           | asked                                      | the answer                   |
    | get                               | the own name                               | that of the own name         |
    | get with first_hit                | all names                                  | the first hit; else the last |
    | set, ms with all_sync; delete, md | all; all but the own one in the background | that of the own name         |
    | any other                         | the own name                               | that of the own name         |

    A key that is too long for a suffix (over 245 bytes, in base64 over 181) has only one name, the key itself.
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.destination
        self._replicas: int = args.replicas
        self._own = context.host_id % args.replicas
        self._first_hit = args.first_hit
        self._to_all = _DELETES + (_SETS if args.all_sync else b"")
        self.takes_keys = not args.first_hit
        self.may_ask_another_host, self.splits = args.destination.may_ask_another_host, args.destination.splits

    def start(self, request: Request, sink: Sink) -> None:
        """Asks for the own name, or for all names."""
        (command,) = request.commands
        if command in self._to_all and self._has_names(request):
            for replica in range(self._replicas):
                if replica != self._own:
                    copy = background(request)
                    guarded(copy, self._ask, copy, DROP_REPLY, replica)
            self._ask(request, sink, self._own)
        elif self._first_hit and command in _GET and request.large_value is None and self._has_names(request):
            first = _FirstHit(sink, self._replicas)
            for replica in range(self._replicas):
                self._ask(request, first, replica)
        elif self._own:
            ask_renamed(self._target, request, sink, _name(self._own, longest_key(request)))
        else:
            self._target.start(request, sink)

    def _has_names(self, request: Request) -> bool:
        most = longest_key(request)
        return all(len(name) + _ROOM <= most for name in names_of(request))

    def _ask(self, request: Request, sink: Sink, replica: int) -> None:
        if replica:
            request, sink = renamed(request, sink, _name(replica, longest_key(request)))
        self._target.start(request, sink)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the target continue: it was given the request unchanged."""
        self._target.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns the destination."""
        return [self._target]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the names that are asked for."""
        (command,) = request.commands
        everywhere = command in self._to_all or (self._first_hit and command in _GET)
        remark = f"as replica {self._own} of {self._replicas}" + (", and as the others" if everywhere else "")
        return remark, [(ASKED, self._target), *([(COPY, self._target)] if everywhere else [])]


def _name(replica: int, most: int) -> Callable[[bytes], bytes]:
    """Returns a function that gives a key's name for this replica, where names may have `most` bytes."""
    suffix = b"::%d" % replica
    return lambda key: key + suffix if len(key) + _ROOM <= most else key


class _FirstHit:
    """The sink of a get of one key under all its names."""

    __slots__ = ("_sink", "_waiting")

    def __init__(self, sink: Sink, waiting: int) -> None:
        self._sink: Optional[Sink] = sink
        self._waiting = waiting

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer for one name."""
        self._waiting -= 1
        sink = self._sink
        if sink is not None and (outcomes in o.SUCCESS or not self._waiting):
            self._sink = None
            sink.on_reply(reply, outcomes)


def _about_no_key(args: Values, command: Command) -> Optional[int]:
    return int(args["destination"]) if command.kind == ADMIN else None


HANDLE = Handle(
    "KeySplitRoute",
    (
        route("destination", principal=True),
        Field("replicas", read=number(_LEAST, _MOST)),
        Field("all_sync", read=switch),
        Field("first_hit", read=switch, default=False),
    ),
    KeySplitRoute,
    specialise=_about_no_key,
    times=lambda args: int(args["replicas"]),
)
