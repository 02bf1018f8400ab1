"""Asking again: what a host that broke off has not answered, where that does no harm."""

from typing import Any

from ..proto import outcomes as o
from ..proto.requests import Request

_MOST = 3  # hosts asked for one request, the first included


def ask_again(
    route: Any, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes, asked: int = 1
) -> None:
    """After `host` has failed: asks whichever host `route` sends to now, or gives the failure to `sink`.

    | what became of it                  | who is asked now                                            |
    | the connection was lost, a read    | the first host by then: the same, on a fresh connection, or another |
    | the connection was lost, a write   | nobody: it may have been done                               |
    | it was never sent                  | another host, if one is first by then                       |
    | anything else, or the third time   | nobody                                                      |

    A read is asked again only if its client has not sent a write since: it must not see what came after it.
    """
    other = route.first(request) if asked < _MOST else None
    fate = outcomes[:1]
    again = fate == o.LOST and asked == 1
    harmless = fate in o.NEVER_SENT or (fate == o.LOST and request.client.may_repeat(request))
    if other is not None and harmless and (again or other is not host):
        other.send(request, _Again(route, request, sink, other, asked + 1), request.started)
    else:
        sink.on_reply(reply, outcomes)


class _Again:
    """The sink of one more attempt."""

    __slots__ = ("_asked", "_host", "_request", "_route", "_sink")

    def __init__(self, route: Any, request: Request, sink: Any, host: Any, asked: int) -> None:
        self._route = route
        self._request = request
        self._sink = sink
        self._host = host
        self._asked = asked

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """The host's answer, or the next failure."""
        ask_again(self._route, self._request, self._sink, self._host, reply, outcomes, self._asked)
