"""Requests under another key than the client's. The client sees its own key in the answer."""

from typing import Callable, Iterable, Tuple

from ...proto.reply import Reply
from ...proto.request import Request
from ...proto.rewriting import rekeyed, restored, restored_head
from ...proto.seams import Sink
from ..host import HostRoute
from .base import Route
from .keyed import Gathering, for_keys, names_of


def renamed(request: Request, sink: Sink, new: Callable[[bytes], bytes]) -> Tuple[Request, Sink]:
    """Returns (the request with each key `k` as `new(k)`, its sink, which puts the client's keys back for `sink`)."""
    changed = rekeyed(request, new)
    return changed, _Restoring(sink, request, changed)


class _Restoring:
    """The sink of a request whose keys were changed."""

    __slots__ = ("_changed", "_request", "_sink")

    def __init__(self, sink: Sink, request: Request, changed: Request) -> None:
        self._sink = sink
        self._request = request
        self._changed = changed

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer, either whole or, if it is large, in pieces, and puts the client's keys back."""
        if isinstance(reply, bytes):
            reply = restored(reply, outcomes, self._request, self._changed)
        else:
            reply.begin_with(lambda head: restored_head(head, self._request, self._changed))
        self._sink.on_reply(reply, outcomes)


def ask_renamed(route: Route, request: Request, sink: Sink, new: Callable[[bytes], bytes]) -> None:
    """Asks the route under the new keys.

    If several keys of a get become the same key, each is asked for by itself: a common answer would not tell which key
    it is for.
    """
    names = names_of(request)
    if len(set(map(new, names))) == len(names):
        route.start(*renamed(request, sink, new))
        return
    gathering = Gathering(request, sink, len(names))
    for name in names:
        route.start(*renamed(for_keys(request, [name]), gathering, new))


def prefix_of(key: bytes) -> bytes:
    """Returns the key's routing prefix `/region/cluster/`; empty if it has none."""
    if key[:1] != b"/":
        return b""
    second = key.find(b"/", 1)
    third = key.find(b"/", second + 1) if second > 0 else -1
    return key[: third + 1] if 0 < third < len(key) - 1 else b""


def without_prefix(request: Request, sink: Sink, prefix: bytes) -> Tuple[Request, Sink]:
    """Returns the request and its sink without this routing prefix, which all keys have."""
    length = len(prefix)
    return renamed(request, sink, lambda key: key[length:])


class StripPrefixRoute(Route):
    """A host that gets keys without routing prefixes, in a config where others get them (`keep_routing_prefix`)."""

    def __init__(self, target: HostRoute) -> None:
        self._target = target
        self.host = target.host

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the host, without the prefix."""
        if any(map(prefix_of, names_of(request))):
            request, sink = renamed(request, sink, lambda key: key[len(prefix_of(key)) :])
        self._target.start(request, sink)

    def routes(self) -> Iterable[Route]:
        """Returns the route to the host."""
        return (self._target,)
