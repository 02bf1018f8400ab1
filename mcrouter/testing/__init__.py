"""Embedded memcached-like hosts, for trying the router and for tests of programs that use it.

    with DemoHost() as host:
        print(host.address)  # 127.0.0.1:PORT; it speaks the whole text protocol
        host.faults.mute = True  # it accepts connections and does not answer

    with cluster(3) as cache:  # hosts, and a router in front of them
        client = Client((cache.host, cache.port))
        cache.hosts[0].stop()

Modules: `store` keeps the items, `counts` the counters; `words` and `flags` read a line; `classic`, `arithmetic`,
`meta`, `stats` and `admin` are the commands; `protocol` divides a stream into commands; `host` is the thread with the
sockets, `faults` the faults that a test can switch on; `cluster` is several hosts behind a router.
"""

from .cluster import Cluster, cluster, hosts
from .faults import Faults
from .host import DemoHost
from .protocol import Conversation
from .store import Store

__all__ = ["Cluster", "Conversation", "DemoHost", "Faults", "Store", "cluster", "hosts"]
