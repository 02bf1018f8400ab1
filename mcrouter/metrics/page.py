"""What a page is, and /healthz, the page that tells whether the router can serve."""

from typing import Tuple

Page = Tuple[int, str, bytes]
"""Status, content type, body."""
TEXT = "text/plain; charset=utf-8"


def health_page(healthy: int, stalled: int = 0) -> Page:
    """Returns /healthz: status 200 if at least one host is healthy and all event loops run, else 503."""
    if stalled:
        return 503, TEXT, f"event loops that do not run: {stalled}\n".encode()
    if healthy:
        return 200, TEXT, f"ok, healthy hosts: {healthy}\n".encode()
    return 503, TEXT, b"no healthy host\n"
