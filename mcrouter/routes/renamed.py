"""Requests under another name than their client's: it sees its own key, whatever the hosts see."""

from typing import Any, Callable, Iterable, Tuple

from ..proto.requests import Request
from ..proto.rewriting import rekeyed, restored, restored_head
from .base import Route
from .keyed import Gathering, for_keys, names_of


def renamed(request: Request, sink: Any, new: Callable[[bytes], bytes]) -> Tuple[Request, Any]:
    """(the request with each key `k` as `new(k)`, a sink for it that answers `sink` in the client's words)."""
    changed = rekeyed(request, new)
    return changed, _Restoring(sink, request, changed)


class _Restoring:
    """The sink of a request whose keys were changed."""

    __slots__ = ("_changed", "_request", "_sink")

    def __init__(self, sink: Any, request: Request, changed: Request) -> None:
        self._sink = sink
        self._request = request
        self._changed = changed

    def on_reply(self, reply: Any, outcomes: bytes) -> None:
        """The answer: whole, or a large one that comes in pieces."""
        if isinstance(reply, bytes):
            reply = restored(reply, outcomes, self._request, self._changed)
        else:
            reply.begin_with(lambda head: restored_head(head, self._request, self._changed))
        self._sink.on_reply(reply, outcomes)


def ask_renamed(route: Any, request: Request, sink: Any, new: Callable[[bytes], bytes]) -> None:
    """Asks the route under the new names. Keys of a get that come out as one name are asked for one by one: an answer
    would not say which of them it is for."""
    names = names_of(request)
    if len(set(map(new, names))) == len(names):
        route.start(*renamed(request, sink, new))
        return
    gathering = Gathering(request, sink, len(names))
    for name in names:
        route.start(*renamed(for_keys(request, [name]), gathering, new))


def prefix_of(key: bytes) -> bytes:
    """A key's routing prefix `/region/cluster/`, empty if it has none."""
    if key[:1] != b"/":
        return b""
    second = key.find(b"/", 1)
    third = key.find(b"/", second + 1) if second > 0 else -1
    return key[: third + 1] if 0 < third < len(key) - 1 else b""


def without_prefix(request: Request, sink: Any, prefix: bytes) -> Tuple[Request, Any]:
    """The request without the routing prefix that all its keys have."""
    length = len(prefix)
    return renamed(request, sink, lambda key: key[length:])


class StripPrefixRoute(Route):
    """A host that does not see routing prefixes, in a config where others do (`keep_routing_prefix`)."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self.host = target.host

    def start(self, request: Request, sink: Any) -> None:
        """Asks the host, without the prefix."""
        if any(map(prefix_of, names_of(request))):
            request, sink = renamed(request, sink, lambda key: key[len(prefix_of(key)) :])
        self._target.start(request, sink)

    def routes(self) -> Iterable[Any]:
        """The host."""
        return (self._target,)
