"""DefaultRoute: the first healthy host in pool order."""

from typing import Any

from ..proto.requests import Request
from .base import AsIs, Pool, refuse


class DefaultRoute(AsIs):
    """To the first healthy host; its answer, whatever it is, is the answer.

    | hosts                   | asked | answer                                       |
    | 1 healthy, 2 healthy    | 1     | what 1 says                                  |
    | 1 unhealthy, 2 healthy  | 2     | what 2 says                                  |
    | none healthy            | none  | SERVER_ERROR mcrouter: no healthy upstream   |

    The hosts before the one that gets a write are told that they miss it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def first(self) -> Any:
        """The first healthy host."""
        return self._pool.healthy[0] if self._pool.healthy else None

    def start(self, request: Request, sink: Any) -> None:
        """Asks the first healthy host."""
        healthy = self._pool.healthy
        if healthy:
            healthy[0].send(request, sink)
            if self._pool.away:
                self._pool.missed(request, healthy[0])
        else:
            refuse(request, sink)
