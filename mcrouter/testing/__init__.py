"""Embedded memcached-like hosts, to try the router out and for users' tests.

    with DemoHost() as host:
        print(host.address)  # 127.0.0.1:PORT, the whole text protocol
        host.faults.mute = True  # it accepts and does not answer

Files: `store` remembers; `words` and `flags` read a line; `classic`, `arithmetic` and `meta` are the commands;
`protocol` cuts a stream into them; `host` is the thread with the sockets; `faults` what may go wrong.
"""

from .faults import Faults
from .host import DemoHost
from .protocol import Conversation
from .store import Store

__all__ = ["Conversation", "DemoHost", "Faults", "Store"]
