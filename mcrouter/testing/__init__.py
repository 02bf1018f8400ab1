"""Embedded memcached-like hosts, to try the router out and for users' tests.

with DemoHost() as host:
    print(host.address)
"""

from .host import DemoHost

__all__ = ["DemoHost"]
