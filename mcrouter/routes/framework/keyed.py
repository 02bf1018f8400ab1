"""Routes that choose by key. A get of several keys is split, and the answers to its parts are joined."""

from typing import Callable, Dict, Iterable, List, Optional, Tuple

from ...config.leaves import MAX_LEAVES
from ...proto import outcomes as o
from ...proto.commands import COMMANDS, EXPTIME_KEYS, VALUES
from ...proto.guard import guarded
from ...proto.replies import value_blocks
from ...proto.reply import TOO_LARGE, Reply, unstreamed
from ...proto.request import Request
from ...proto.rewriting import routing_name
from ...proto.seams import Destination, Later, Sink, Source
from .base import ASKED, Branch, Route, part, refuse
from .pieces import values_reply

_AT_ONCE = MAX_LEAVES  # requests that a get of several keys makes at once
_PAUSE = 0.001  # seconds until it makes the next ones: other clients are served meanwhile
_NO_KEY = b"SERVER_ERROR mcrouter: a command without a key does not say which host it is for\r\n"


class KeyedRoute(Route):
    """Base class of routes that choose by key: `route_for(key)` returns the key's route.

    | request                | asked, and the answer                                                          |
    | one key                | the key's route                                                                |
    | a get of several keys  | each route once, for all of its keys; hits in the order of the request         |
    | ... and some keys fail | the hits of the other keys; the error if there are none                        |

    A get whose keys make more than 2,000 requests to hosts is asked in parts, the next one when the one before it is
    answered. `cost`: requests to hosts that one key may make. `later` is RouteContext.later.
    """

    keyed = True
    splits = True
    cost = 1
    later: Later

    def route_for(self, key: bytes) -> Route:
        """Returns the key's route."""
        raise NotImplementedError

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first host of the key's route, for a request with one key."""
        if request is None:
            return None
        key: Optional[bytes] = request.key
        data = request.data
        if key:
            return self.route_for(key).direct_host(request)
        if key is not None and type(data) is bytes:  # a single set: 0.8 us less than the general code below
            return self.route_for(data[4 : data.index(b" ", 4)]).direct_host(request)
        return self.route_for(routing_name(request)).direct_host(request) if len(request.keys()) == 1 else None

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the key's route continue."""
        self.route_for(routing_name(request)).after_failure(request, sink, host, reply, outcomes)

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the routes of all keys."""
        key = request.key
        if key:
            self.route_for(key).start(request, sink)
            return
        keys = names_of(request)
        if len(keys) == 1:
            self.route_for(keys[0]).start(request, sink)
        elif keys:
            self._ask_all(request, sink, keys)
        else:
            refuse(request, sink, _NO_KEY)

    def _ask_all(self, request: Request, sink: Sink, keys: List[bytes]) -> None:
        most = max(1, _AT_ONCE // self.cost)
        # A client that cannot be told to wait could have something done before the last keys are asked for.
        if len(keys) > most and request.client.can_wait:
            _InParts(request, sink, keys, most, self._scatter, self.later).begin()
        else:
            self._scatter(request, sink, keys)

    def _scatter(self, request: Request, sink: Sink, keys: List[bytes]) -> None:
        by_route: Dict[int, Tuple[Route, List[bytes]]] = {}
        for key in keys:
            route = self.route_for(key)
            by_route.setdefault(id(route), (route, []))[1].append(key)
        if len(by_route) == 1:
            route.start(request, sink)
        else:
            gathering = Gathering(request, sink, len(by_route))
            for route, its_keys in by_route.values():
                route.start(for_keys(request, its_keys), gathering)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Names the route of each key."""
        return self._describe_keys(request, lambda key: "")

    def _describe_keys(self, request: Request, remark: Callable[[bytes], str]) -> "Tuple[str, List[Branch]]":
        names = names_of(request)
        remarks = [text for text in map(remark, dict.fromkeys(names)) if text]
        routes = {id(route): route for route in map(self.route_for, names)}
        return "; ".join(remarks), [(ASKED, route) for route in routes.values()]


