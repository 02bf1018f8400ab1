"""What an unexpected exception costs: its own request, which gets one error line, and nothing else.

Whatever is called on behalf of one request among many is called `guarded`: by the engine (a sink, a route), and by
routes that begin something in another request's turn: a copy, a request that has waited.

A route that counts what it has under way must not wait for the answer for ever. It registers how to let go of the
request (`client.when_abandoned`): an exception may come between it and the answer, in a sink further down.
"""

from typing import Any, Callable

from ..system.logs import get_logger
from . import outcomes as o

logger = get_logger(__name__)

INTERNAL_ERROR = b"SERVER_ERROR mcrouter: internal error\r\n"


def guarded(request: Any, call: Callable[..., None], *args: Any) -> None:
    """Calls; an exception is logged, and the client's request that `request` is, or was made of, is answered with an
    error, if it still waits for an answer."""
    try:
        call(*args)
    except Exception:
        guarded_failure(request)


def guarded_failure(request: Any) -> None:
    """Does what `guarded` does after an exception; call it while that is handled. A connection's own request has no
    client: its exception goes on to the loop, which has the connection start over."""
    if request.client is None:
        raise
    logger.exception("unexpected error; the request is answered with an error")
    abandon(request)


def abandon(request: Any) -> None:
    """Answers a request with an error, if it still waits for an answer. Where not even that can be done, its client's
    connection closes: it would wait for ever."""
    try:
        count = len((request.origin or request).commands)
        request.client.fail(request, INTERNAL_ERROR * count, o.LOCAL * count)
    except Exception:
        logger.exception("unexpected error; the connection of the request's client is closed")
        request.client.abort()
