"""Routers inside the test's own process, before embedded hosts."""

import contextlib
import json
from typing import Any, Iterator, List, Tuple

from mcrouter import Router, Settings, load_config
from mcrouter.testing import DemoHost

QUIET = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "healthcheck_interval": 1000.0}
SAMPLE = {
    "type": "OperationSelectorRoute",
    "operationPolicies": {
        **dict.fromkeys(("add", "cas", "decr", "delete", "incr", "set", "touch"), "AllFastestRoute"),
        **dict.fromkeys(("get", "gets"), "MissFailoverRoute"),
    },
}


def config(hosts: List[DemoHost], route: Any = "DefaultRoute") -> Any:
    """All of them, in this order, under a route."""
    return load_config(json.dumps({"orderedPool": [host.address for host in hosts], "route": route}))


@contextlib.contextmanager
def served(count: int = 1, route: Any = "DefaultRoute", **settings: Any) -> Iterator[Tuple[Router, List[DemoHost]]]:
    """A router that serves, and so many hosts of its own."""
    with contextlib.ExitStack() as stack:
        hosts = [stack.enter_context(DemoHost()) for _ in range(count)]
        router = Router(config(hosts, route), Settings(**{**QUIET, **settings}))
        yield stack.enter_context(router), hosts
