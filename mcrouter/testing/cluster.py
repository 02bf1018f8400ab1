"""Hosts and a router in front of them that run within a `with`, for tests of programs that use a cache."""

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Union

from .host import DemoHost

if TYPE_CHECKING:
    from ..config import Config
    from ..router import Router

SAMPLE_POLICY: Dict[str, str] = {
    **dict.fromkeys(("add", "append", "decr", "delete", "incr", "prepend", "replace", "set"), "AllFastestRoute"),
    **dict.fromkeys(("get", "gets"), "MissFailoverRoute"),
    **dict.fromkeys(("version", "quit"), "LocalRoute"),
}
"""The sample policy: writes go to all hosts, reads to the first host that has the key."""

_QUIET = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "healthcheck_interval": "1s"}
_LOOK = 0.01  # seconds between looks at the hosts' health


def sample_config(hosts: List[str]) -> str:
    """Returns the text of a config with the sample policy over these hosts."""
    policy = {"type": "OperationSelectorRoute", "operationPolicies": SAMPLE_POLICY}
    return json.dumps({"orderedPool": hosts, "route": policy})


class Cluster(NamedTuple):
    """A router that serves, and its hosts: `hosts` in the order of the config, `by_name` by their names in the config.

    A client connects to `host` and `port`, or uses `router.client()`, which needs no socket.
    """

    router: "Router"
    by_name: Dict[str, DemoHost]

    @property
    def hosts(self) -> List[DemoHost]:
        """The hosts in the order of the config."""
        return list(self.by_name.values())

    @property
    def address(self) -> str:
        """The router's address as HOST:PORT."""
        return self.router.addresses[0].rpartition("/")[2]

    @property
    def host(self) -> str:
        """The host of `address`."""
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of `address`."""
        return int(self.address.rpartition(":")[2])

    def until_healthy(self, count: int, seconds: float = 10.0) -> None:
        """Waits until the router finds exactly `count` hosts healthy. Raises TimeoutError after so many seconds.

        The router learns about the health of a host from requests without an answer, and from probes.
        """
        end = time.monotonic() + seconds
        while True:
            healthy = [name for name, host in self.router.stats()["hosts"].items() if host["healthy"]]
            if len(healthy) == count:
                return
            if time.monotonic() > end:
                found = f"{len(healthy)} ({', '.join(healthy)})" if healthy else "none"
                raise TimeoutError(f"after {seconds} s the router finds {found} healthy, not {count} hosts")
            time.sleep(_LOOK)


@contextlib.contextmanager
def hosts(count: int = 2, **options: Any) -> Iterator[List[DemoHost]]:
    """Starts so many hosts. At the end, also after an exception, all are stopped, and no thread or socket is left.

        with hosts(3) as (one, two, three):
            print(one.address)

    `options` are DemoHost's.
    """
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(DemoHost(**options)) for _ in range(count)]


@contextlib.contextmanager
def cluster(config: "Union[int, str, os.PathLike[str], Config]" = 2, **settings: Any) -> Iterator[Cluster]:
    """Starts hosts and a router in front of them, on free ports of this machine.

        with cluster(2) as cache:
            client = pymemcache.Client((cache.host, cache.port))
            client.set("user:1", "Ann")
            cache.hosts[0].stop()
            assert client.get("user:1") == b"Ann"

    `config` is a number of hosts for the sample policy, or your own config (its text, its file, or the result of
    load_config). In the latter case each host of the config is an embedded one under its own name, so that keys go to
    the same hosts as in production: `cache.by_name["cache1:11211"].stop()`. `settings` are those of Settings; by
    default there is no metrics port, and hosts are probed each second. Raises ConfigError and SettingsError.
    """
    from ..router import Router
    from ..server.configs.reading import load_config
    from ..settings import Settings

    chosen = Settings(**{**_QUIET, **settings})
    if isinstance(config, int):
        config = sample_config([f"host{number}:11211" for number in range(1, config + 1)])
    model = load_config(config, "config", chosen) if isinstance(config, (str, os.PathLike)) else config
    with hosts(len(model.hosts)) as started:
        here = [
            address._replace(host=host.host, port=host.port, path="") for address, host in zip(model.hosts, started)
        ]  # fmt: skip
        with Router(model._replace(hosts=tuple(here)), chosen) as router:
            yield Cluster(router, {address.text: host for address, host in zip(model.hosts, started)})
