"""StagingRoute: keeps a new set of hosts in step with the set that serves."""

from typing import List, Optional, Tuple

from ..config.fields import route
from ..proto import outcomes as o
from ..proto.commands import BY_NAME, COMMANDS, DELETE
from ..proto.request import Request
from ..proto.rewriting import Value, routing_name, store_of, ttl_of
from ..proto.seams import Sink
from .framework.base import ASKED, COPY, ON_HIT, Branch, Route, start_in_background
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.steps import Steps, copy_of, follow, in_background, is_hit, ttl_in, value_of
from .to_all import Collecting, worst

_GET, _GETS, _CAS = (BY_NAME[name].number for name in ("get", "gets", "cas"))
_SETS = frozenset(BY_NAME[name].number for name in ("set", "ms"))
_DELETES = frozenset(command.number for command in COMMANDS if command.kind == DELETE)
_ERRORS = o.HOST_ERRORS + o.OUR_ERRORS


class StagingRoute(Route):
    """Answers from `warm`. `staging` gets background requests, but for deletes, which wait for both.

    | command        | warm        | staging                                                                |
    | get            | hit         | `mg key t`, which counts as a use; after a miss, `add` with warm's exptime |
    | gets           | hit         | `mg key t`                                                             |
    | set, ms, cas   | stored      | the same command; `set` for a cas                                      |
    | delete, md     | asked       | asked too; the worst answer is the answer                              |
    | any other      | no error    | the same command                                                       |

    A background request that is late may put an older value into `staging`: do not read from it before it serves.
    """

    takes_keys = False

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._warm, self._staging = args.warm, args.staging
        self.may_ask_another_host = self._warm.may_ask_another_host

    def start(self, request: Request, sink: Sink) -> None:
        """Asks `warm`; for a delete, both."""
        (command,) = request.commands
        if command in _DELETES:
            collecting = Collecting(request, sink, 2, worst)
            self._warm.start(request, collecting)
            self._staging.start(request, collecting)
        elif request.large_value is not None:
            self._warm.start(request, sink)
        else:
            follow(self._asked(request), sink)

    def _asked(self, request: Request) -> Steps:
        reply, outcomes = yield self._warm, request
        (command,) = request.commands
        if command in (_GET, _GETS):
            if is_hit(outcomes):
                in_background(self._touch(request, value_of(reply) if command == _GET else None))
        elif command == _CAS:
            if outcomes == o.STORED:
                start_in_background(self._staging, _as_set(request))
        elif (outcomes in o.SUCCESS) if command in _SETS else (outcomes not in _ERRORS):
            start_in_background(self._staging, request)
        return reply, outcomes

    def _touch(self, request: Request, value: Optional[Value]) -> Steps:
        key = routing_name(request)
        reply, outcomes = yield self._staging, ttl_of(request, key)
        if value is None or outcomes != o.MISS:
            return reply, outcomes
        reply, outcomes = yield self._warm, ttl_of(request, key)
        exptime = ttl_in(reply)
        if exptime is None:
            return reply, outcomes
        return (yield self._staging, copy_of(request, "add", value, exptime))

    def routes(self) -> List[Route]:
        """Returns both routes."""
        return [self._warm, self._staging]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists both routes."""
        (command,) = request.commands
        when = ASKED if command in _DELETES else ON_HIT if command in (_GET, _GETS) else COPY
        return "", [(ASKED, self._warm), (when, self._staging)]


def _as_set(request: Request) -> Request:
    """Returns a set with the key, the flags, the exptime and the value of a cas."""
    line, _, rest = bytes(request.data).partition(b"\r\n")
    _, key, flags, exptime, size = line.split(b" ")[:5]
    return store_of(request, "set", key, int(flags), int(exptime), rest[: int(size)])


HANDLE = Handle("StagingRoute", (route("warm"), route("staging")), StagingRoute)
