"""ModifyExptimeRoute: passes requests on with another exptime than the client's."""

from typing import List, Optional, Tuple

from ..config.fields import Field, Values, number, one_of, route
from ..proto.commands import EXPTIME_KEYS, META_STORE, STORE, STORE_CAS, Command
from ..proto.exptimes import capped, exptime, with_exptime
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, Branch, Route
from .framework.context import RouteContext
from .framework.handle import Args, Handle

_LEAST, _MOST = -(2**31), 2**31 - 1  # facebook/mcrouter's int32
_ALSO = ("touch", "mg", "ma")  # the meta commands have an exptime if a flag gives one


class ModifyExptimeRoute(Route):
    """Passes requests on with a changed exptime. Commands without one, such as delete, stay as they are.

    | action | the client's exptime                 | becomes                           |
    | set    | any                                  | `exptime`                         |
    | min    | 0 (never expires), or a later time   | `exptime`                         |
    | min    | an earlier time                      | unchanged                         |
    | min, with `exptime` 0 | any                   | unchanged                         |
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.target
        self._exptime = args.exptime
        self._sets = args.action == "set" or args.exptime < 0  # below 0 expires at once: no time is earlier
        self._context = context
        self.may_ask_another_host, self.splits = args.target.may_ask_another_host, args.target.splits

    def _changed(self, request: Request) -> Request:
        if exptime(request) is None:
            return request
        if self._sets:
            return with_exptime(request, self._exptime)
        return capped(request, self._exptime, self._context.wall())

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target with the changed exptime."""
        self._target.start(self._changed(request), sink)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the target continue: it was given the request unchanged."""
        self._target.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns the target."""
        return [self._target]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the changed exptime."""
        return f"exptime {exptime(self._changed(request))}", [(ASKED, self._target)]


def _has_none(args: Values, command: Command) -> Optional[int]:
    has = command.request in (STORE, STORE_CAS, META_STORE, EXPTIME_KEYS) or command.name in _ALSO
    changes = args["action"] == "set" or args["exptime"] != 0
    return None if has and changes else int(args["target"])


HANDLE = Handle(
    "ModifyExptimeRoute",
    (
        route("target", principal=True),
        Field("exptime", read=number(_LEAST, _MOST)),
        Field("action", read=one_of("set", "min"), default="set"),
    ),
    ModifyExptimeRoute,
    specialise=_has_none,
)
