"""A number for this machine, by which handles choose that should choose alike on all of its routers."""

import socket
import zlib


def host_id() -> int:
    """32 bits that stay the same as long as the machine's name does (facebook/mcrouter: of its addresses)."""
    return zlib.crc32(socket.gethostname().encode(errors="replace"))
