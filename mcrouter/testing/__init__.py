"""Embedded memcached-like hosts, to try the router out and for users' tests.

    with DemoHost() as host:
        print(host.address)  # 127.0.0.1:PORT, the whole text protocol
        host.faults.mute = True  # it accepts and does not answer

    with cluster(3) as cache:  # hosts, and a router in front of them
        client = Client((cache.host, cache.port))
        cache.hosts[0].stop()

Files: `store` remembers, `counts` counts; `words` and `flags` read a line; `classic`, `arithmetic`, `meta`, `stats`
and `admin` are the commands; `protocol` cuts a stream into them; `host` is the thread with the sockets, `faults` what
may go wrong; `cluster` is several of them behind a router.
"""

from .cluster import Cluster, cluster, hosts
from .faults import Faults
from .host import DemoHost
from .protocol import Conversation
from .store import Store

__all__ = ["Cluster", "Conversation", "DemoHost", "Faults", "Store", "cluster", "hosts"]
