"""AllFastestRoute: to every healthy host at once, answering with the first success."""

from typing import Any

from ..proto.requests import Request
from .base import AsIs, Pool, refuse
from .best import Best, is_success


class AllFastestRoute(AsIs):
    """Sends to all healthy hosts; the first success is the answer, the others' replies are dropped.

    A failure is an error line, a miss (END), NOT_STORED, EXISTS or NOT_FOUND.

    | first reply | second reply | answer                                              |
    | success     | any          | the first, at once                                  |
    | failure     | success      | the second                                          |
    | failure     | failure      | the better: memcached's answer before an error of ours |
    | some keys   | other keys   | both, in request order (a get of several keys)      |
    | no healthy host            | SERVER_ERROR mcrouter: no healthy upstream          |

    Hosts that are not healthy are told that they miss a write.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def first(self) -> Any:
        """The only healthy host, when it is alone."""
        return self._pool.sole()

    def start(self, request: Request, sink: Any) -> None:
        """Asks all healthy hosts."""
        hosts = self._pool.healthy
        if len(hosts) > 1:
            race = _Race(request, sink, len(hosts))
            for host in hosts:
                host.send(request, race)
        elif hosts:
            hosts[0].send(request, sink)
        else:
            refuse(request, sink)
            return
        if self._pool.away:
            self._pool.missed(request)


class _Race:
    """One request under way to several hosts."""

    __slots__ = ("_best", "_request", "_sink", "_waiting")

    def __init__(self, request: Request, sink: Any, waiting: int) -> None:
        self._request = request
        self._sink = sink
        self._waiting = waiting
        self._best: Any = None  # made when the first reply is not a success

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """One host's answer."""
        self._waiting -= 1
        sink = self._sink
        if sink is None:
            return
        if self._best is None and is_success(outcomes):
            self._sink = None
            sink.on_reply(reply, outcomes)
            return
        if self._best is None:
            self._best = Best(self._request)
        if self._best.add(reply, outcomes, self._request) or not self._waiting:
            self._sink = None
            sink.on_reply(*self._best.result())
