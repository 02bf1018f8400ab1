"""Asks again for what a host has not answered because its connection was lost, where that does no harm."""


from typing import Optional

from ...proto import outcomes as o
from ...proto.reply import Reply
from ...proto.request import Request
from ...proto.seams import Destination, ServingRoute, Sink, Source

_MOST = 3  # hosts asked for one request, the first included


def ask_again(
    route: ServingRoute, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes, asked: int = 1
) -> None:
    """Asks once more after `host` has failed, or passes the failure to `sink`.

    | what happened to the request         | asked now                                                            |
    | a read, and the connection was lost  | `direct_host` of now: the same host on a new connection, or another  |
    | a write, and the connection was lost | no host: the write may have been done                                |
    | it was never sent                    | `direct_host` of now, if that is another host                        |
    | anything else, or three hosts tried  | no host                                                              |

    A read is repeated only if its client has not sent a write since: it must not see the effect of a later write.
    """
    client: Source = request.client
    other: Optional[Destination] = route.direct_host(request) if asked < _MOST else None
    fate = outcomes[:1]
    again = fate == o.LOST and asked == 1
    harmless = fate in o.NEVER_SENT or (fate == o.LOST and client.may_repeat(request))
    if other is not None and harmless and (again or other is not host):
        other.send(request, _Again(route, request, sink, other, asked + 1), request.started)
    else:
        sink.on_reply(reply, outcomes)


class _Again:
    """The sink of a repeated request."""

    __slots__ = ("_asked", "_host", "_request", "_route", "_sink")

    def __init__(self, route: ServingRoute, request: Request, sink: Sink, host: Destination, asked: int) -> None:
        self._route = route
        self._request = request
        self._sink = sink
        self._host = host
        self._asked = asked

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the host's answer, or the next failure."""
        ask_again(self._route, self._request, self._sink, self._host, reply, outcomes, self._asked)
