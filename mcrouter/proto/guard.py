"""Limits the cost of an unexpected exception to its own request, which is answered with an error line.

A call on behalf of one request among many is `guarded`: by the engine (sinks, routes), and by routes that start a
request while they serve another (a copy, a request that has waited).

A route that counts its requests under way must not wait for a reply for ever: an exception in a sink further down may
come between. So it registers what to do then (`client.when_abandoned`).
"""

from typing import Any, Callable

from ..system.logs import get_logger
from . import outcomes as o

logger = get_logger(__name__)

INTERNAL_ERROR = b"SERVER_ERROR mcrouter: internal error\r\n"


def guarded(request: Any, call: Callable[..., None], *args: Any) -> None:
    """Calls `call`. Logs an exception, and answers the client's request, which `request` is or was made of, with an
    error, if it still waits for an answer."""
    try:
        call(*args)
    except Exception:
        guarded_failure(request)


def guarded_failure(request: Any) -> None:
    """Does what `guarded` does after an exception; to be called while the exception is handled. Raises it again for a
    connection's own request, which has no client: then the loop resets the connection."""
    if request.client is None:
        raise
    logger.exception("unexpected error; the request is answered with an error")
    abandon(request)


def abandon(request: Any) -> None:
    """Answers a request with an error, if it still waits for an answer. If that fails too, closes the client's
    connection, as the client would wait for ever."""
    try:
        count = len((request.origin or request).commands)
        request.client.fail(request, INTERNAL_ERROR * count, o.LOCAL * count)
    except Exception:
        logger.exception("unexpected error; the connection of the request's client is closed")
        request.client.abort()
