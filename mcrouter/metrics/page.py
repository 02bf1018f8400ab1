"""What a page is, and the one that says whether the router is of any use."""

from typing import Tuple

Page = Tuple[int, str, bytes]
"""Status, content type, body."""
TEXT = "text/plain; charset=utf-8"


def health_page(healthy: int, stalled: int = 0) -> Page:
    """/healthz: 200 with at least one healthy host, where all event loops run; else 503."""
    if stalled:
        return 503, TEXT, f"event loops that do not run: {stalled}\n".encode()
    if healthy:
        return 200, TEXT, f"ok, healthy hosts: {healthy}\n".encode()
    return 503, TEXT, b"no healthy host\n"
