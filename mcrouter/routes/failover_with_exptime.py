"""FailoverWithExptimeRoute: failover to hosts on which values expire soon, so that none outlives the failure long."""

from typing import Any, List, Mapping, Optional, Tuple

from ..config.fields import Field, number, route, routes
from ..proto.commands import Command
from ..proto.exptimes import capped
from ..proto.requests import Request
from .base import ASKED, Branch, Route, part
from .failover import failover_fields, made_of, never, shared
from .failover_policy import InOrder
from .handle import Args, Handle
from .kit import Kit

_LONGEST = 2**31 - 1


class ShortLivedRoute(Route):
    """Asks the target with an exptime of at most `most` seconds.

    | the command's exptime            | the target gets         |
    | none: get, delete, incr          | the command unchanged   |
    | 0 (never), or more than `most`   | the exptime `most`      |
    | up to `most`                     | the command unchanged   |
    """

    def __init__(self, target: Any, most: int, kit: Kit) -> None:
        self._target = target
        self._most = most
        self._kit = kit
        self.takes_runs, self.goes_on, self.splits = target.takes_runs, target.goes_on, target.splits

    def start(self, request: Request, sink: Any) -> None:
        """Asks the target."""
        self._target.start(self._shortened(request), sink)

    def _shortened(self, request: Request) -> Request:
        now = self._kit.wall()
        if len(request.kinds) == 1:
            return capped(request, self._most, now)
        commands = [part(request, request.kinds[at : at + 1], data) for at, data in enumerate(request.split())]
        data = b"".join(bytes(capped(command, self._most, now).data) for command in commands)
        return request if data == request.data else part(request, request.kinds, data, request.words)

    def routes(self) -> List[Any]:
        """Returns the target."""
        return [self._target]

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the limit of the exptime."""
        return f"for {self._most} s at most", [(ASKED, self._target)]


def _children(args: Args, kit: Kit) -> List[Any]:
    most = args.failover_exptime
    return [args.normal, *(ShortLivedRoute(child, most, kit) if most > 0 else child for child in args.failover)]


def _make(args: Args, kit: Kit) -> Any:
    return made_of(_children(args, kit), args)


def _state(args: Args, kit: Kit) -> Tuple[InOrder, Any]:
    return shared(1 + len(args.failover), args)


def _narrow(args: Mapping[str, Any], command: Command) -> Optional[int]:
    return int(args["normal"]) if not args["failover"] or never(args, command) else None


HANDLE = Handle(
    "FailoverWithExptimeRoute",
    failover_fields(
        route("normal"),
        routes("failover", default=(), principal=False),
        Field("failover_exptime", read=number(-_LONGEST, _LONGEST), default=60),
    ),
    _make,
    narrow=_narrow,
    state=_state,
)
"""FailoverRoute over `normal` and then each of `failover`. On the latter values expire after at most `failover_exptime`
seconds; if that is 0 or less, after the exptime that the client gave."""