class PerKey(KeyedRoute):
    """Passes a get of several keys, key by key, to a route that takes only one key at a time. Which host is asked first
    depends on the request: a get of several keys has no such host."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self.takes_runs, self.may_ask_another_host = route.takes_runs, route.may_ask_another_host

    def route_for(self, key: bytes) -> Route:
        """Returns the one route there is."""
        return self._route

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first host of the route, except for a get of several keys."""
        return None if request is None or has_several_keys(request) else self._route.direct_host(request)

    def start(self, request: Request, sink: Sink) -> None:
        """Asks for each key by itself, without waiting for the answers in between."""
        if has_several_keys(request):
            self._ask_all(request, sink, list(dict.fromkeys(request.keys())))
        else:
            self._route.start(request, sink)

    def _scatter(self, request: Request, sink: Sink, keys: List[bytes]) -> None:
        gathering = Gathering(request, sink, len(keys))
        for key in keys:
            self._route.start(for_keys(request, [key]), gathering)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the route continue."""
        self._route.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> Iterable[Route]:
        """Returns the one route."""
        return (self._route,)


def has_several_keys(request: Request) -> bool:
    """Returns whether the request is a get of several keys."""
    if request.key is not None or len(request.commands) > 1:
        return False
    (command,) = request.commands
    return COMMANDS[command].reply == VALUES and len(request.keys()) > 1


class _InParts:
    """A get of many keys, asked for in parts of at most so many. Its client is paused until the last part is asked for:
    what it says next must not come before that."""

    def __init__(
        self,
        request: Request,
        sink: Sink,
        keys: List[bytes],
        most: int,
        scatter: Callable[[Request, Sink, List[bytes]], None],
        later: Later,
    ) -> None:
        self._request = request
        self._client: Source = request.client
        self._parts = [keys[at : at + most] for at in range(0, len(keys), most)]
        self._gathering = Gathering(request, sink, len(self._parts))
        self._parts.reverse()  # the last is the next
        self._scatter = scatter
        self._later = later
        self._pauses = True

    def begin(self) -> None:
        """Asks for the first part."""
        self._client.pause()
        self._client.when_abandoned(self._request, self._resume)
        self._next()

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer to a part; has the next part asked for."""
        if self._parts:
            self._later(_PAUSE, lambda: guarded(self._request, self._next))
        self._gathering.on_reply(reply, outcomes)

    def _next(self) -> None:
        if not self._client.awaits(self._request):  # no client waits for the answer any more
            self._resume()
            return
        keys = self._parts.pop()
        self._scatter(for_keys(self._request, keys), self, keys)
        if not self._parts:
            self._resume()

    def _resume(self) -> None:
        if self._pauses:
            self._pauses = False
            self._client.resume()


def names_of(request: Request) -> List[bytes]:
    """Returns the keys of a request, each once, in the form that routes choose by; an empty list if it has no key."""
    keys = request.keys()
    return list(dict.fromkeys(keys)) if len(keys) > 1 else [routing_name(request)] if keys else []


def for_keys(request: Request, keys: List[bytes]) -> Request:
    """Returns a get for only these of the keys."""
    (command,) = request.commands
    verb = COMMANDS[command].verb
    head = request.data.split(b" ", 2)[:2] if COMMANDS[command].request == EXPTIME_KEYS else [verb]
    made = part(request, request.commands, b" ".join([*head, *keys]) + b"\r\n", keys)
    if made.data.startswith(b"get ") and len(keys) == 1:
        made.expected, made.key = None, keys[0]
    return made


class Gathering:
    """The sink of the parts of a get of several keys."""

    __slots__ = ("_error", "_found", "_instead", "_request", "_sink", "_waiting")

    def __init__(self, request: Request, sink: Sink, waiting: int) -> None:
        self._request = request
        self._sink = sink
        self._waiting = waiting
        self._found: Dict[bytes, bytes] = {}
        self._error: Optional[Tuple[Reply, bytes]] = None
        self._instead: Optional[Tuple[Reply, bytes]] = None  # the answer, if it cannot be joined

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer to one part; passes the whole answer on after the last part."""
        self._waiting -= 1
        if reply is TOO_LARGE or outcomes == o.LEFT_OUT:
            self._instead = (reply, outcomes)
        elif outcomes in o.ANSWERS:
            self._found.update(value_blocks(unstreamed(reply)))
        else:
            self._error = (reply, outcomes)
        if not self._waiting:
            self._sink.on_reply(*self._whole())

    def _whole(self) -> Tuple[Reply, bytes]:
        if self._instead is not None:
            return self._instead
        found, keys = self._found, self._request.keys()
        if not found and self._error is not None:
            return self._error
        blocks = [found[key] for key in keys if key in found]
        outcome = o.VALUE if len(blocks) == len(keys) else o.PARTIAL if blocks else o.MISS
        return values_reply(blocks, self._sink), outcome
