"""What a page is, and the one that says whether the router is of any use."""

from typing import Tuple

Page = Tuple[int, str, bytes]
"""Status, content type, body."""
TEXT = "text/plain; charset=utf-8"


def health_page(healthy: int) -> Page:
    """/healthz: 200 with at least one healthy host, else 503."""
    if healthy:
        return 200, TEXT, f"ok, healthy hosts: {healthy}\n".encode()
    return 503, TEXT, b"no healthy host\n"
