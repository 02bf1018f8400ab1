"""What an unexpected exception costs: its own request, which gets one error line, and nothing else.

Whatever the engine calls on behalf of one request among many (a sink, a route) it calls `guarded`.
"""

import logging
from typing import Any, Callable

from ..proto import outcomes as o

logger = logging.getLogger(__name__)

INTERNAL_ERROR = b"SERVER_ERROR mcrouter: internal error\r\n"


def guarded(request: Any, call: Callable[..., None], *args: Any) -> None:
    """Calls; an exception is logged, and the client's request that `request` is, or was made of, is answered with an
    error, if it still waits for an answer."""
    try:
        call(*args)
    except Exception:
        guarded_failure(request)


def guarded_failure(request: Any) -> None:
    """What `guarded` does after an exception; call it while that is handled."""
    logger.exception("unexpected error; the request is answered with an error")
    try:
        if request.client is not None:
            count = len((request.origin or request).kinds)
            request.client.fail(request, INTERNAL_ERROR * count, o.LOCAL * count)
    except Exception:
        logger.exception("unexpected error; a request is not answered")
